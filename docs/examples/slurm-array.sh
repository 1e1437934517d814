#!/bin/bash
#SBATCH --job-name=grue
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@120

# One part of a run a job of the array. Nothing is lost when a job is killed: the same part goes on where it stopped.
#
#   export PARTS=16 MODEL=/models/policy TASKS=grue DATA=/data/grue OUT=/scratch/policy
#   array=$(sbatch --parsable --array=1-$PARTS slurm-array.sh)
#   sbatch --dependency=afterok:$array --wrap 'grue merge "$OUT"/part-* -o "$OUT/run" --quiet'
#
# Parts that failed alone: sbatch --array=3,7 slurm-array.sh, with PARTS as before.

set -euo pipefail
: "${PARTS:?how many parts the run has}" "${MODEL:?}" "${TASKS:?}" "${DATA:?}" "${OUT:?}"
part=${SLURM_ARRAY_TASK_ID:?submit with --array=1-$PARTS}

grue eval -m "$MODEL" -t "$TASKS" --data "$DATA" --shard "$part/$PARTS" -o "$OUT/part-$part-of-$PARTS" \
    --offline --quiet ${FLAGS:-} &
run=$!
# SLURM warns two minutes before the time is over: what is under way is stored, and the job is put back.
trap 'kill -TERM "$run"; wait "$run" || true; scontrol requeue "$SLURM_JOB_ID"; exit 0' TERM
wait "$run"
