#!/bin/bash

# Parameters
#SBATCH --account=group
#SBATCH --array=0-1%2
#SBATCH --comment=hpc-TOKEN
#SBATCH --cpus-per-task=1
#SBATCH --dependency=afterok:101
#SBATCH --exclusive
#SBATCH --job-name=multi-s1.xnli+1
#SBATCH --kill-on-invalid-dep=yes
#SBATCH --mail-type=FAIL
#SBATCH --mem=512MB
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --open-mode=append
#SBATCH --output=TMP/slurm/%A_%a_0_log.out
#SBATCH --partition=gpu
#SBATCH --requeue
#SBATCH --signal=USR2@120
#SBATCH --time=60

# setup
set -eo pipefail
export SLURM_EXPORT_ENV=ALL
export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
export GREETING='a b'
export PYTHONPATH=CHECKOUT${PYTHONPATH:+:$PYTHONPATH}
source slurm/env.sh

# command
export SUBMITIT_EXECUTOR=slurm
srun --unbuffered --output TMP/slurm/%A_%a_%t_log.out --kill-on-bad-exit=1 --wait=60 --cpu-bind=cores sh -c 'trap "" USR2; exec "$@"' sh PYTHON -u -m submitit.core._submit TMP/slurm
