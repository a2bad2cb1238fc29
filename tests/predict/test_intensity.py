"""Intensity: every type of picture becomes the same 0..255."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_piclick.predict.intensity import robust_window, to_rgb

TYPES = ["bool", "uint8", "int16", "uint16", "int64", "float32", "float64"]


@pytest.mark.parametrize("dtype", TYPES)
def test_a_ramp_looks_the_same_in_every_type(dtype: str) -> None:
    ramp = np.linspace(0, 1, 64).reshape(8, 8)
    image = ramp > 0.5 if dtype == "bool" else (ramp * 100).astype(dtype)
    seen = to_rgb(image, (0, 1) if dtype == "bool" else (0, 100))
    assert seen.shape == (8, 8, 3)
    assert seen.dtype == np.float32
    assert (seen.min(), seen.max()) == (0, 255)
    if dtype != "bool":
        np.testing.assert_allclose(seen[..., 0], ramp * 255, atol=2.6)


def test_negative_values_and_outliers() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(-1000, 1000, (64, 64)).astype(np.int16)
    image[0, 0] = 32767
    low, high = robust_window(image)
    assert -1000 <= low < -900 < 900 < high <= 1000
    assert to_rgb(image, (low, high))[0, 0, 0] == 255


def test_nan_and_infinities_are_left_out_of_the_window() -> None:
    image = np.full((16, 16), np.nan)
    image[4:12, 4:12] = np.arange(64).reshape(8, 8)
    image[0, 0], image[0, 1] = np.inf, -np.inf
    low, high = robust_window(image)
    assert 0 <= low < high <= 63
    seen = to_rgb(image, (low, high))
    assert np.isfinite(seen).all()
    assert (seen[0, 0, 0], seen[0, 1, 0], seen[1, 1, 0]) == (255, 0, 0)


def test_a_constant_is_middle_grey_and_nothing_finite_is_too() -> None:
    for value in (0.0, 7.0, np.nan):
        image = np.full((16, 16), value)
        assert np.all(to_rgb(image, robust_window(image)) == 127.5)


def test_alpha_is_left_out() -> None:
    image = np.zeros((4, 4, 4), np.uint8)
    image[..., 3] = 255
    image[..., 1] = 200
    assert to_rgb(image, (0, 200))[0, 0].tolist() == [0, 255, 0]


@given(
    hnp.arrays(
        st.sampled_from([np.uint16, np.int32, np.float32, np.float64]), (6, 7), elements=None
    )
)
def test_anything_becomes_finite_and_in_range(image: np.ndarray) -> None:
    seen = to_rgb(image, robust_window(image))
    assert np.isfinite(seen).all()
    assert seen.min() >= 0
    assert seen.max() <= 255
