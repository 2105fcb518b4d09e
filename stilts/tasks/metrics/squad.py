"""Exact match and F1 by the rules of SQuAD v1.1."""

from stilts.tasks.metrics._questions import metric

METRIC = metric("squad")
