#!/usr/bin/env bash
# From the starting weights to a model in one go, on one GPU with 16 cores: some 50 minutes on an
# H100 to what ships.
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
# LEAVE_OUT names what takes no part in the first round: when it was run for what ships, there
# were no synthetic cells. From then on they take part.
set -euo pipefail
if [ $# -ne 3 ]; then
	echo "usage: $0 STARTING_WEIGHTS DATA FOLDER" >&2
	exit 2
fi
start=$1 data=$2 folder=$3
python=${PYTHON:-python}
training=${TRAINING:-6} makers=${MAKERS:-9} batch=${BATCH:-96} each=3
left_out=${LEAVE_OUT:-blood synthetic_cells}
mkdir -p "$folder"
export OMP_NUM_THREADS=1

# train SHARE ...: with one of SHARE parts of the processes
train() {
	local share=$1
	shift
	"$python" -m torch.distributed.run --standalone --nproc-per-node $((training / share)) \
		-m napari_piclick.train --data "$data" --device "${DEVICE:-cuda:0}" --threads 1 \
		--leave-out $left_out --new-pictures $((16 / share)) \
		--validate 0 --prompts-per-picture "$each" --batch $((batch / share / each * each)) \
		--workers $((makers / share)) "$@"
}

# round NAME START SEED ENCODER TRUNK BRANCH RATE SCORES: a trunk; three branches from it side by
# side, at this rate (their mean did better than the one that it was compared with,
# docs/training.md); and the scores of that mean. TRUNK, BRANCH and SCORES are numbers of steps.
round() {
	local name=$1 from=$2 seed=$3 encoder=$4 trunk=$5 branch=$6 rate=$7 scores=$8 number running
	echo "$(date +%T) $name: trunk"
	train 1 --init "$from" --output "$folder/$name-trunk.safetensors" --encoder "$encoder" \
		--learning-rate 3e-4 --steps $((3 * trunk)) --until "$trunk" --seed "$seed"
	echo "$(date +%T) $name: branches"
	for number in 1 2 3; do
		train 3 --init "$folder/$name-trunk.safetensors" --encoder "$encoder" \
			--output "$folder/$name-branch$number.safetensors" \
			--learning-rate "$rate" --steps "$branch" --seed $((seed + number)) &
		running[number]=$!
	done
	for number in 1 2 3; do wait "${running[number]}"; done
	echo "$(date +%T) $name: scores"
	train 1 --recipe scores --init "$folder/$name"-branch[123].safetensors \
		--output "$folder/$name.safetensors" --learning-rate 1e-4 --steps "$scores" --seed "$seed"
}

round first "$start" 0 0.1 "${TRUNK:-750}" "${BRANCH:-750}" 2e-4 "${SCORES:-150}"
left_out=blood
echo "$(date +%T) further"
train 1 --init "$folder/first.safetensors" --output "$folder/further.safetensors" \
	--encoder 0.2 --learning-rate 2.5e-4 --steps "${FURTHER:-520}" --seed 10
echo "$(date +%T) scores of the mean of both"
train 3 --recipe scores --init "$folder/first.safetensors" "$folder/further.safetensors" \
	--output "$folder/second.safetensors" --learning-rate 1e-4 --steps "${SETTLE:-250}" \
	--batch 16 --prompts-per-picture 1 --new-pictures 1 --seed 14
round third "$folder/second.safetensors" 20 0.2 "${TRUNK:-1100}" "${BRANCH:-1176}" 2.5e-4 "${SCORES:-220}"
cp "$folder/third.safetensors" "$folder/piclick-tiny.safetensors"
echo "$(date +%T) done"
