"""Exact match and F1 by MLQA's rules, which differ by language."""

from stilts.tasks.metrics._questions import metric

METRIC = metric("mlqa")
