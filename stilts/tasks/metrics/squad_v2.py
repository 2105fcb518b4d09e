"""Exact match and F1 by the rules of SQuAD v2.0, where some questions have no answer."""

from stilts.tasks.metrics._questions import metric

METRIC = metric("squad_v2")
