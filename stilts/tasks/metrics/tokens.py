"""Share of right tags; there are no chunks."""

from stilts.tasks.metrics._tagging import metric

METRIC = metric("tokens", outside="O")
