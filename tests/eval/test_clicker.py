from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt

from napari_piclick.clicks import Click
from napari_piclick.eval.clicker import next_click


@pytest.fixture(scope="module")
def authors():
    """Clicks chosen by the program that produced the published figures."""
    return np.load(Path(__file__).parents[1] / "data" / "clicker_200.npz")


def as_clicks(rows):
    return [Click(int(row), int(col), sign == 1) for sign, row, col in rows if sign >= 0]


def as_row(click):
    return [int(click.positive), click.row, click.col]


def test_it_clicks_where_the_authors_program_clicks(authors):
    for truth, prediction, given_clicks, expected in zip(
        authors["gt"], authors["pred"], authors["given"], authors["next"], strict=True
    ):
        click = next_click(truth == 1, prediction, as_clicks(given_clicks), truth == -1)
        assert as_row(click) == expected.tolist()


def test_it_repeats_the_authors_sequence_of_clicks_on_one_pair(authors):
    pair = int(authors["repeat_pair"])
    truth, prediction = authors["gt"][pair], authors["pred"][pair]
    clicks = as_clicks(authors["given"][pair])
    for expected in authors["repeat"]:
        clicks.append(next_click(truth == 1, prediction, clicks, truth == -1))
        assert as_row(clicks[-1]) == expected.tolist()


def click_by_whole_planes(truth, prediction, clicks, ignore):
    """The definition, word for word: distance transforms of whole padded planes."""
    depths = []
    for error in (truth & ~prediction & ~ignore, ~truth & prediction & ~ignore):
        depth = distance_transform_edt(np.pad(error, 1))[1:-1, 1:-1].astype(np.float32)
        for click in clicks:
            depth[click.pixel] = 0
        depths.append(depth)
    missing, surplus = depths
    positive = missing.max() > surplus.max()
    depth = missing if positive else surplus
    row, col = np.argwhere(depth == depth.max())[0]
    return Click(int(row), int(col), bool(positive))


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_cropping_to_the_error_changes_nothing(data):
    shape = data.draw(st.tuples(st.integers(1, 14), st.integers(1, 14)))
    truth, prediction, ignore = (data.draw(arrays(bool, shape)) for _ in range(3))
    clicks = data.draw(
        st.lists(
            st.builds(
                Click, st.integers(0, shape[0] - 1), st.integers(0, shape[1] - 1), st.booleans()
            ),
            max_size=4,
        )
    )
    expected = click_by_whole_planes(truth, prediction, clicks, ignore)
    assert next_click(truth, prediction, clicks, ignore) == expected


def test_cropping_changes_nothing_on_large_blobs():
    rng = np.random.default_rng(0)
    for _ in range(10):
        noise = distance_transform_edt(rng.random((2, 120, 150)) > 0.002)
        truth, prediction = noise > np.median(noise)
        nowhere = np.zeros_like(truth)
        expected = click_by_whole_planes(truth, prediction, (), nowhere)
        assert next_click(truth, prediction) == expected


def test_first_click_is_positive_in_the_middle():
    truth = np.zeros((20, 30), bool)
    truth[3:10, 12:21] = True
    # Depth 4 is reached on row 6 at columns 15, 16 and 17: the first one counts.
    assert next_click(truth, np.zeros_like(truth)) == Click(6, 15, True)


def test_a_tie_gives_a_negative_click():
    truth, prediction = np.zeros((2, 9, 20), bool)
    truth[1:6, 1:6] = True
    prediction[1:6, 11:16] = True
    assert next_click(truth, prediction) == Click(3, 13, False)


def test_the_border_of_the_image_counts_as_an_edge():
    truth = np.ones((5, 9), bool)
    assert next_click(truth, np.zeros_like(truth)) == Click(2, 2, True)


def test_nothing_wrong_gives_a_negative_click_at_the_origin():
    truth = np.zeros((6, 6), bool)
    truth[2:4, 2:4] = True
    assert next_click(truth, truth) == Click(0, 0, False)
    assert next_click(truth, np.zeros_like(truth), ignore=truth) == Click(0, 0, False)
