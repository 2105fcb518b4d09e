"""Running calls on machines: this one or a SLURM cluster. Knows no task and no model."""

from hpc.interrupted import answer_in_one_line

answer_in_one_line()
