"""How long a query takes, and what a deployment costs: raw observations, in fresh processes."""
