# shellcheck shell=bash
# Sourced by the batch scripts, and by `setup` in a cluster file, in the folder jobs are submitted from.
# Put here what your cluster needs: modules, proxies, scratch folders.

# module load cuda/12.8

# The environment jobs run in: VENV if it is set, else .venv beside the checkout's code.
# shellcheck disable=SC1091
if [ -f "${VENV:-.venv}/bin/activate" ]; then
    . "${VENV:-.venv}/bin/activate"
fi

# srun must hand the batch script's environment on, also after sbatch --export=NONE, and since 22.05 it forgets
# the CPUs of a task.
export SLURM_EXPORT_ENV=ALL
if [ -n "${SLURM_CPUS_PER_TASK:-}" ]; then
    export SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"
    export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$SLURM_CPUS_PER_TASK}"
fi

export TOKENIZERS_PARALLELISM="${TOKENIZERS_PARALLELISM:-false}"
