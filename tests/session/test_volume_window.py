from __future__ import annotations

import numpy as np
import pytest

from napari_piclick.session.volume_window import sample_indices, sample_planes, window_of


def test_the_ground_about_an_organ_does_not_count():
    rng = np.random.default_rng(0)
    volume = np.zeros((20, 50, 50), np.int16)
    volume[:, 10:40, 10:40] = rng.integers(400, 600, (20, 30, 30))
    low, high = window_of(sample_planes(volume, 0))
    assert low == pytest.approx(400, abs=5)
    assert high == pytest.approx(600, abs=5)


def test_without_ground_all_values_count():
    volume = np.random.default_rng(0).normal(0, 1, (20, 50, 50))
    low, high = window_of(sample_planes(volume, 2))
    assert (low, high) == pytest.approx(tuple(np.percentile(volume, (0.5, 99.5))), abs=0.2)


def test_even_volumes_have_no_window():
    assert window_of([np.full((4, 4), 7)]) is None
    assert window_of([np.eye(9, dtype=np.uint8)]) == (0, 1)


@pytest.mark.parametrize("count", [1, 2, 9, 155])
def test_few_planes_are_read_the_first_and_the_last_among_them(count):
    indices = sample_indices(count)
    assert len(indices) == min(count, 9)
    assert (indices[0], indices[-1]) == (0, count - 1)
