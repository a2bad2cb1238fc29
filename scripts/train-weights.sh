#!/usr/bin/env bash
# From the starting weights to a model in one go: an hour and a half on two cores.
#
#     scripts/train-weights.sh STARTING_WEIGHTS DATA FOLDER
#
# FOLDER receives piclick-tiny.safetensors. Run the same command again and it goes on where it was
# stopped. docs/training.md compares what it gives with the weights in the package; what
# STARTING_WEIGHTS and DATA are is told in the model card, beside the weights.
set -euo pipefail
if [ $# -ne 3 ]; then
	echo "usage: $0 STARTING_WEIGHTS DATA FOLDER" >&2
	exit 2
fi
start=$1 data=$2 folder=$3
python=${PYTHON:-python}
mkdir -p "$folder"
export OMP_NUM_THREADS=1

train() {
	"$python" -m torch.distributed.run --standalone --nproc-per-node 2 -m napari_piclick.train \
		--data "$data" --batch 16 --seed 0 --threads 1 --validate 0 "$@"
}

masks=$folder/masks.safetensors
# begun for 3200 steps, and brought to an end from step 955 on
train --init "$start" --output "$masks" --learning-rate 2e-4 --steps 3200 --until 955
train --init "$start" --output "$masks" --learning-rate 2e-4 --steps 1190
train --recipe scores --init "$masks" --output "$folder/piclick-tiny.safetensors" \
	--learning-rate 1e-4 --steps 160
