"""Comparison of two runs on the same objects: paired differences with a bootstrap over images."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_piclick.eval.bootstrap import confidence_intervals, share_above_zero
from napari_piclick.eval.metrics import iou_at, number_of_clicks
from napari_piclick.eval.protocol import THRESHOLDS

if TYPE_CHECKING:
    from pathlib import Path

# What files of the first version, which do not say, were made with.
_MAX_CLICKS = 20


class ComparisonError(ValueError):
    """Two runs cannot be compared; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class SavedRun:
    """A run as its JSON file has it.

    Parameters
    ----------
    path : Path
    dataset, model, pick : str
    max_clicks : int
    target_iou : float
        IoU at which objects were finished.
    ious : dict
        The IoU (of volumes the Dice) after each click, by image and object.
    volume : bool
        Whether volumes were measured.
    """

    path: Path
    dataset: str
    model: str
    pick: str
    max_clicks: int
    target_iou: float
    ious: dict[tuple[str, str], tuple[float, ...]]
    volume: bool = False

    def finished_at(self, target: float) -> SavedRun:
        """The run as it had been if objects were finished at this IoU.

        Parameters
        ----------
        target : float
            Not above the run's own.
        """
        ious = {
            key: each[: number_of_clicks(each, target, self.max_clicks)]
            for key, each in self.ious.items()
        }
        return replace(self, target_iou=target, ious=ious)

    def mean_ious(self) -> list[float]:
        """mIoU@k for k = 1 up to the last click."""
        return [
            float(np.mean([iou_at(ious, k) for ious in self.ious.values()]))
            for k in range(1, self.max_clicks + 1)
        ]


@dataclass(frozen=True, slots=True)
class Difference:
    """How far the second run is from the first in one measure.

    Parameters
    ----------
    name : str
        Of the measure.
    first, second : float
        Means over objects.
    low, high : float
        95 % confidence interval of ``second - first``.
    above : float
        Share of the resampled differences above zero.
    """

    name: str
    first: float
    second: float
    low: float
    high: float
    above: float

    @property
    def value(self) -> float:
        """``second - first``."""
        return self.second - self.first

    def as_dict(self) -> dict[str, Any]:
        """The difference as plain values."""
        return {
            "first": self.first, "second": self.second, "difference": self.value,
            "interval": [self.low, self.high], "share_above_zero": self.above,
        }  # fmt: skip


def read_run(path: Path) -> SavedRun:
    """Read a JSON file that an evaluation wrote.

    Raises
    ------
    ComparisonError
        If it cannot be read or is none.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        protocol = values.get("protocol", {})
        target = protocol.get("target_iou", max(THRESHOLDS))
        ious = {(s["image"], s["object"]): tuple(s["ious"]) for s in values["samples"]}
        run = SavedRun(
            path, values["dataset"], values["model"], values["pick"],
            protocol.get("max_clicks", _MAX_CLICKS), target, ious,
            protocol.get("volume", False),
        )  # fmt: skip
    except OSError as error:
        raise ComparisonError(f"{path} cannot be read: {error}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ComparisonError(f"{path} is not a file of results of an evaluation.") from error
    if not ious:
        raise ComparisonError(f"{path} holds no object.")
    return run


def finished_alike(first: SavedRun, second: SavedRun) -> tuple[SavedRun, SavedRun]:
    """Two runs with objects finished at the lower of their two IoUs.

    Otherwise the one that goes on clicking has the better mean after later clicks, of the same
    model too.
    """
    target = min(first.target_iou, second.target_iou)
    return first.finished_at(target), second.finished_at(target)


def compare(first: SavedRun, second: SavedRun) -> list[Difference]:
    """Paired differences between two runs on the same objects, finished at the same IoU.

    Returns
    -------
    list of Difference
        In mIoU@1, @3, @5 and NoC80, 85 and 90, as far as both runs measured them.

    Raises
    ------
    ComparisonError
        If the runs are not on the same objects, or with another number of clicks.
    """
    kinds = [(run.dataset, run.max_clicks, run.volume) for run in (first, second)]
    if kinds[0] != kinds[1]:
        raise ComparisonError(
            f"{first.path} is on {first.dataset} with up to {first.max_clicks} clicks and "
            f"{second.path} on {second.dataset} with up to {second.max_clicks}; only runs of the "
            "same kind can be compared."
        )
    unpaired = sorted(first.ious.keys() ^ second.ious.keys())
    if unpaired:
        image, name = unpaired[0]
        raise ComparisonError(
            f"Only one of {first.path} and {second.path} has the object {name} on the image "
            f"{image}; compare runs on the same objects."
        )
    first, second = finished_alike(first, second)
    keys = list(first.ious)
    names = [image for image, _ in keys]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    images = [numbers[name] for name in names]
    ours, theirs = (_measures(run, keys) for run in (first, second))
    differences = np.stack([theirs[name] - ours[name] for name in ours], 1)
    low, high = confidence_intervals(differences, images)
    above = share_above_zero(differences, images)
    return [
        Difference(
            name, float(ours[name].mean()), float(theirs[name].mean()),
            float(low[k]), float(high[k]), float(above[k]),
        )
        for k, name in enumerate(ours)
    ]  # fmt: skip


def _measures(run: SavedRun, keys: list[tuple[str, str]]) -> dict[str, np.ndarray]:
    ious = [run.ious[key] for key in keys]
    measures = {
        f"{'Dice' if run.volume else 'mIoU'}@{k}": np.array([iou_at(each, k) for each in ious])
        for k in (1, 3, 5)
        if k <= run.max_clicks
    }
    for threshold in THRESHOLDS:
        if threshold <= run.target_iou:
            measures[f"NoC{round(100 * threshold)}"] = np.array(
                [number_of_clicks(each, threshold, run.max_clicks) for each in ious], float
            )
    return measures


def format_comparison(first: SavedRun, second: SavedRun, differences: list[Difference]) -> str:
    """The differences as a table for the terminal, and what they mean in words."""
    count, images = len(first.ious), len({image for image, _ in first.ious})
    title = f"B against A on {first.dataset} ({count} objects on {images} images)"
    lines = [title, "-" * len(title)]
    for letter, run in (("A", first), ("B", second)):
        lines.append(f"{letter}  {run.model}, picked by {run.pick}: {run.path}")
    lines += ["", f"{'':<9}{'A':>9}{'B':>9}{'B - A':>10}   {'95 % interval':<20}B above A"]
    for each in differences:
        interval = f"{each.low:+.3f} to {each.high:+.3f}"
        lines.append(
            f"{each.name:<9}{each.first:>9.3f}{each.second:>9.3f}{each.value:>+10.3f}   "
            f"{interval:<20}{each.above:.1%}"
        )
    words = (
        "Every object is compared with itself. The interval, and how often B is above A, are of "
        "means over images drawn anew (bootstrap): an interval without zero tells the runs apart. "
        "More is better for mIoU and Dice, fewer for NoC."
    )
    if first.target_iou != second.target_iou:
        target = min(first.target_iou, second.target_iou)
        words += f" In both, objects count as finished at {target:g}, though one run went on."
    if first.pick != second.pick:
        words += " The two runs picked proposals in different ways, so more than the model differs."
    return "\n".join([*lines, "", fill(words, 78)])
