r"""Command line: fine-tune a published PiClick by its authors' recipe.

::

    python -m napari_piclick.train.published --data FOLDER --init piclick-base448 \\
        --output mine.safetensors
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from tqdm import tqdm

from napari_piclick.models.checkpoint import weights_digest
from napari_piclick.models.published_checkpoint import load_piclick, save_piclick
from napari_piclick.train.distributed import device_of_process
from napari_piclick.train.mixture import Mixture
from napari_piclick.train.published.loop import PublishedSchedule, PublishedTrainer
from napari_piclick.train.run_state import check_not_replaced
from napari_piclick.weights.store import find

if TYPE_CHECKING:
    from collections.abc import Sequence


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m napari_piclick.train.published",
        description="Fine-tune a published PiClick on your own labels, as its authors train it.",
        epilog="Run the same command again to go on where a run was stopped or killed.",
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder of training sets (see docs/training.md)")
    add("--init", required=True, help="a published model's name or file to begin with")
    add("--output", type=Path, required=True, help="file of weights to write (.safetensors)")
    add("--steps", type=int, default=PublishedSchedule.steps)
    add("--batch", type=int, default=PublishedSchedule.batch, help="prompts in a step")
    add("--learning-rate", type=float, default=PublishedSchedule.learning_rate)
    add("--device", default="auto")
    add("--seed", type=int, default=0)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Fine-tune; returns the exit code."""
    options = _arguments().parse_args(argv)
    torch.manual_seed(options.seed)
    try:
        stored = find(options.init)
        if stored is None:
            raise FileNotFoundError(f"There is no model {options.init}.")
        check_not_replaced(options.output, [stored.path])
        model = load_piclick(stored.path).to(device_of_process(options.device))
        mixture = Mixture.default(
            options.data, model.config.image, synthetic=False, superpixels=False
        )
        schedule = PublishedSchedule(options.steps, options.batch, options.learning_rate)
        run = options.output.with_suffix(".run")
        made_from = stored.source_sha256 or weights_digest(stored.path)
        origin = {"init": made_from, "data": str(options.data.resolve())}
        trainer = PublishedTrainer(model, mixture.draw, schedule, run, options.seed, origin=origin)
    except (FileNotFoundError, ValueError, ConnectionError) as error:
        print(error, file=sys.stderr)
        return 2
    with tqdm(total=schedule.steps, initial=trainer.next_step, unit="step") as bar:

        def report(_: int, losses: dict[str, float]) -> None:
            bar.update()
            bar.set_postfix({name: f"{value:.3f}" for name, value in losses.items()})

        trainer.run(report)
    notes = {"source": stored.source, "licence": stored.licence, "fine_tuned_from": stored.name}
    save_piclick(model, options.output, notes)
    print(f"finished: {schedule.steps} steps, weights in {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
