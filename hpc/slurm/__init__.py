"""A SLURM cluster, through submitit: everything is submitted at once, and SLURM's dependencies do the rest.

`executor` submits, `groups` finds what fits into one array, `remote` is what the job unpickles and calls,
`queue` asks SLURM what it still has. No process stays behind: the state is in the run folders and in SLURM.
"""
