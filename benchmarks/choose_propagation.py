"""Choose on training data how propagation picks proposals, when it stops, and what quality is.

Objects of half of the hippocampi and neurons, of the brain atlas and of the bodies are followed
from their middle slice without ever stopping; each slice that was found is kept with what the
model said of it. Where a stop rule would have ended the way can then be told afterwards, exactly,
for every setting. Each set of objects counts the same, whatever its number of objects; a setting
of the stop rules is judged together with its neighbours on the grid, so that a lucky one does not
win. The benchmark (BraTS) and the other half of the sets are not looked at.

    python benchmarks/choose_propagation.py --data shared/data --output choice.json

`Continuity` and `quality` have the choice as defaults, `Rules` the best of the grid that do stop
(``docs/volumes.md``); run it again for new weights.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, field, replace
from itertools import islice, product
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import spearmanr
from volume_annotator import Annotator
from volume_cases import body, brain, hippocampus, neurons

from napari_piclick import load_predictor
from napari_piclick.eval.metrics import intersection_over_union
from napari_piclick.session.continuity import Continuity
from napari_piclick.session.propagate import ask_slice
from napari_piclick.session.quality import rate_slices
from napari_piclick.session.slice_mask import ObjectSlices
from napari_piclick.session.stopping import Rules, doubt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from volume_cases import Case

    from napari_piclick.predict import Predictor
    from napari_piclick.session.continuity import Continued
    from napari_piclick.session.slice_mask import SliceMask

#: Slices followed in each direction at most, and beyond the end of the object.
REACH, BEYOND = 20, 8
#: Objects that the model does not find on their middle slice say nothing of propagation.
FOUND = 0.7
#: Objects of each set.
COUNT = 4

SCORES = (0.5, 1.0, 2.0)
ENOUGH = (0.5, 0.75, 1.0)
AREAS = (0.0, 0.5)
POSITIONS = (0.0, 0.5)
GRID = {
    "min_iou": (0.0, 0.3, 0.4, 0.5, 0.6, 0.7),
    "min_share": (0.0, 0.5, 0.6, 0.7, 0.8, 0.9),
    "max_area_jump": (1.5, 2.0, 2.5, 3.0, 4.0, 8.0),
    "min_overlap": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
}
#: Rules that never stop but at the end of the volume and of the object.
NEVER = Rules(min_iou=-1.0, min_share=-1.0, max_area_jump=np.inf, min_overlap=-1.0)
#: Weights of the predicted score against the agreement with the neighbours.
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
#: Powers of the area in the need for a look.
POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, eq=False)
class Way:
    """What was found on the way in one direction, and how much of it is right."""

    found: list[Continued]
    both: np.ndarray
    areas: np.ndarray
    truth: int

    def stop(self, rules: Rules) -> int:
        """How many slices are taken under these rules."""
        usual: list[float] = []
        for number, found in enumerate(self.found):
            if doubt(found, usual, rules) is not None:
                return number
            usual.append(found.labelled.predicted)
        return len(self.found)


@dataclass(frozen=True, eq=False)
class Followed:
    """An object that was followed both ways from its middle slice."""

    case: Case
    start: SliceMask
    ways: list[Way]
    stops: dict[Any, list[int]] = field(default_factory=dict)

    def lengths(self, rules: Rules) -> list[int]:
        """How many slices are taken each way: the rule that stops first counts."""
        lengths = []
        for number, way in enumerate(self.ways):
            ends = []
            for name in GRID:
                key = number, name, getattr(rules, name)
                if key not in self.stops:
                    alone = replace(NEVER, **{name: getattr(rules, name)})
                    self.stops[key] = [way.stop(alone)]
                ends += self.stops[key]
            lengths.append(min(ends))
        return lengths

    def dice(self, rules: Rules) -> float:
        """Dice over the slices that could be reached."""
        truth = self.case.plane(self.start.index)
        both = int((self.start.plane_mask() & truth).sum())
        total = self.start.area + int(truth.sum())
        for way, length in zip(self.ways, self.lengths(rules), strict=True):
            both += int(way.both[:length].sum())
            total += int(way.areas[:length].sum()) + way.truth
        return 2 * both / total

    def slices(self, rules: Rules) -> ObjectSlices:
        """The slices that are taken."""
        slices = ObjectSlices(self.case.volume.shape[self.case.axis])
        slices.put(self.start)
        for way, length in zip(self.ways, self.lengths(rules), strict=True):
            for found in way.found[:length]:
                slices.put(found.labelled)
        return slices


def find_starts(predictor: Predictor, data: Path) -> Iterator[tuple[str, Case, SliceMask]]:
    """The objects that are found on their middle slice with three clicks at most."""
    sets = {
        "hippocampus": hippocampus(data / "hippocampus", 1),
        "neurons": neurons(data / "neurons", 1),
        "brain": brain(data / "brain_atlas"),
        "body": body(data / "body"),
    }
    for name, cases in sets.items():
        number = 0
        for case in islice(cases, 8 * COUNT):
            if number == COUNT:
                break
            annotator = Annotator(predictor, case)
            start = annotator.label(case.middle, None, 3)
            if intersection_over_union(case.plane(case.middle), start.plane_mask()) >= FOUND:
                number += 1
                yield name, case, start


def follow(
    predictor: Predictor, case: Case, start: SliceMask, continuity: Continuity | None
) -> Followed:
    """Follow an object both ways without stopping."""
    on = case.extent()
    ways = []
    for step in (1, -1):
        end = on[-1] + BEYOND if step > 0 else on[0] - BEYOND
        found: list[Continued] = []
        last = start
        for index in range(start.index + step, start.index + step * (REACH + 1), step):
            if not 0 <= index < case.volume.shape[case.axis] or (index - end) * step > 0:
                break
            one = ask_slice(predictor, case.stack(), index, last, continuity)
            if one.labelled.area < NEVER.min_area:
                break
            found.append(one)
            last = one.labelled
        planes = [case.plane(one.labelled.index) for one in found]
        both = [
            int((one.labelled.plane_mask() & plane).sum())
            for one, plane in zip(found, planes, strict=True)
        ]
        reach = range(start.index + step, start.index + step * (REACH + 1), step)
        truth = sum(int(case.plane(k).sum()) for k in reach if on[0] <= k <= on[-1])
        ways.append(
            Way(found, np.array(both), np.array([one.labelled.area for one in found]), truth)
        )
    return Followed(case, start, ways)


def mean_of_sets(figures: dict[str, list[float]]) -> float:
    """The mean over the sets of their means."""
    return float(np.mean([np.nanmean(values) for values in figures.values()]))


def best_rules(followed: dict[str, list[Followed]]) -> tuple[Rules, float, float]:
    """The rules that do best together with their neighbours; their own Dice; the best Dice."""
    shape = tuple(map(len, GRID.values()))
    scores = np.zeros(shape)
    for place, values in zip(np.ndindex(shape), product(*GRID.values()), strict=True):
        rules = replace(NEVER, **dict(zip(GRID, values, strict=True)))
        scores[place] = mean_of_sets({k: [f.dice(rules) for f in v] for k, v in followed.items()})
    smooth = scores.copy()
    for axis in range(scores.ndim):
        padded = np.pad(smooth, [(int(a == axis),) * 2 for a in range(scores.ndim)], mode="edge")
        length = scores.shape[axis]
        smooth = sum(np.take(padded, np.arange(k, k + length), axis) for k in range(3)) / 3
    place = np.unravel_index(smooth.argmax(), shape)
    chosen = {name: GRID[name][k] for name, k in zip(GRID, place, strict=True)}
    return replace(Rules(), **chosen), float(scores[place]), float(scores.max())


def choose(predictor: Predictor, data: Path) -> dict[str, Any]:
    """Choose everything, one after the other."""
    starts = list(find_starts(predictor, data / "train"))
    names = list(dict.fromkeys(name for name, _, _ in starts))
    print("Objects:", {name: sum(n == name for n, _, _ in starts) for name in names}, flush=True)
    known: dict[Any, tuple[dict[str, list[Followed]], Rules, float]] = {}

    def judge(continuity: Continuity | None) -> float:
        if continuity not in known:
            followed: dict[str, list[Followed]] = {name: [] for name in names}
            for name, case, start in starts:
                followed[name].append(follow(predictor, case, start, continuity))
            rules, dice, top = best_rules(followed)
            known[continuity] = followed, rules, dice
            by_set = {k: round(mean_of_sets({k: [f.dice(rules) for f in v]}), 3)
                      for k, v in followed.items()}  # fmt: skip
            print(f"{continuity}: Dice {dice:.4f} (the best of the grid {top:.4f}) {by_set}\n"
                  f"   {rules}", flush=True)  # fmt: skip
        return known[continuity][2]

    judge(None)
    best = Continuity(area=0.0, position=0.0)
    grid = {"score": SCORES, "enough": ENOUGH, "area": AREAS, "position": POSITIONS}
    for name, values in grid.items():
        best = max((replace(best, **{name: value}) for value in values), key=judge)
    followed, rules, dice = known[best]
    weight, correlations = choose_weight(followed, rules)
    power, needs = choose_power(followed, rules, weight)
    return {
        "continuity": asdict(best),
        "rules": {name: getattr(rules, name) for name in GRID},
        "dice": dice,
        "dice by the model's own pick, with its own best rules": known[None][2],
        "all": {str(c): d for c, (_, _, d) in known.items()},
        "weight": weight,
        "Spearman of quality and IoU by weight": correlations,
        "power": power,
        "Spearman of need and wrong pixels by power": needs,
    }


def choose_weight(
    followed: dict[str, list[Followed]], rules: Rules
) -> tuple[float, dict[float, float]]:
    """The weight of the predicted score by which quality ranks slices best."""
    figures: dict[float, dict[str, list[float]]] = {w: {} for w in WEIGHTS}
    for name, several in followed.items():
        for one in several:
            ratings = [r for r in rate_slices(one.slices(rules)) if r.index != one.start.index]
            if len(ratings) < 6:
                continue
            slices = one.slices(rules)
            truth = [_true_iou(one.case, slices, r.index) for r in ratings]
            for weight in WEIGHTS:
                quality = [r.predicted**weight * r.agreement ** (1 - weight) for r in ratings]
                figures[weight].setdefault(name, []).append(_rank(quality, truth))
    means = {weight: mean_of_sets(values) for weight, values in figures.items()}
    return max(means, key=lambda weight: means[weight]), means


def choose_power(
    followed: dict[str, list[Followed]], rules: Rules, weight: float
) -> tuple[float, dict[float, float]]:
    """The power of the area by which the need for a look ranks slices best by wrong pixels."""
    figures: dict[float, dict[str, list[float]]] = {p: {} for p in POWERS}
    for name, several in followed.items():
        for one in several:
            slices = one.slices(rules)
            ratings = [r for r in rate_slices(slices) if r.index != one.start.index]
            if len(ratings) < 6:
                continue
            wrong = []
            for rating in ratings:
                labelled = slices.get(rating.index)
                assert labelled is not None
                wrong.append(int((labelled.plane_mask() ^ one.case.plane(rating.index)).sum()))
            for power in POWERS:
                need = [
                    (1 - r.predicted**weight * r.agreement ** (1 - weight)) * r.area**power
                    for r in ratings
                ]
                figures[power].setdefault(name, []).append(_rank(need, wrong))
    means = {power: mean_of_sets(values) for power, values in figures.items()}
    return max(means, key=lambda power: means[power]), means


def _true_iou(case: Case, slices: ObjectSlices, index: int) -> float:
    labelled = slices.get(index)
    assert labelled is not None
    return intersection_over_union(case.plane(index), labelled.plane_mask())


def _rank(one: list[float], other: list[Any]) -> float:
    if len(set(one)) < 2 or len(set(other)) < 2:
        return float("nan")
    return float(spearmanr(one, other).statistic)


def main() -> None:
    """Choose, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data")
    parser.add_argument("--model", default="piclick-tiny")
    parser.add_argument("--output", type=Path, help="write the choice as JSON")
    options = parser.parse_args()
    began = perf_counter()
    predictor: Any = load_predictor(options.model)
    predictor.cache.max_bytes = 5 * 2**30  # the same planes are asked about again and again
    choice = choose(predictor, options.data)
    choice["weights"] = predictor.weights_hash
    choice["seconds"] = round(perf_counter() - began)
    text = json.dumps(choice, indent=1)
    print(text)
    if options.output is not None:
        options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
