"""The simulated annotation of one volume: clicks on slices, each followed through the volume.

The annotator begins in the middle of the object on the slice where it is largest. After each click
the object is followed through its neighbouring slices, in the way a user's program does it, and its
3D Dice is taken. The slice that was clicked is corrected until it is good, with three clicks at
most; the next one is the slice that most needs a look by the quality strip. What the annotator
finds to be good there is left as it is, without a click. Where the object is not, its mask is wiped
away, which counts as a click.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, cast

import numpy as np

from napari_piclick.eval.annotation import pick_proposal
from napari_piclick.eval.clicker import next_click
from napari_piclick.eval.metrics import intersection_over_union
from napari_piclick.eval.object_result import ImageDone, ObjectResult
from napari_piclick.eval.protocol import PUBLISHED_THRESHOLD
from napari_piclick.plane import Plane
from napari_piclick.session.plane_stack import PlaneStack
from napari_piclick.session.propagate import BETTER, propagate, propagate_again
from napari_piclick.session.quality import most_doubtful, rate_slices
from napari_piclick.session.slice_mask import ObjectSlices, SliceMask
from napari_piclick.session.stopping import Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_piclick.clicks import Click
    from napari_piclick.eval.annotation import ImageJob
    from napari_piclick.eval.datasets.dataset import Dataset, VolumeSample
    from napari_piclick.eval.protocol import ClickProtocol, Segmenter
    from napari_piclick.predict import Predictor
    from napari_piclick.proposals import Proposals
    from napari_piclick.session.keep_better import Keep

#: A slice with this IoU is good enough to be left as it is.
GOOD_SLICE = 0.85
#: Clicks on one slice before going on to another one.
SLICE_CLICKS = 3
#: Looks at slices, per click allowed, before giving up.
LOOKS = 4


def annotate_volume(
    dataset: Dataset, job: ImageJob, predictor: Segmenter, protocol: ClickProtocol
) -> Iterator[ObjectResult | ImageDone]:
    """Click the objects of a volume that are not done; the last event says that all are."""
    objects = 0
    for number, sample in enumerate(dataset.volume_samples(job.image)):
        objects += 1
        if number not in job.done:
            key = (dataset.name, str(dataset.folder), sample.stem)
            annotator = VolumeAnnotator(sample, predictor, protocol, key)
            yield annotator.annotate((job.number, number))
    yield ImageDone(job.number, job.image, objects, 0.0)


class VolumeAnnotator:
    """Clicks one object of a volume.

    Parameters
    ----------
    sample : VolumeSample
    predictor : Segmenter
    protocol : ClickProtocol
    key : identifies the volume in caches.
    keep : Keep, optional
        When slices that are followed again keep what they held.
    """

    def __init__(
        self,
        sample: VolumeSample,
        predictor: Segmenter,
        protocol: ClickProtocol,
        key: tuple[str, ...],
        keep: Keep | None = BETTER,
    ) -> None:
        self._sample = sample
        self._keep = keep
        # Propagation asks for nothing but what is measured here; what encodes ahead may fail.
        self._predictor = cast("Predictor", predictor)
        self._protocol = protocol
        self._stack = _stack(sample, key)
        self._slices = ObjectSlices(len(self._stack))
        self._ends: dict[int, Stopped] = {}
        others = tuple(axis for axis in range(3) if axis != sample.axis)
        self._areas = np.count_nonzero(sample.mask, axis=others)
        on = np.flatnonzero(self._areas)
        self._first, self._last = int(on[0]), int(on[-1])
        self._threshold = float("nan")
        self._looks = 0
        # of the slice that is clicked now
        self._here: list[Click] = []
        self._previous: Proposals | np.ndarray | None = None

    def annotate(self, position: tuple[int, int]) -> ObjectResult:
        """Click until the Dice is reached, nothing is left to correct, or the clicks run out."""
        clicks: list[Click] = []
        places: list[int] = []
        dices: list[float] = []
        seconds: list[float] = []
        index: int | None = int(self._areas.argmax())
        while index is not None and len(clicks) < self._protocol.max_clicks:
            start = perf_counter()
            clicks.append(self._correct(index))
            self._follow(index)
            seconds.append(perf_counter() - start)
            places.append(index)
            dices.append(self.dice())
            if dices[-1] >= self._protocol.target_iou:
                break
            index = self._next_slice(index)
        first = (0,) * len(clicks)
        return ObjectResult(
            self._sample.stem, self._sample.object_name, position, tuple(dices), tuple(clicks),
            first, first, tuple((dice,) for dice in dices), tuple(seconds), self._threshold,
            slices=tuple(places),
        )  # fmt: skip

    def dice(self) -> float:
        """3D Dice of what is labelled with the object."""
        both = total = 0
        for labelled in self._slices:
            if labelled.region is not None:
                truth = self._truth(labelled.index)[labelled.region.slices]
                both += int(np.count_nonzero(truth & labelled.mask))
                total += labelled.area
        return float(2 * both / (total + self._areas.sum()))

    def _correct(self, index: int) -> Click:
        """Click once on a slice."""
        truth, mask = self._truth(index), self._mask(index)
        click = next_click(truth, mask, self._here)
        self._here.append(click)
        if not truth.any():
            self._slices.put(SliceMask.of(index, truth))
            return click
        source = self._stack.source(index)
        if len(self._here) == 1:
            self._previous = mask.astype(np.float32) if mask.any() else None
        source.show_to(self._predictor)
        proposals = self._predictor.predict(tuple(self._here), self._previous)
        self._threshold = PUBLISHED_THRESHOLD if self._protocol.compat else proposals.threshold
        found = [
            proposals.region.paste(each, proposals.plane_shape)
            for each in proposals.masks > self._threshold
        ]
        ious = [intersection_over_union(truth, each) for each in found]
        pick, _, self._previous = pick_proposal(proposals, ious, self._protocol)
        self._slices.put(SliceMask.of(index, found[pick]))
        return click

    def _follow(self, index: int) -> None:
        """Follow the object from a slice; where it was followed before, again."""
        way = (self._predictor, self._stack, self._slices, index)
        first = all(labelled.index == index for labelled in self._slices)
        if first and self._slices.get(index).region is None:  # type: ignore[union-attr]
            return  # nothing was found there, so there is nothing to follow
        for event in propagate(*way) if first else propagate_again(*way, keep=self._keep):
            if isinstance(event, Stopped) and not event.inside:
                self._ends[event.step] = event

    def _next_slice(self, index: int) -> int | None:
        """The slice to click next, or None if nothing is left to correct."""
        if len(self._here) < SLICE_CLICKS and not self._is_good(index):
            return index
        while self._looks < LOOKS * self._protocol.max_clicks:
            self._looks += 1
            doubtful = most_doubtful(rate_slices(self._slices, self._ends.values()))
            if doubtful is None:
                return None
            # Beyond the object, the first slice on which it is not ends it.
            index = min(max(doubtful.index, self._first - 1), self._last + 1)
            if self._slices.by_hand(index):  # that end is known already
                self._ends.clear()
            elif self._is_good(index):
                self._slices.put(SliceMask.of(index, self._mask(index)))
            else:
                self._here, self._previous = [], None
                return index
        return None

    def _is_good(self, index: int) -> bool:
        return intersection_over_union(self._truth(index), self._mask(index)) >= GOOD_SLICE

    def _truth(self, index: int) -> np.ndarray:
        return np.take(self._sample.mask, index, self._sample.axis)

    def _mask(self, index: int) -> np.ndarray:
        labelled = self._slices.get(index)
        if labelled is None:
            return np.zeros(self._truth(index).shape, bool)
        return labelled.plane_mask()


def _stack(sample: VolumeSample, key: tuple[str, ...]) -> PlaneStack:
    """The slices of a volume."""
    rows, cols = (axis for axis in range(3) if axis != sample.axis)
    scale = np.diag([*sample.spacing, 1.0])
    affine = tuple(tuple(float(value) for value in row) for row in scale)
    plane = Plane(sample.volume.shape, (rows, cols), (0,), affine=affine)
    return PlaneStack(sample.volume, plane, sample.axis, key, sample.contrast_limits)
