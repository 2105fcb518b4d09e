"""F1 over parts of speech as XTREME counts it, by runs of equal tags."""

from stilts.tasks.metrics._tagging import metric

METRIC = metric("pos", outside="X")
