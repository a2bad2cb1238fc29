from __future__ import annotations

import numpy as np
import pytest

from napari_piclick.eval.metrics import (
    failures,
    intersection_over_union,
    mean_iou_at,
    mean_number_of_clicks,
    number_of_clicks,
)

OBJECTS = [(0.5, 0.79, 0.8), (0.95,), (0.1, 0.2, 0.3)]


def test_iou_counts_pixels():
    truth, mask = np.zeros((2, 4, 4), bool)
    truth[:2], mask[1:3] = True, True
    assert intersection_over_union(truth, mask) == 4 / 12
    ignore = np.zeros_like(truth)
    ignore[2] = True
    assert intersection_over_union(truth, mask, ignore) == 4 / 8


def test_iou_of_nothing_with_nothing_is_one():
    nothing = np.zeros((3, 3), bool)
    assert intersection_over_union(nothing, nothing) == 1
    assert intersection_over_union(nothing, ~nothing) == 0


@pytest.mark.parametrize(("threshold", "clicks"), [(0.5, 1), (0.79, 2), (0.8, 3), (0.81, 20)])
def test_noc_is_the_first_click_that_reaches_the_threshold(threshold, clicks):
    assert number_of_clicks(OBJECTS[0], threshold) == clicks


def test_noc_does_not_wait_for_an_iou_that_falls_again():
    assert number_of_clicks((0.3, 0.85, 0.6), 0.8) == 2


def test_an_iou_of_exactly_the_threshold_reaches_it():
    assert number_of_clicks((17 / 20,), 0.85) == 1
    assert number_of_clicks((4 / 5,), 0.80) == 1


def test_means_over_objects():
    assert mean_number_of_clicks(OBJECTS, 0.8) == (3 + 1 + 20) / 3
    assert mean_number_of_clicks(OBJECTS, 0.8, max_clicks=3) == (3 + 1 + 3) / 3
    assert mean_iou_at(OBJECTS, 1) == pytest.approx((0.5 + 0.95 + 0.1) / 3)
    assert failures(OBJECTS, 0.8) == 1


def test_a_finished_object_keeps_its_last_iou():
    assert mean_iou_at(OBJECTS, 3) == pytest.approx((0.8 + 0.95 + 0.3) / 3)
