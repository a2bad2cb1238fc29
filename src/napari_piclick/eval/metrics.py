"""The measures: IoU of a mask, number of clicks (NoC), mean IoU after k clicks (mIoU@k)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.proposals import overlaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_piclick.region import Region


def intersection_over_union(
    truth: np.ndarray, mask: np.ndarray, ignore: np.ndarray | None = None
) -> float:
    """IoU of two (H, W) bool masks, not counting the pixels of ``ignore``; 1 if both are empty."""
    if ignore is not None:
        truth, mask = truth & ~ignore, mask & ~ignore
    intersection = np.count_nonzero(truth & mask)
    union = np.count_nonzero(truth) + np.count_nonzero(mask) - intersection
    return intersection / union if union else 1.0


def count_different(masks: np.ndarray, alike: float = 0.9) -> int:
    """How many of (Q, h, w) bool masks differ from one another.

    They are gone through in order, and one counts if its IoU with every one that counted before
    is below ``alike``: they differ by more than the rest.
    """
    empty = ~masks.any(axis=(1, 2))
    apart = (overlaps(masks) < alike) & ~np.outer(empty, empty)
    different: list[int] = []
    for index in range(len(masks)):
        if apart[index, different].all():
            different.append(index)
    return len(different)


class Truth:
    """An object to compare masks with, which may be given on a part of the plane only.

    Parameters
    ----------
    mask : (H, W) bool, the object.
    ignore : (H, W) bool, pixels that count neither way, or None.
    """

    def __init__(self, mask: np.ndarray, ignore: np.ndarray | None = None) -> None:
        self._mask = mask if ignore is None else mask & ~ignore
        self._counting = None if ignore is None else ~ignore
        self._area = np.count_nonzero(self._mask)

    def iou(self, mask: np.ndarray, region: Region) -> float:
        """IoU with a mask, (h, w) bool on ``region`` and empty outside; 1 if both are empty."""
        if self._counting is not None:
            mask = mask & self._counting[region.slices]
        intersection = np.count_nonzero(self._mask[region.slices] & mask)
        union = self._area + np.count_nonzero(mask) - intersection
        return float(intersection / union) if union else 1.0


def reached(ious: Sequence[float], threshold: float) -> bool:
    """Tell whether the IoU after some click was at least ``threshold``."""
    return any(iou >= threshold for iou in ious)


def number_of_clicks(ious: Sequence[float], threshold: float, max_clicks: int = 20) -> int:
    """NoC: the number of clicks until the IoU is at least ``threshold``.

    Parameters
    ----------
    ious : the IoU after each click on one object.
    threshold : the IoU to reach, 0.80 for "NoC80".
    max_clicks : what an object counts that never reaches it, as is the custom.
    """
    for clicks, iou in enumerate(ious, start=1):
        if iou >= threshold:
            return clicks
    return max_clicks


def mean_number_of_clicks(
    objects: Iterable[Sequence[float]], threshold: float, max_clicks: int = 20
) -> float:
    """Mean NoC over objects, each given by its IoU after every click."""
    return float(np.mean([number_of_clicks(ious, threshold, max_clicks) for ious in objects]))


def iou_at(ious: Sequence[float], clicks: int) -> float:
    """The IoU after ``clicks`` clicks; an object that was finished earlier keeps its last IoU."""
    return ious[min(clicks, len(ious)) - 1]


def mean_iou_at(objects: Iterable[Sequence[float]], clicks: int) -> float:
    """mIoU@k: the mean IoU over objects after ``clicks`` clicks.

    An object that was finished earlier counts with its last IoU: nobody clicks on it any more.
    """
    return float(np.mean([iou_at(ious, clicks) for ious in objects]))


def failures(objects: Iterable[Sequence[float]], threshold: float) -> int:
    """How many objects never reached ``threshold``."""
    return sum(not reached(ious, threshold) for ious in objects)
