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
from typing import TYPE_CHECKING

from napari_piclick.session.continuity import Continuity, continue_object
from napari_piclick.session.interpolate import interpolate
from napari_piclick.session.slice_mask import LabelledBy, SliceMask
from napari_piclick.session.slice_prompt import as_previous, place_clicks
from napari_piclick.session.stopping import Rules, Stopped, doubt, end_of_the_way

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from napari_piclick.predict import ClickPredictor
    from napari_piclick.session.continuity import Continued
    from napari_piclick.session.plane_stack import PlaneStack
    from napari_piclick.session.slice_mask import ObjectSlices

#: How proposals are chosen, if nothing else is said.
BY_NEIGHBOURS = Continuity()


def propagate(
    predictor: ClickPredictor,
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
    predictor : ClickPredictor
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
    predictor: ClickPredictor,
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


def _follow(
    predictor: ClickPredictor,
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
        reason = end_of_the_way(index, number, len(stack), end, rules)
        if reason is not None:
            yield Stopped(index, step, reason)
            return
        bridged = end is not None and end.region is not None
        expected = _expect(last, end, index, stack) if bridged else last
        if expected.region is None:
            expected = last
        found = ask_slice(predictor, stack, index, expected, continuity)
        following = found.labelled
        if bridged and end is not None:
            following = _combine(found, expected, rules)
        else:
            reason = doubt(found, usual, rules)
            if reason is not None:
                yield Stopped(index, step, reason, following)
                return
        if background is not None and 0 <= index + step < len(stack):
            background.submit(_encode, predictor, stack, index + step)
        slices.put(following)
        usual.append(following.predicted)
        last = following
        yield following


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


def ask_slice(
    predictor: ClickPredictor,
    stack: PlaneStack,
    index: int,
    expected: SliceMask,
    continuity: Continuity | None = BY_NEIGHBOURS,
) -> Continued:
    """What continues an object on a slice, whether or not it is good enough to be taken.

    Parameters
    ----------
    predictor : ClickPredictor
    stack : PlaneStack
    index : int
    expected : SliceMask
        What the neighbours let expect there; not empty.
    continuity : Continuity, optional
        How proposals are chosen; None for the model's own choice.
    """
    stack.source(index).show_to(predictor)
    proposals = predictor.predict(place_clicks(expected), as_previous(expected))
    return continue_object(index, proposals, expected, continuity)


def _encode(predictor: ClickPredictor, stack: PlaneStack, index: int) -> None:
    """Encode a plane that is about to be asked for."""
    stack.source(index).encode_ahead(predictor)
