"""The figures of a run: what its summary needs of every object, in a few numbers each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.eval.metrics import iou_at, number_of_clicks, reached
from napari_piclick.eval.nesting import ANSWERED
from napari_piclick.eval.protocol import THRESHOLDS

if TYPE_CHECKING:
    from napari_piclick.eval.object_result import ObjectResult
    from napari_piclick.eval.protocol import ClickProtocol

#: Shares of the pairs of nested objects.
PAIR_SHARES = ("inner@1", "outer@1", "both@1")


class Figures:
    """Takes one object's result after the other, and keeps none of them.

    Parameters
    ----------
    protocol : ClickProtocol

    Attributes
    ----------
    images : list of int
        The number of each object's image.
    pairs : list of three bool
        For each pair of nested objects, as `PAIR_SHARES` names them.
    pair_images : list of int
        The number of each pair's image.
    failures : dict
        By the threshold in percent, how many objects never reached it; only of those measured.
    seconds : float
        Time in the predictor.
    clicks : int
    """

    def __init__(self, protocol: ClickProtocol) -> None:
        self._protocol = protocol
        self._thresholds = {round(100 * t): t for t in THRESHOLDS if protocol.target_iou >= t}
        self._names: list[str] = []
        self._rows: list[np.ndarray] = []
        self.images: list[int] = []
        self.pairs: list[tuple[bool, bool, bool]] = []
        self.pair_images: list[int] = []
        self.failures = dict.fromkeys(self._thresholds, 0)
        self.seconds = 0.0
        self.clicks = 0

    def add(self, result: ObjectResult) -> None:
        """Take an object's result."""
        measures = self._measures(result)
        self._names = list(measures)
        self._rows.append(np.array(list(measures.values()), float))
        self.images.append(result.position[0])
        for _, outer_iou in result.around:
            inner, outer = result.best_ious[0] >= ANSWERED, outer_iou >= ANSWERED
            self.pairs.append((inner, outer, inner and outer))
            self.pair_images.append(result.position[0])
        for percent, threshold in self._thresholds.items():
            self.failures[percent] += not reached(result.ious, threshold)
        self.seconds += sum(result.seconds)
        self.clicks += len(result.ious)

    def columns(self) -> dict[str, np.ndarray]:
        """Each measure's value for every object, by name."""
        return dict(zip(self._names, np.ascontiguousarray(np.stack(self._rows).T), strict=True))

    def pair_columns(self) -> dict[str, np.ndarray]:
        """For every pair of nested objects whether one, or both, were proposed; by name."""
        if not self.pairs:
            return {}
        return dict(zip(PAIR_SHARES, np.array(self.pairs, float).T, strict=True))

    def _measures(self, result: ObjectResult) -> dict[str, float]:
        last, volume = self._protocol.max_clicks, self._protocol.volume
        mean = "mdice" if volume else "miou"
        measures = {f"{mean}@{k}": iou_at(result.ious, k) for k in range(1, last + 1)}
        if not volume:
            measures["best_miou@1"] = result.best_ious[0]
        for percent, threshold in self._thresholds.items():
            measures[f"noc{percent}"] = number_of_clicks(result.ious, threshold, last)
            if not volume:
                measures[f"selections{percent}"] = result.selections_to(threshold)
        if not volume:
            measures["selections"] = result.selections
            measures["clear_selections"] = result.clear_selections
            measures["gap@1"] = result.best_ious[0] - result.first_own_iou
            measures["different@1"] = result.different
            measures["part_best@1"] = result.part_is_best
        return measures
