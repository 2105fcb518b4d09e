"""Ways to serve all targets: one model for all, a model each in memory, or a model each that takes turns.

The weights of an encoder do not change what a query takes; how many there are does.
"""
