#!/usr/bin/env bash
# From the starting weights to a model in one go, on one GPU with 16 cores: 18 minutes on an H100 to
# what shipped first, and some 8 more to what ships.
#
#     scripts/train-weights.sh STARTING_WEIGHTS DATA FOLDER
#
# FOLDER receives piclick-tiny.safetensors; a folder in memory (/dev/shm) spares the disk. Run the
# same command again and it goes on where it was stopped. What STARTING_WEIGHTS and DATA are is
# told in the model card, beside the weights, and docs/training.md tells what comes of it.
#
# The simulated users' work is the processors', so several processes share the GPU: 6 that train
# and 9 that make pictures. Fewer cores: set TRAINING (a multiple of 3) and MAKERS.
#
# LEAVE_OUT names what takes no part in the first three steps: when they were run for what ships,
# there were no synthetic cells. In the last two they take part.
set -euo pipefail
if [ $# -ne 3 ]; then
	echo "usage: $0 STARTING_WEIGHTS DATA FOLDER" >&2
	exit 2
fi
start=$1 data=$2 folder=$3
python=${PYTHON:-python}
training=${TRAINING:-6} makers=${MAKERS:-9}
batch=${BATCH:-96} trunk=${TRUNK:-750} branch=${BRANCH:-750} scores=${SCORES:-150}
further=${FURTHER:-520} settle=${SETTLE:-250} each=3
mkdir -p "$folder"
export OMP_NUM_THREADS=1

# train SHARE ...: with one of SHARE parts of the processes
train() {
	local share=$1
	shift
	"$python" -m torch.distributed.run --standalone --nproc-per-node $((training / share)) \
		-m napari_piclick.train --data "$data" --device "${DEVICE:-cuda:0}" --threads 1 \
		--leave-out ${LEAVE_OUT:-blood synthetic_cells} \
		--validate 0 --prompts-per-picture "$each" --batch $((batch / share / each * each)) \
		--workers $((makers / share)) "$@"
}

echo "$(date +%T) trunk"
train 1 --init "$start" --output "$folder/trunk.safetensors" --encoder 0.1 --new-pictures 16 \
	--learning-rate 3e-4 --steps $((3 * trunk)) --until "$trunk" --seed 0
echo "$(date +%T) branches"
# their mean did better than the one branch that it was compared with (docs/training.md)
for seed in 1 2 3; do
	train 3 --init "$folder/trunk.safetensors" --output "$folder/branch$seed.safetensors" \
		--encoder 0.1 --new-pictures 5 --learning-rate 2e-4 --steps "$branch" --seed $seed &
	running[seed]=$!
done
for seed in 1 2 3; do wait "${running[seed]}"; done
echo "$(date +%T) scores"
train 1 --recipe scores --init "$folder"/branch[123].safetensors --new-pictures 16 \
	--output "$folder/first.safetensors" --learning-rate 1e-4 --steps "$scores" --seed 0
echo "$(date +%T) further"
train 1 --init "$folder/first.safetensors" --output "$folder/further.safetensors" \
	--encoder 0.2 --new-pictures 16 --learning-rate 2.5e-4 --steps "$further" --seed 10 --leave-out blood
echo "$(date +%T) scores of the mean of both"
train 3 --recipe scores --init "$folder/first.safetensors" "$folder/further.safetensors" \
	--output "$folder/piclick-tiny.safetensors" --learning-rate 1e-4 --steps "$settle" \
	--batch 16 --prompts-per-picture 1 --new-pictures 1 --seed 14 --leave-out blood
echo "$(date +%T) done"
