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
from napari_piclick.session.keep_better import Keep, held_on
from napari_piclick.session.slice_mask import LabelledBy, SliceMask
from napari_piclick.session.slice_prompt import as_previous, place_clicks
from napari_piclick.session.stopping import Reason, Rules, Stopped, doubt, end_of_the_way

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from napari_piclick.predict import ClickPredictor
    from napari_piclick.session.continuity import Continued
    from napari_piclick.session.plane_stack import PlaneStack
    from napari_piclick.session.slice_mask import ObjectSlices

#: How proposals are chosen, if nothing else is said.
BY_NEIGHBOURS = Continuity()
#: When slices that are followed again keep what they held, if nothing else is said.
BETTER = Keep()


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
    keep: Keep | None = BETTER,
) -> Generator[SliceMask | Stopped, None, None]:
    """Follow an object again after a slice was corrected by hand, up to the next such slices.

    A slice keeps what it held unless what is found now is worth more, and where several in a row
    do, the way ends: those beyond are as good as they were.

    Where neither what is found nor what was held goes on with the corrected object, it ends, and
    what lay beyond is forgotten. So it is where the object is not on the corrected slice; then the
    slices between it and the next one labelled by hand are followed from there.

    Parameters and yields as for `propagate`, but for those here.

    Parameters
    ----------
    corrected : int
        The slice.
    keep : Keep, optional
        When slices keep what they held; None to replace whatever is on the way.
    """
    labelled = slices.get(corrected)
    if labelled is None:
        raise ValueError(f"Slice {corrected} is not labelled; correct it first.")
    if keep is None:
        for index in (*slices.beyond(corrected, -1), *slices.beyond(corrected, 1)):
            slices.drop(index)
    with ThreadPoolExecutor(1, "piclick-ahead") as background:
        for step in (1, -1):
            start, way = labelled, step
            if labelled.region is None:
                other = slices.next_by_hand(corrected, step)
                if other is None or other.region is None:
                    lost = _forget(slices, corrected, step)
                    yield Stopped(corrected, step, Reason.EMPTY, lost=lost)
                    continue
                start, way = other, -step
            yield from _follow(
                predictor, stack, slices, start, way, rules or Rules(), continuity, background, keep
            )


def _forget(slices: ObjectSlices, index: int, step: int) -> tuple[int, ...]:
    """Drop what was not labelled by hand beyond a slice, and tell where that was."""
    lost = slices.beyond(index, step)
    for beyond in lost:
        slices.drop(beyond)
    return tuple(lost)


def _follow(
    predictor: ClickPredictor,
    stack: PlaneStack,
    slices: ObjectSlices,
    start: SliceMask,
    step: int,
    rules: Rules,
    continuity: Continuity | None,
    background: ThreadPoolExecutor | None,
    keep: Keep | None = None,
) -> Generator[SliceMask | Stopped, None, None]:
    """Follow an object in one direction."""
    last, end = start, slices.next_by_hand(start.index, step)
    bridged = end is not None and end.region is not None
    usual: list[float] = []
    kept = 0
    for number in range(len(stack)):
        index = last.index + step
        reason = end_of_the_way(index, number, len(stack), end, rules)
        if reason is None and keep is not None and kept >= keep.in_a_row:
            edge = slices.run_from(last.index, step)
            if end is None or end.region is None or edge.index + step == end.index:
                reason = Reason.STAYED
            else:  # the object goes on to where it is labelled by hand, but for a gap
                last, index, kept = edge, edge.index + step, 0
        if reason is not None:
            yield Stopped(index, step, reason)
            return
        expected = _expect(last, end, index, stack) if bridged else last
        if expected.region is None:
            expected = last
        found = ask_slice(predictor, stack, index, expected, continuity)
        following, reason = found.labelled, None
        if bridged:
            following = _combine(found, expected, rules)
        else:
            reason = doubt(found, usual, rules)
        held = None if keep is None else held_on(slices, index)
        if held is not None and keep is not None:
            if reason is None:
                held = keep.better(held, following, expected, rules.agree)
            elif not rules.fit(held, expected):
                held = None
        if held is None and reason is not None:
            lost = () if keep is None else _forget(slices, last.index, step)
            yield Stopped(index, step, reason, following, lost)
            return
        if background is not None and 0 <= index + step < len(stack):
            background.submit(_encode, predictor, stack, index + step)
        last = following if held is None else held
        kept = 0 if held is None else kept + 1
        usual.append(last.predicted)
        if held is None:
            slices.put(following)
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
