"""Intermediate-task transfer in multilingual encoders: train, evaluate zero-shot, measure, tabulate."""

__version__ = "0.1.0"
