"""Running calls on machines: this one or a SLURM cluster. Knows no task and no model."""
