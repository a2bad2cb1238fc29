"""Command line: ``python -m napari_piclick.train --data FOLDER --output mine.safetensors``."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import torch
from tqdm import tqdm

from napari_piclick.models.checkpoint import from_starting_weights, load_tiny, read_weights
from napari_piclick.models.piclick_tiny import PiClickTiny, TinyConfig
from napari_piclick.models.registry import DEFAULT, find_weights
from napari_piclick.predict.device import choose_device
from napari_piclick.train.loop import Schedule, Trainer
from napari_piclick.train.mixture import Mixture
from napari_piclick.train.picture_makers import PictureMakers
from napari_piclick.train.picture_store import PictureStore
from napari_piclick.train.recipe import RECIPES


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m napari_piclick.train",
        description="Train PiClick-Tiny on labelled pictures, volumes and synthetic ones.",
        epilog="Run the same command again to go on where a run was stopped or killed.",
    )
    add = parser.add_argument
    add("--data", type=Path, help="folder of training sets; without it only synthetic pictures")
    add("--init", default=DEFAULT, help="model name or file of weights to begin with")
    add("--output", type=Path, required=True, help="file of weights to write (.safetensors)")
    add("--run", type=Path, help="folder of the run's state (default: beside the output)")
    add("--recipe", choices=sorted(RECIPES), default="tiny")
    add("--steps", type=int, default=Schedule.steps)
    add("--batch", type=int, default=Schedule.batch, help="prompts in a step")
    add("--size", type=int, default=512, help="side of the training pictures in pixels")
    add("--learning-rate", type=float, default=Schedule.learning_rate)
    add("--minutes", type=float, help="stop after this time; run again to go on")
    add("--workers", type=int, default=1, help="processes that make pictures")
    add("--threads", type=int, help="threads of the training process")
    add("--device", default="auto")
    add("--seed", type=int, default=0)
    add("--no-synthetic", action="store_true", help="leave out synthetic pictures")
    add("--no-superpixels", action="store_true", help="leave out superpixels as targets")
    add(
        "--queries", type=int, default=7, help="proposals per click, if --init has four mask tokens"
    )
    add("--clicks-as", choices=("both", "tokens", "disks"), default="both")
    return parser


def load_initial(name: str, config: TinyConfig) -> PiClickTiny:
    """The model to begin with: one of ours, or starting weights with four mask tokens.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such model, or the file does not hold one.
    """
    path = find_weights(name)
    _, metadata = read_weights(path)
    if "architecture" in metadata:
        return load_tiny(path)
    return from_starting_weights(path, config)


def open_store(options: argparse.Namespace) -> PictureStore:
    """The pictures of a run; also called in the processes that make them."""
    config = TinyConfig(
        options.queries, options.clicks_as != "disks", options.clicks_as != "tokens"
    )
    mixture = Mixture.default(
        options.data,
        options.size,
        synthetic=not options.no_synthetic,
        superpixels=not options.no_superpixels,
    )
    model = load_initial(options.init, config)
    return PictureStore(run_folder(options) / "pictures", mixture, model, options.seed)


def run_folder(options: argparse.Namespace) -> Path:
    """Where the state of a run is kept."""
    folder: Path | None = options.run
    return folder or options.output.with_suffix(".run")


def main(argv: list[str] | None = None) -> int:
    """Train; returns the exit code."""
    options = _arguments().parse_args(argv)
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    try:
        device = choose_device(options.device)
        store = open_store(options)
        schedule = Schedule(
            steps=options.steps, batch=options.batch, learning_rate=options.learning_rate
        )
        model = store.model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        recipe = RECIPES[options.recipe]
        trainer = Trainer(model, store, recipe, schedule, run_folder(options), options.seed)
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    with (
        PictureMakers(
            partial(open_store, options), store, schedule, trainer.next_step, options.workers
        ) as makers,
        tqdm(total=schedule.steps, initial=trainer.next_step, unit="step") as bar,
    ):

        def report(step: int, losses: dict[str, float]) -> None:
            makers.reached(step)
            bar.update()
            bar.set_postfix({k: f"{v:.3f}" for k, v in losses.items() if k != "rounds"})

        seconds = None if options.minutes is None else 60 * options.minutes
        finished = trainer.run(seconds, report)
    trainer.export(options.output, recipe=options.recipe, seed=str(options.seed))
    state = "finished" if finished else "stopped; run the same command again to go on"
    print(f"{state}: {trainer.next_step} of {schedule.steps} steps, weights in {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
