"""Specks of mask logits."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_piclick._napari import sample_data
from napari_piclick.clicks import Click
from napari_piclick.predict import question
from napari_piclick.predict.specks import without_specks
from napari_piclick.predict.view import View
from napari_piclick.region import Region

#: 200 x 120 pixels of a plane, looked at in twice their size: each cell is 2 x 2 of them.
VIEW = View(Region(100, 300, 50, 170), 400)
SPECK, HOLE, PIECE = (3, 50), (40, 20), (80, 50)


@pytest.fixture
def logits():
    """An object with a hole of one cell, a speck of one cell, and a piece that is no speck."""
    values = np.full((1, 100, 60), -3.0, np.float32)
    values[0, 20:60, 10:40] = 5  # 1200 cells: a speck has fewer than 12
    values[0, HOLE[0], HOLE[1]] = -2
    values[0, SPECK[0], SPECK[1]] = 1
    values[0, 80:83, 50:54] = 4
    return torch.from_numpy(values)


def _click(cell, positive):
    return Click(100 + 2 * cell[0], 50 + 2 * cell[1], positive)


def test_a_speck_goes_a_piece_and_a_hole_stay(logits):
    tidy = without_specks(logits, VIEW, [_click((30, 30), True)])[0]
    assert tidy[SPECK] == -1
    tidy[SPECK] = 1
    torch.testing.assert_close(tidy, logits[0], rtol=0, atol=0)


def test_a_speck_that_was_clicked_is_meant(logits):
    clicks = [_click((30, 30), True), _click(SPECK, True)]
    torch.testing.assert_close(without_specks(logits, VIEW, clicks), logits, rtol=0, atol=0)
    clicks = [_click((30, 30), True), _click(SPECK, False)]
    assert without_specks(logits, VIEW, clicks)[0][SPECK] == -1


def test_an_empty_mask_stays_empty():
    empty = torch.full((7, 100, 60), -2.0)
    torch.testing.assert_close(without_specks(empty, VIEW, []), empty, rtol=0, atol=0)


def test_padding_is_no_mask(logits):
    padded = torch.nn.functional.pad(logits, (0, 4), value=9.0)
    tidy = without_specks(padded, VIEW, [])
    assert tidy.shape == (1, 100, 60)
    assert tidy[0, PIECE[0], PIECE[1]] == 4


def test_a_picture_has_far_fewer_of_them(tiny, monkeypatch):
    ((neurons, *_),) = sample_data.neurons()

    def specks():
        """How many pieces the proposals have that are smaller than a two hundredth."""
        tiny.set_image(neurons[11])
        proposals = tiny.predict([Click(125, 125)])
        count = 0
        for index in range(len(proposals)):
            pieces, _ = ndimage.label(proposals.plane_mask(index), np.ones((3, 3)))
            sizes = np.bincount(pieces.ravel())[1:]
            count += np.count_nonzero(sizes < 0.005 * sizes.max(initial=0))
        return count

    tidy = specks()
    monkeypatch.setattr(question, "without_specks", lambda logits, *_: logits)
    assert tidy < specks() / 5
