"""Propagation: an object labelled on one slice, followed through the slices beside it.

Each slice is asked about with the mask that its neighbours let expect: as the previous mask, and
by clicks inside it. Among the proposals, the one that continues the object best is taken.

::

    slices = ObjectSlices(len(stack))
    slices.put(SliceMask.of(75, mask))
    for event in propagate(predictor, stack, slices, 75):
        print(event)

The slices come one by one, and closing the generator stops it at once.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_piclick.clicks import Click
from napari_piclick.proposals import Proposals
from napari_piclick.region import Region
from napari_piclick.session.continuity import Continuity, continue_object
from napari_piclick.session.interpolate import interpolate
from napari_piclick.session.slice_mask import LabelledBy, SliceMask

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from napari_piclick.predict import Predictor
    from napari_piclick.session.continuity import Continued
    from napari_piclick.session.plane_stack import PlaneStack
    from napari_piclick.session.slice_mask import ObjectSlices

#: Parts of an object smaller than this share of its largest part get no click of their own.
PART = 0.25
#: At most so many parts get a click.
PARTS = 3
#: So many slices tell what a good score is.
FIRST = 5
#: How proposals are chosen, if nothing else is said.
BY_NEIGHBOURS = Continuity()


class Reason(Enum):
    """Why propagation stopped, in words that follow "Stopped at slice 12: "."""

    UNSURE = "the model is no longer sure that the object is there"
    AREA = "the object would suddenly be much larger or smaller"
    LOST = "nothing that was found there continues the object"
    EMPTY = "the object ends"
    COUNT = "as many slices as you asked for"
    RANGE = "the end of the range"
    END = "the end of the volume"
    HAND = "the next slice is labelled by hand"


@dataclass(frozen=True)
class Rules:
    """When to stop.

    Parameters
    ----------
    min_iou : float
        Stop where the predicted IoU is lower.
    min_share : float
        Stop where predicted IoU times confidence is less than this share of what it was on the
        first slices of the way: what is a good score differs from image to image.
    max_area_jump : float
        Stop where an area is so many times larger, or smaller, than on the slice before.
    min_overlap : float
        Stop where the IoU with the slice before is lower.
    min_area : int
        An object of fewer pixels has ended.
    max_slices : int, optional
        Stop after so many slices in each direction.
    first, last : int, optional
        Keep to these slices, both included.
    agree : float
        Between two slices labelled by hand, the proposal is taken where its IoU with the
        interpolation is at least this, and the interpolation elsewhere.
    """

    min_iou: float = 0.4
    min_share: float = 0.7
    max_area_jump: float = 3.0
    min_overlap: float = 0.2
    min_area: int = 12
    max_slices: int | None = None
    first: int | None = None
    last: int | None = None
    agree: float = 0.5


@dataclass(frozen=True, eq=False)
class Stopped:
    """Propagation came to an end in one direction.

    Parameters
    ----------
    index : int
        The first slice that was not labelled any more; one beyond the volume at its end.
    step : int
        1 upwards, -1 downwards.
    reason : Reason
    rejected : SliceMask, optional
        What was found there but not taken.
    """

    index: int
    step: int
    reason: Reason
    rejected: SliceMask | None = None

    @property
    def early(self) -> bool:
        """Whether the object may go on beyond: somebody should look."""
        return self.reason in {Reason.UNSURE, Reason.AREA, Reason.LOST}


def propagate(
    predictor: Predictor,
    stack: PlaneStack,
    slices: ObjectSlices,
    start: int,
    *,
    steps: Sequence[int] = (1, -1),
    rules: Rules | None = None,
    continuity: Continuity | None = BY_NEIGHBOURS,
    ahead: bool = True,
) -> Generator[SliceMask | Stopped, None, None]:
    """Follow an object from a slice, in one direction after the other.

    Slices labelled by hand are never changed: propagation ends at them, and takes them into
    account on the way. What had been labelled otherwise on the way is replaced.

    Parameters
    ----------
    predictor : Predictor
    stack : PlaneStack
    slices : ObjectSlices
        Has the object's mask on slice ``start``; takes those that are found.
    start : int
    steps : sequence of {1, -1}
        Directions: 1 upwards, -1 downwards.
    rules : Rules, optional
        When to stop.
    continuity : Continuity, optional
        How proposals are chosen; None for the model's own choice.
    ahead : bool
        Whether the next slice is encoded while a slice that was found is drawn.

    Yields
    ------
    SliceMask
        A slice that was labelled, by propagation or interpolation.
    Stopped
        At the end of each direction, with the reason.

    Raises
    ------
    ValueError
        If the object is not on slice ``start``.
    """
    labelled = slices.get(start)
    if labelled is None or labelled.region is None:
        raise ValueError(f"The object is not labelled on slice {start}; click on it there first.")
    rules = rules or Rules()
    with ThreadPoolExecutor(1, "piclick-ahead") as background:
        for step in steps:
            yield from _follow(
                predictor, stack, slices, labelled, step, rules, continuity,
                background if ahead else None,
            )  # fmt: skip


def propagate_again(
    predictor: Predictor,
    stack: PlaneStack,
    slices: ObjectSlices,
    corrected: int,
    *,
    rules: Rules | None = None,
    continuity: Continuity | None = BY_NEIGHBOURS,
) -> Generator[SliceMask | Stopped, None, None]:
    """Follow an object again after a slice was corrected by hand, up to the next such slices.

    Where the object was found not to be on the corrected slice, what lay beyond is forgotten,
    and the slices between it and the next one labelled by hand are followed from there.

    Parameters and yields as for `propagate`; ``corrected`` is the slice.
    """
    labelled = slices.get(corrected)
    if labelled is None:
        raise ValueError(f"Slice {corrected} is not labelled; correct it first.")
    for step in (1, -1):
        other = slices.next_by_hand(corrected, step)
        slices.forget(corrected, step)
        if labelled.region is not None:
            start, way = corrected, step
        elif other is not None and other.region is not None:
            start, way = other.index, -step
        else:
            continue
        yield from propagate(
            predictor, stack, slices, start, steps=(way,), rules=rules, continuity=continuity
        )


def place_clicks(expected: SliceMask) -> tuple[Click, ...]:
    """Clicks inside an expected mask: at the deepest point of each of its larger parts."""
    if expected.region is None:
        return ()
    parts, count = ndimage.label(expected.mask)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    largest = np.argsort(-sizes, kind="stable")[:PARTS]
    clicks = []
    for part in largest[sizes[largest] >= PART * sizes.max()]:
        depth = ndimage.distance_transform_edt(np.pad(parts == part + 1, 1))[1:-1, 1:-1]
        row, col = divmod(int(depth.argmax()), depth.shape[1])
        clicks.append(Click(expected.region.row0 + row, expected.region.col0 + col))
    return tuple(clicks)


def _follow(
    predictor: Predictor,
    stack: PlaneStack,
    slices: ObjectSlices,
    start: SliceMask,
    step: int,
    rules: Rules,
    continuity: Continuity | None,
    background: ThreadPoolExecutor | None,
) -> Generator[SliceMask | Stopped, None, None]:
    """Follow an object in one direction."""
    last, end = start, slices.next_by_hand(start.index, step)
    usual: list[float] = []
    for number in range(len(stack)):
        index = last.index + step
        reason = _end_of_the_way(index, number, len(stack), end, rules)
        if reason is not None:
            yield Stopped(index, step, reason)
            return
        bridged = end is not None and end.region is not None
        expected = _expect(last, end, index, stack) if bridged else last
        if expected.region is None:
            expected = last
        found = _ask(predictor, stack, index, expected, continuity)
        following = found.labelled
        if bridged and end is not None:
            following = _combine(found, expected, rules)
        else:
            reason = _doubt(found, usual, rules)
            if reason is not None:
                yield Stopped(index, step, reason, following)
                return
        if background is not None and 0 <= index + step < len(stack):
            background.submit(_encode, predictor, stack, index + step)
        slices.put(following)
        usual.append(following.predicted)
        last = following
        yield following


def _end_of_the_way(
    index: int, number: int, count: int, end: SliceMask | None, rules: Rules
) -> Reason | None:
    """Why a slice is not even looked at, or None."""
    if not 0 <= index < count:
        return Reason.END
    if end is not None and index == end.index:
        return Reason.HAND
    if rules.max_slices is not None and number >= rules.max_slices:
        return Reason.COUNT
    if (rules.first is not None and index < rules.first) or (
        rules.last is not None and index > rules.last
    ):
        return Reason.RANGE
    return None


def _doubt(found: Continued, usual: list[float], rules: Rules) -> Reason | None:
    """Why what was found is not taken, after slices with these scores, or None."""
    if found.labelled.area < rules.min_area:
        return Reason.EMPTY
    first = usual[:FIRST]
    expected = float(np.median(first)) if len(first) >= FIRST // 2 else 0.0
    if found.predicted_iou < rules.min_iou or found.labelled.predicted < rules.min_share * expected:
        return Reason.UNSURE
    if not 1 / rules.max_area_jump <= found.area_ratio <= rules.max_area_jump:
        return Reason.AREA
    if found.labelled.agreement < rules.min_overlap:
        return Reason.LOST
    return None


def _expect(last: SliceMask, end: SliceMask | None, index: int, stack: PlaneStack) -> SliceMask:
    """What the slice before and the next one labelled by hand let expect in between."""
    assert end is not None
    below, above = (last, end) if last.index < end.index else (end, last)
    return interpolate(below, above, index, stack.plane.spacing)


def _combine(found: Continued, expected: SliceMask, rules: Rules) -> SliceMask:
    """The proposal where it agrees with the interpolation, and the interpolation elsewhere."""
    following = found.labelled
    if following.region is not None and following.agreement >= rules.agree:
        return following
    return SliceMask(
        expected.index, expected.region, expected.mask, expected.plane_shape,
        LabelledBy.INTERPOLATED, following.predicted, following.agreement,
    )  # fmt: skip


def _ask(
    predictor: Predictor,
    stack: PlaneStack,
    index: int,
    expected: SliceMask,
    continuity: Continuity | None,
) -> Continued:
    source = stack.source(index)
    predictor.set_image(
        source.pixels, contrast_limits=source.window, rgb=source.plane.rgb, key=source.key
    )
    proposals = predictor.predict(place_clicks(expected), _as_previous(expected))
    return continue_object(index, proposals, expected, continuity)


def _encode(predictor: Predictor, stack: PlaneStack, index: int) -> None:
    """Encode a plane that is about to be asked for."""
    source = stack.source(index)
    predictor.prefetch(
        source.pixels, contrast_limits=source.window, rgb=source.plane.rgb, key=source.key
    )


def _as_previous(expected: SliceMask) -> Proposals:
    """A mask as a predictor takes it, cut to where it lies; one pixel about it says it ends."""
    assert expected.region is not None
    height, width = expected.region.shape
    region = Region.around(
        expected.region.center, (height + 2, width + 2), expected.plane_shape
    ).union(expected.region)
    one = np.ones(1, np.float32)
    return Proposals(
        expected.on(region)[None].astype(np.float32), region, expected.plane_shape, one, one
    )
