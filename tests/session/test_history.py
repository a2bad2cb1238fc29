from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from napari_piclick.session import History


@given(st.lists(st.integers()), st.integers(0, 8))
def test_undo_then_redo_changes_nothing(states: list[int], steps: int) -> None:
    history = History(0)
    for state in states:
        history = history.push(state)
    assert history.present == (states[-1] if states else 0)
    back = history
    for _ in range(min(steps, len(states))):
        back = back.undo()
    assert back.present == [0, *states][len(states) - min(steps, len(states))]
    for _ in range(steps):
        back = back.redo()
    assert back == history


def test_the_ends_stay_put() -> None:
    history = History("only")
    assert history.undo() is history
    assert history.redo() is history


def test_a_new_state_forgets_what_was_undone() -> None:
    history = History(0).push(1).push(2).undo().push(3)
    assert history == History(3, (0, 1))


def test_amend_replaces_the_present_alone() -> None:
    assert History(0).push(1).push(2).undo().amend(5) == History(5, (0,), (2,))


def test_map_reaches_every_state() -> None:
    assert History(2, (1,), (3,)).map(lambda n: -n) == History(-2, (-1,), (-3,))
