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

    python benchmarks/propagation.py --data shared/data --output propagation.json
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

from napari_piclick import load_predictor
from napari_piclick.eval.clicker import next_click
from napari_piclick.eval.metrics import intersection_over_union
from napari_piclick.io.volumes import read_volumes
from napari_piclick.plane import Plane
from napari_piclick.session.interpolate import interpolate_gaps
from napari_piclick.session.plane_stack import PlaneStack
from napari_piclick.session.propagate import (
    BY_NEIGHBOURS,
    Stopped,
    propagate,
    propagate_again,
)
from napari_piclick.session.quality import most_doubtful, rate_slices
from napari_piclick.session.slice_mask import ObjectSlices, SliceMask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from napari_piclick import Predictor
    from napari_piclick.session.continuity import Continuity

#: The 3D Dice to reach.
TARGET = 0.85
#: A slice that is at least this good is left as it is.
GOOD_SLICE = 0.85
#: Clicks on one slice before going on to another, and in all before giving up.
SLICE_CLICKS, MAX_CLICKS = 3, 20


@dataclass(frozen=True, eq=False)
class Case:
    """An object in a volume: (..., H, W) planes along ``axis``, and where the object truly is."""

    name: str
    volume: np.ndarray
    truth: np.ndarray
    axis: int
    spacing: tuple[float, ...]
    window: tuple[float, float]

    def stack(self) -> PlaneStack:
        """The planes of the volume."""
        rows, cols = (axis for axis in range(3) if axis != self.axis)
        scale = np.diag([*self.spacing, 1.0])
        affine = tuple(tuple(float(value) for value in row) for row in scale)
        plane = Plane(self.volume.shape, (rows, cols), (0,), affine=affine)
        return PlaneStack(self.volume, plane, self.axis, self.name, self.window)

    def plane(self, index: int) -> np.ndarray:
        """(H, W) bool: the object on a slice."""
        return np.take(self.truth, index, self.axis)


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


def brats(folder: Path) -> Iterator[Case]:
    """The whole tumour on FLAIR, axial slices."""
    for segmentation in sorted(folder.glob("**/*_seg.nii.gz")):
        image = segmentation.with_name(segmentation.name.replace("_seg", "_flair"))
        (flair,), (labels,) = read_volumes(image), read_volumes(segmentation)
        tissue = flair.data[flair.data > 0]
        low, high = np.percentile(tissue, (0.5, 99.5))
        truth = np.isin(labels.data, (1, 2, 4))
        name = image.name.split(".")[0]
        yield Case(name, flair.data, truth, 2, flair.geometry.spacing, (float(low), float(high)))


def hippocampus(folder: Path) -> Iterator[Case]:
    """Both parts of the hippocampus together, coronal slices (along its long axis)."""
    for path in sorted((folder / "images").iterdir()):
        label = next((folder / "labels").glob(f"{path.name.split('.')[0]}*"), None)
        if label is None:
            continue
        (image,), (labels,) = read_volumes(path), read_volumes(label)
        low, high = np.percentile(image.data, (0.5, 99.5))
        window = float(low), float(high)
        yield Case(path.name, image.data, labels.data > 0, 1, image.geometry.spacing, window)


def neurons(folder: Path) -> Iterator[Case]:
    """The neurons that most slices show, largest first."""
    (image,), (labels,) = read_volumes(folder / "image.tif"), read_volumes(folder / "labels.tif")
    data = np.asarray(labels.data)
    values, counts = np.unique(data[data > 0], return_counts=True)
    for value in values[np.argsort(-counts)]:
        truth = data == value
        on = np.flatnonzero(truth.any(axis=(1, 2)))
        if len(on) < 40:
            continue
        window = (float(image.data.min()), float(image.data.max()))
        yield Case(f"neuron {value}", np.asarray(image.data), truth, 0, (1.0, 1.0, 1.0), window)


class Annotator:
    """Clicks on slices as somebody would who knows the object."""

    def __init__(self, predictor: Predictor, case: Case) -> None:
        self.predictor = predictor
        self.case = case
        self.stack = case.stack()
        self.clicks = 0

    def start(self) -> int:
        """The slice in the middle of the object."""
        on = self.extent()
        return int(on[len(on) // 2])

    def extent(self) -> np.ndarray:
        """The slices on which the object is."""
        others = tuple(a for a in range(3) if a != self.case.axis)
        return np.flatnonzero(self.case.truth.any(axis=others))

    def goes_to(self, index: int) -> int:
        """The slice to correct: beyond the object, the first one on which it is not."""
        on = self.extent()
        return int(min(max(index, on[0] - 1), on[-1] + 1))

    def label(self, index: int, before: SliceMask | None, most: int) -> SliceMask:
        """Click on a slice until it is good, at most so many times, from what is there."""
        truth = self.case.plane(index)
        mask = np.zeros_like(truth) if before is None else before.plane_mask()
        previous: Any = mask.astype(np.float32) if mask.any() else None
        source = self.stack.source(index)
        self.predictor.set_image(source.pixels, contrast_limits=source.window, key=source.key)
        clicks: list[Any] = []
        while len(clicks) < most and intersection_over_union(truth, mask) < GOOD_SLICE:
            if not truth.any():
                return SliceMask.of(index, truth)  # wiped away: one key, counted as a click
            clicks.append(next_click(truth, mask, clicks))
            self.clicks += 1
            previous = self.predictor.predict(clicks, previous)
            mask = previous.plane_mask()
        return SliceMask.of(index, mask)


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
    start = annotator.start()
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
    on = Annotator(predictor, case).extent()
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
    start = annotator.start()
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
    parser.add_argument("--model", default="piclick-tiny")
    parser.add_argument("--output", type=Path, help="write every object's outcome as JSON")
    options = parser.parse_args()

    sets = {
        "brats": brats(options.data / "benchmark" / "brats21"),
        "hippocampus": hippocampus(options.data / "train" / "hippocampus"),
        "neurons": neurons(options.data / "train" / "neurons"),
    }
    predictor = load_predictor(options.model)
    everything: dict[str, Any] = {}
    for name, cases in sets.items():
        if options.only not in (None, name):
            continue
        outcomes = []
        for number, case in enumerate(cases):
            if number == options.limit:
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
    if options.output is not None:
        options.output.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
