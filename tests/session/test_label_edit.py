from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.conftest import FloodPredictor

from napari_piclick.session import ArrayLabels, LabelEdit, LabelsError, Session

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPE = (3, 4, 5)
# many of these edits need a larger type than the array they begin with
pytestmark = pytest.mark.filterwarnings("ignore:Object ids no longer fit")


def edits_of(data: np.ndarray) -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    """Voxels in any order, some of them twice, and what they become."""
    count = st.shared(st.integers(0, 30), key="count")
    return st.tuples(
        count.flatmap(lambda n: hnp.arrays(np.intp, n, elements=st.integers(0, data.size - 1))),
        count.flatmap(lambda n: hnp.arrays(np.int64, n, elements=st.integers(0, 70000))),
    )


labels = hnp.arrays(np.uint8, SHAPE, elements=st.integers(0, 4))


@given(labels, edits_of(np.zeros(SHAPE)))
def test_revert_gives_the_labels_back_bit_for_bit(
    data: np.ndarray, change: tuple[np.ndarray, np.ndarray]
) -> None:
    index, after = change
    expected = data.astype(np.int64)
    for at, value in zip(index, after, strict=True):
        expected.flat[at] = value
    home = ArrayLabels(data.copy())
    edit = LabelEdit.of(home.data, np.unravel_index(index, SHAPE), after)
    edit.apply(home)
    np.testing.assert_array_equal(home.data, expected)
    edit.revert(home)
    assert home.data.dtype == data.dtype
    np.testing.assert_array_equal(home.data, data)
    edit.apply(home)
    np.testing.assert_array_equal(home.data, expected)


@given(labels, st.lists(edits_of(np.zeros(SHAPE)), min_size=1, max_size=4))
def test_joined_edits_do_what_all_do(
    data: np.ndarray, changes: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    home = ArrayLabels(data.copy())
    edits = []
    for index, after in changes:
        edits.append(LabelEdit.of(home.data, np.unravel_index(index, SHAPE), after))
        edits[-1].apply(home)
    other = ArrayLabels(data.copy())
    joined = LabelEdit.joined(edits)
    joined.apply(other)
    np.testing.assert_array_equal(other.data, home.data)
    joined.revert(home)
    np.testing.assert_array_equal(home.data, data)
    assert home.data.dtype == data.dtype


def row(*columns: int) -> tuple[np.ndarray, ...]:
    return np.zeros(len(columns), int), np.zeros(len(columns), int), np.array(columns)


def test_what_somebody_else_changed_is_left_alone() -> None:
    home = ArrayLabels(np.zeros(SHAPE, np.uint8))
    edit = LabelEdit.of(home.data, row(0, 1, 2), 5)
    edit.apply(home)
    home.data[0, 0, 1] = 9
    undone = edit.revert(home)
    assert len(undone) == 2
    assert home.data[0, 0].tolist() == [0, 9, 0, 0, 0]
    edit.apply(home)
    assert home.data[0, 0].tolist() == [5, 9, 5, 0, 0]


def test_a_smaller_type_comes_back_only_if_it_holds_what_was_painted_since() -> None:
    home = ArrayLabels(np.zeros(SHAPE, np.uint8))
    edit = LabelEdit.of(home.data, row(0), 300)
    edit.apply(home)
    home.data[0, 0, 4] = 400
    edit.revert(home)
    assert home.data.dtype == np.uint16
    assert home.data[0, 0].tolist() == [0, 0, 0, 0, 400]


def test_an_array_that_was_too_small_is_the_labels_again_after_undo() -> None:
    given = np.zeros(SHAPE, np.uint8)
    home = ArrayLabels(given)
    edits = [LabelEdit.of(given, row(0), 5)]
    edits[0].apply(home)
    edits.append(LabelEdit.of(home.data, row(1), 300))
    with pytest.warns(UserWarning, match=r"\(uint8\).*save session\.labels\.data"):
        edits[-1].apply(home)
    with warnings.catch_warnings(action="error"):  # once is enough
        for number, columns in ((70_000, row(2)), (400, row(3))):
            edits.append(LabelEdit.of(home.data, columns, number))
            edits[-1].apply(home)
    assert home.data[0, 0].tolist() == [5, 300, 70_000, 400, 0]
    for edit in reversed(edits[1:]):
        edit.revert(home)
    assert home.data is given
    LabelEdit.of(home.data, row(4), 7).apply(home)
    assert given[0, 0].tolist() == [5, 0, 0, 0, 7]


def test_what_was_undone_meanwhile_is_in_the_array_that_was_given() -> None:
    given = np.zeros(SHAPE, np.uint8)
    home = ArrayLabels(given)
    larger = LabelEdit.of(home.data, row(1), 300)
    larger.apply(home)
    LabelEdit.of(home.data, row(0), 5).apply(home)
    assert not given.any()
    larger.revert(home)
    assert home.data is given
    assert given[0, 0].tolist() == [5, 0, 0, 0, 0]


def test_labels_of_their_own_grow_without_a_word(recwarn: pytest.WarningsRecorder) -> None:
    home = ArrayLabels.empty(SHAPE, np.uint8)
    LabelEdit.of(home.data, row(0), 300).apply(home)
    assert home.data[0, 0, 0] == 300
    assert not recwarn.list


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64])
def test_signed_labels_keep_their_signs(dtype: type) -> None:
    home = ArrayLabels(np.full(SHAPE, -1 if np.dtype(dtype).kind == "i" else 1, dtype))
    before = home.data.copy()
    edit = LabelEdit.of(home.data, row(1), 200)
    edit.apply(home)
    assert home.data[0, 0, 1] == 200
    assert home.data[0, 0, 0] == before[0, 0, 0]
    edit.revert(home)
    assert home.data.dtype == dtype
    np.testing.assert_array_equal(home.data, before)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_where_no_number_is_left_nothing_is_written(dtype: type) -> None:
    given = np.zeros((40, 50), dtype)
    given[0, 0] = np.iinfo(dtype).max
    before = given.copy()
    session = Session(FloodPredictor(), labels=given)
    session.set_image(np.pad(np.full((10, 12), 60, np.uint8), ((5, 25), (6, 32))))
    session.click(10, 10)
    with pytest.raises(LabelsError, match=r"No number is left: .* a smaller number first\."):
        session.accept()
    assert session.clicks, "they wait for another try"
    np.testing.assert_array_equal(session.labels.data, before)
    assert session.labels.data is given
    session.undo()
    assert session.clicks == ()


