"""Ablation: short trainings that differ in one choice, scored on held-out pictures.

    python benchmarks/ablation.py --data DATA --init STARTING_WEIGHTS --output ablation.json

Every variant begins with the same starting weights, sees the same pictures in the same order and
trains for the same number of steps at a small input size, so the numbers compare choices; they say
nothing of how good a long training gets. A run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm import tqdm

from napari_piclick.io.whole_file import whole_file
from napari_piclick.models.piclick_tiny import TinyConfig
from napari_piclick.train.held_out import HeldOut
from napari_piclick.train.loop import Trainer
from napari_piclick.train.picture_plan import PicturePlan
from napari_piclick.train.recipe import RECIPES
from napari_piclick.train.schedule import Schedule
from napari_piclick.train.validation import validation_samples

if TYPE_CHECKING:
    from napari_piclick.train.assessment import Assessment

TINY = RECIPES["tiny"]
FULL = TinyConfig(evidence=True)
#: name -> network, recipe, and whether synthetic pictures take part.
VARIANTS: dict[str, tuple[TinyConfig, Any, bool]] = {
    "7 queries, disks and click tokens, mixed previous mask, synthetic": (FULL, TINY, True),
    "3 queries": (replace(FULL, num_queries=3), TINY, True),
    "1 query": (replace(FULL, num_queries=1), TINY, True),
    "click tokens only": (replace(FULL, disks=False), TINY, True),
    "disk maps only": (replace(FULL, click_tokens=False), TINY, True),
    "random previous mask": (FULL, replace(TINY, previous="random"), True),
    "best previous mask": (FULL, replace(TINY, previous="best"), True),
    "TRM without the evidence": (replace(FULL, evidence=False), TINY, True),
    "IoU by L1, no regret (Eq. 6)": (
        FULL,
        replace(TINY, iou=1.0, iou_error="l1", regret=0.0),
        True,
    ),
    "no synthetic pictures": (FULL, TINY, False),
}


def main() -> None:
    """Train and score every variant; print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--init", required=True, help="starting weights, with four mask tokens")
    parser.add_argument("--output", type=Path, required=True, help="JSON of the results")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--held-out", type=int, default=8, help="pictures of each source")
    options = parser.parse_args()
    done: dict[str, dict[str, float]] = {}
    if options.output.exists():
        done = json.loads(options.output.read_text())
    samples = validation_samples(options.data, options.size, per_source=options.held_out)
    for name in tqdm(VARIANTS, unit="variant"):
        if name not in done:
            done[name] = _score(_train(name, options), samples)
            with whole_file(options.output) as part:
                part.write_text(json.dumps(done, indent=1))
    _print(done, options)


def _train(name: str, options: argparse.Namespace) -> Trainer:
    config, recipe, synthetic = VARIANTS[name]
    work = options.output.with_suffix(".run")
    folder = work / ("pictures" if synthetic else "real pictures")
    plan = PicturePlan(folder, options.data, options.init, config, options.size, synthetic)
    store = plan.open()
    schedule = Schedule(
        steps=options.steps,
        learning_rate=2e-4,
        warmup=20,
        average=0.98,
        first_pictures=options.pictures,
        new_pictures=0,
    )
    torch.manual_seed(0)
    store.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = work / f"{list(VARIANTS).index(name)}"
    trainer = Trainer(store.model, store, recipe, schedule, run)
    trainer.run()
    return trainer


def _score(trainer: Trainer, samples: Any) -> dict[str, float]:
    model = trainer.averaged_model()
    found: list[Assessment] = list(HeldOut(model, samples).assess(model).values())
    return {
        "TRM mIoU@1": float(np.mean([one.picked[0] for one in found])),
        "TRM mIoU@3": float(np.mean([one.picked[2] for one in found])),
        "best mIoU@1": float(np.mean([one.best[0] for one in found])),
        "found": float(np.mean([one.found for one in found])),
        "distinct": float(np.mean([one.spread for one in found])),
        "objects": float(sum(one.objects for one in found)),
    }


def _print(done: dict[str, dict[str, float]], options: argparse.Namespace) -> None:
    columns = ["TRM mIoU@1", "TRM mIoU@3", "best mIoU@1", "found", "distinct"]
    print(f"{options.steps} steps of 8 prompts, {options.size}-pixel pictures; mean over sources")
    print("| variant | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, row in done.items():
        print(f"| {name} | " + " | ".join(f"{row[column]:.3f}" for column in columns) + " |")


if __name__ == "__main__":
    main()
