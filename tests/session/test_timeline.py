from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from napari_piclick.session import Timeline


@dataclass(frozen=True)
class Did:
    name: int
    nbytes: int = 1


def after(*names: int) -> Timeline[Did]:
    timeline: Timeline[Did] = Timeline()
    for name in names:
        timeline = timeline.push(Did(name))
    return timeline


@given(st.lists(st.integers()), st.integers(0, 8))
def test_undo_then_redo_changes_nothing(names: list[int], steps: int) -> None:
    timeline = after(*names)
    back = timeline
    for _ in range(steps):
        back = back.undo()
    assert [step.name for step in back.past] == names[: max(len(names) - steps, 0)]
    for _ in range(steps):
        back = back.redo()
    assert back == timeline


def test_the_ends_stay_put() -> None:
    assert after().undo() == after().redo() == after()
    assert after().last is None
    assert after(1).next is None


def test_a_new_step_forgets_what_was_undone() -> None:
    timeline = after(1, 2, 3).undo().undo()
    assert timeline.next == Did(2)
    assert timeline.push(Did(4)) == after(1, 4)


def test_amend_replaces_the_last_step_alone() -> None:
    assert after(1, 2, 3).undo().amend(Did(9)) == Timeline((Did(1), Did(9)), (Did(3),))


def test_map_reaches_every_step_and_may_take_it_out() -> None:
    odd = after(1, 2, 3, 4, 5).undo().undo().map(lambda step: step if step.name % 2 else None)
    assert odd == Timeline((Did(1), Did(3)), (Did(5),))


def test_the_oldest_steps_are_forgotten_beyond_the_limits() -> None:
    timeline: Timeline[Did] = Timeline()
    for name in range(10):
        timeline = timeline.push(Did(name, 10), levels=4, memory=1000)
    assert [step.name for step in timeline.past] == [6, 7, 8, 9]
    timeline = timeline.push(Did(10, 10), levels=100, memory=25)
    assert [step.name for step in timeline.past] == [9, 10]
    large = timeline.push(Did(11, 10**9), levels=100, memory=25)
    assert large.past == (Did(11, 10**9),), "the last step can always be undone"