def test_a_change_that_no_type_can_hold_is_not_made_by_halves() -> None:
    edit = LabelEdit.of(np.zeros(SHAPE, np.uint8), row(0), 2**63)
    home = ArrayLabels(np.zeros(SHAPE, np.int64))
    with pytest.raises(LabelsError, match="No number is left"):
        edit.apply(home)
    assert home.data.dtype == np.int64
    assert not home.data.any()


def test_labels_of_another_size_are_refused() -> None:
    edit = LabelEdit.of(np.zeros(SHAPE, np.uint8), row(0), 5)
    other = ArrayLabels(np.zeros((2, 2, 2), np.uint8))
    with pytest.raises(LabelsError, match="3 × 4 × 5"):
        edit.apply(other)
    assert not other.data.any()
    with pytest.raises(ValueError, match="different labels"):
        LabelEdit.joined([edit, LabelEdit.of(other.data, row(0), 5)])


def test_arrays_that_cannot_be_labels_are_refused() -> None:
    with pytest.raises(LabelsError, match="integers"):
        ArrayLabels(np.zeros(SHAPE))
    frozen = np.zeros(SHAPE, np.uint8)
    frozen.flags.writeable = False
    with pytest.raises(LabelsError, match="read-only"):
        ArrayLabels(frozen)


def test_edits_of_one_slice_after_another_are_made_as_one() -> None:
    labels = ArrayLabels(np.zeros((4, 5, 6), np.uint16))
    edits = []
    for k in (2, 3, 1, 0):
        mask = np.zeros((4, 5, 6), bool)
        mask[k, 1:3, k:5] = True
        edits.append(LabelEdit.of(labels.data, np.nonzero(mask), k + 1))
    (joined,) = LabelEdit.side_by_side(edits)
    joined.apply(labels)
    expected = ArrayLabels(np.zeros((4, 5, 6), np.uint16))
    for edit in edits:
        edit.apply(expected)
    np.testing.assert_array_equal(labels.data, expected.data)
    joined.revert(labels)
    assert not labels.data.any()


def test_edits_that_overlap_or_change_the_type_stay_apart() -> None:
    data = np.zeros((4, 5), np.uint8)
    first = LabelEdit.of(data, (np.array([0, 2]), np.array([1, 1])), 1)
    between = LabelEdit.of(data, (np.array([1]), np.array([1])), 2)
    larger = LabelEdit.of(data, (np.array([3]), np.array([1])), 300)
    for edits in ([first, between], [between, larger], [first], []):
        assert LabelEdit.side_by_side(edits) == edits


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_any_layout_of_the_array_will_do(layout: Callable[[np.ndarray], np.ndarray]) -> None:
    data = layout(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    before, labels = data.copy(), ArrayLabels(data)
    edit = LabelEdit.of(data, (np.array([0, 1, 1]), np.array([2, 0, 1]), np.array([3, 1, 2])), 77)
    data[1, 0, 1] = 5  # somebody else
    done = edit.apply(labels)
    assert np.argwhere(data == 77).tolist() == [[0, 2, 3], [1, 1, 2]]
    assert len(done) == 2
    edit.revert(labels)
    before[1, 0, 1] = 5
    np.testing.assert_array_equal(data, before)


def test_the_edit_between_two_arrays_makes_the_one_of_the_other() -> None:
    old = np.asfortranarray(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    new = old.astype(np.int32)
    new[1, 2, 3] = 1000
    edit = LabelEdit.between(old, new)
    labels = ArrayLabels(old.copy(order="F"))
    edit.apply(labels)
    np.testing.assert_array_equal(labels.data, new)
    edit.revert(labels)
    np.testing.assert_array_equal(labels.data, old)
    assert labels.data.dtype == np.uint8
