"""From one click to a labelled organ: propagation, corrections and quality, against baselines.

Measured on volumes that are known through and through: a brain tumour (BraTS 2021, whole tumour
on FLAIR), hippocampi (Medical Segmentation Decathlon, both parts together) and neurons (FIB-SEM).
A simulated annotator clicks once on the middle slice of the object and propagates; then it clicks
on the slice that the quality strip proposes, in the middle of the largest error there, propagates
again, and so on, until the 3D Dice is 0.85.

Beside it, in the same run: the same with each proposal picked by the model alone (no continuity),
and clicking every k-th slice with interpolation in between, for the largest k that gets there.

A look at a slice on which there is nothing to correct costs no click; looks are counted too.
Where the mask runs on beyond the end of the object, the annotator goes to that end and wipes the
mask away there, which counts as a click.

    python benchmarks/propagation.py --data shared/data --table --output propagation.json

BraTS was never looked at for any choice. The hippocampi and neurons are of the training data, but
not those that ``choose_propagation.py`` chooses from.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage
from scipy.stats import spearmanr
from volume_annotator import Annotator
from volume_cases import brats, hippocampus, neurons

from napari_piclick import load_predictor
from napari_piclick.eval.metrics import intersection_over_union
from napari_piclick.session.interpolate import interpolate_gaps
from napari_piclick.session.propagate import (
    BY_NEIGHBOURS,
    propagate,
    propagate_again,
)
from napari_piclick.session.quality import most_doubtful, rate_slices
from napari_piclick.session.slice_mask import ObjectSlices, SliceMask
from napari_piclick.session.stopping import Stopped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from volume_cases import Case

    from napari_piclick import Predictor
    from napari_piclick.session.continuity import Continuity

#: The 3D Dice to reach.
TARGET = 0.85
#: Clicks on one slice before going on to another, and in all before giving up.
SLICE_CLICKS, MAX_CLICKS = 3, 20
#: Objects of each set in the short table.
TABLE = 3


@dataclass
class Outcome:
    """What one way of working cost on one object."""

    dice_after_one_click: float = 0.0
    clicks: int = 0
    looks: int = 0
    dice: float = 0.0
    spearman: float = float("nan")
    slices_per_second: float = float("nan")
    course: list[float] = field(default_factory=list)


def dice(case: Case, slices: Iterable[SliceMask]) -> float:
    """3D Dice of the labelled slices with the truth."""
    both = total = 0
    for labelled in slices:
        both += int((labelled.plane_mask() & case.plane(labelled.index)).sum())
        total += labelled.area
    return 2 * both / (total + int(case.truth.sum()))


def by_propagation(predictor: Predictor, case: Case, continuity: Continuity | None) -> Outcome:
    """One click, propagation, then corrections where the quality strip proposes them."""
    outcome = Outcome()
    predictor.cache.clear()  # every way of working encodes its planes itself
    annotator = Annotator(predictor, case)
    slices = ObjectSlices(len(annotator.stack))
    start = case.middle
    slices.put(annotator.label(start, None, 1))
    stopped: dict[int, Stopped] = {}

    def run(events: Iterable[SliceMask | Stopped]) -> int:
        count = 0
        for event in events:
            if isinstance(event, Stopped):
                stopped[event.step] = event
            else:
                count += 1
        return count

    began = perf_counter()
    found = run(propagate(predictor, annotator.stack, slices, start, continuity=continuity))
    outcome.slices_per_second = found / (perf_counter() - began)
    outcome.dice = outcome.dice_after_one_click = dice(case, slices)
    outcome.spearman = strip_correlation(case, slices, stopped.values())
    outcome.course.append(outcome.dice)
    if outcome.dice < TARGET:  # the slice it began on is before its eyes: that comes first
        slices.put(annotator.label(start, slices.get(start), SLICE_CLICKS - 1))
        run(propagate_again(predictor, annotator.stack, slices, start, continuity=continuity))
        outcome.dice = dice(case, slices)
        outcome.course.append(outcome.dice)
    while (
        outcome.dice < TARGET and annotator.clicks < MAX_CLICKS and outcome.looks < 4 * MAX_CLICKS
    ):
        doubtful = most_doubtful(rate_slices(slices, stopped.values()))
        if doubtful is None:
            break
        index = annotator.goes_to(doubtful.index)
        outcome.looks += 1
        if slices.by_hand(index):  # the end of the object is known already
            stopped.clear()
            continue
        clicks = annotator.clicks
        corrected = annotator.label(index, slices.get(index), SLICE_CLICKS)
        wiped = corrected.region is None and slices.get(index) is not None
        slices.put(corrected)
        if wiped:
            annotator.clicks += 1
        if annotator.clicks > clicks:
            run(propagate_again(predictor, annotator.stack, slices, index, continuity=continuity))
        outcome.dice = dice(case, slices)
        outcome.course.append(outcome.dice)
    outcome.clicks = annotator.clicks
    return outcome


def by_interpolation(predictor: Predictor, case: Case) -> Outcome:
    """Every k-th slice clicked and those between interpolated, for the largest k that will do."""
    outcome = Outcome()
    on = case.extent()
    for count in range(1, min(len(on), MAX_CLICKS) + 1):
        annotator = Annotator(predictor, case)
        slices = ObjectSlices(len(annotator.stack))
        # evenly spaced, at the middles of as many parts of equal length
        places = on[((np.arange(count) + 0.5) * len(on) / count).astype(int)]
        for index in places:
            slices.put(annotator.label(int(index), None, SLICE_CLICKS))
        for between in list(interpolate_gaps(slices, annotator.stack.plane.spacing)):
            slices.put(between)
        # the ends are as the nearest slice that was clicked
        outcome.dice, outcome.clicks, outcome.looks = dice(case, slices), annotator.clicks, count
        outcome.course.append(outcome.dice)
        if count == 1:
            outcome.dice_after_one_click = outcome.dice
        if outcome.dice >= TARGET or annotator.clicks >= MAX_CLICKS:
            break
    return outcome


def strip_correlation(case: Case, slices: ObjectSlices, stopped: Iterable[Stopped]) -> float:
    """Spearman correlation of the quality of propagated slices with their true IoU."""
    quality, truth = [], []
    for rating in rate_slices(slices, stopped):
        labelled = slices.get(rating.index)
        if labelled is not None and rating.by is not None and rating.by.value != "hand":
            quality.append(rating.quality)
            truth.append(intersection_over_union(case.plane(rating.index), labelled.plane_mask()))
    return float(spearmanr(quality, truth).statistic) if len(quality) > 3 else float("nan")


def encode_ahead(predictor: Predictor, case: Case, drawing: float) -> dict[bool, float]:
    """Slices per second with and without encode-ahead, if drawing one takes so many seconds."""
    speeds = {}
    annotator = Annotator(predictor, case)
    start = case.middle
    labelled = annotator.label(start, None, 1)
    for ahead in (False, True):
        predictor.cache.clear()
        slices = ObjectSlices(len(annotator.stack))
        slices.put(labelled)
        began, count = perf_counter(), 0
        for _ in propagate(predictor, annotator.stack, slices, start, ahead=ahead):
            end = perf_counter() + drawing
            while perf_counter() < end:
                ndimage.gaussian_filter(case.plane(start).astype(float), 2)
            count += 1
        speeds[ahead] = count / (perf_counter() - began)
    return speeds


WAYS = ("propagation, proposals by continuity", "propagation, the model's own pick",
        "every k-th slice, interpolated")  # fmt: skip


def measure(predictor: Predictor, case: Case) -> dict[str, Outcome]:
    """All ways of working on one object."""
    return {
        WAYS[0]: by_propagation(predictor, case, BY_NEIGHBOURS),
        WAYS[1]: by_propagation(predictor, case, None),
        WAYS[2]: by_interpolation(predictor, case),
    }


def show(name: str, outcomes: list[dict[str, Outcome]]) -> None:
    """Print the table of one set of objects: means over the objects."""
    print(f"\n{name} ({len(outcomes)} {'object' if len(outcomes) == 1 else 'objects'})")
    heads = ("Dice, 1 click", f"clicks to {TARGET}", "reached", "looks", "Spearman", "slices/s")
    print(f"  {'':<40}" + "".join(f"{head:>15}" for head in heads))
    for way in WAYS:
        rows = [outcome[way] for outcome in outcomes]
        figures = (
            np.mean([row.dice_after_one_click for row in rows]),
            np.mean([row.clicks if row.dice >= TARGET else MAX_CLICKS for row in rows]),
            sum(row.dice >= TARGET for row in rows),
            np.mean([row.looks for row in rows]),
            _mean([row.spearman for row in rows]),
            _mean([row.slices_per_second for row in rows]),
        )
        cells = [f"{figure:>15.2f}" for figure in figures]
        cells[2] = f"{figures[2]:>15d}"
        print(f"  {way:<40}" + "".join(cells))


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data")
    parser.add_argument("--only", choices=("brats", "hippocampus", "neurons"), help="one set only")
    parser.add_argument("--limit", type=int, default=8, help="objects of each set (default: 8)")
    parser.add_argument(
        "--table", action="store_true", help=f"{TABLE} objects of each set: a few minutes"
    )
    parser.add_argument("--model", default="piclick-tiny")
    parser.add_argument("--output", type=Path, help="write every object's outcome as JSON")
    options = parser.parse_args()

    sets = {
        "brats": brats(options.data / "benchmark" / "brats21"),
        "hippocampus": hippocampus(options.data / "train" / "hippocampus", 0),
        "neurons": neurons(options.data / "train" / "neurons", 0),
    }
    limit = TABLE if options.table else options.limit
    began = perf_counter()
    predictor = load_predictor(options.model)
    everything: dict[str, Any] = {}
    for name, cases in sets.items():
        if options.only not in (None, name):
            continue
        outcomes = []
        for number, case in enumerate(cases):
            if number == limit:
                break
            outcomes.append(measure(predictor, case))
            brief = (
                f"{o.dice_after_one_click:.2f}, {o.clicks} clicks" for o in outcomes[-1].values()
            )
            print(f"{case.name}: {' | '.join(brief)}", flush=True)
            everything[case.name] = {way: asdict(o) for way, o in outcomes[-1].items()}
            if name == "brats":
                speeds = encode_ahead(predictor, case, 0.05)
                print(f"\nSlices per second while each is drawn for 50 ms: {speeds[False]:.2f}, "
                      f"and with the next one encoded ahead {speeds[True]:.2f}")  # fmt: skip
        if outcomes:
            show(name, outcomes)
    print(f"\nThis took {perf_counter() - began:.0f} s.")
    if options.output is not None:
        options.output.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
