"""F1 over entities, whose tags are B-X, I-X and O."""

from stilts.tasks.metrics._tagging import metric

METRIC = metric("entities", outside="O")
