"""A click knows its pixel and whether it lies on the plane."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_piclick import Click

sizes = st.integers(1, 20_000)
fractions = st.floats(-0.49, 0.49)


@given(st.data(), sizes, sizes)
def test_anywhere_on_a_pixel_is_that_pixel(data, height, width):
    row = data.draw(st.integers(0, height - 1))
    col = data.draw(st.integers(0, width - 1))
    click = Click(row + data.draw(fractions), col + data.draw(fractions))
    assert click.pixel == (row, col)
    assert click.inside((height, width))


@given(sizes, sizes, fractions)
def test_beyond_an_edge_is_outside(height, width, fraction):
    for row, col in [(-1, 0), (height, 0), (0, -1), (0, width)]:
        assert not Click(row + fraction, col + fraction).inside((height, width))


def test_a_click_is_a_value():
    assert Click(1, 2) == Click(1.0, 2.0, positive=True)
    assert Click(1, 2) != Click(1, 2, positive=False)
    assert len({Click(1, 2), Click(1, 2)}) == 1
    with pytest.raises(FrozenInstanceError):
        Click(1, 2).row = 3
