"""The view: clicks, pictures and masks agree about where things are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from napari_piclick.predict.view import View
from napari_piclick.region import Region

sides = st.integers(16, 300)


@st.composite
def views(draw: st.DrawFn) -> View:
    row, col = draw(st.integers(0, 500)), draw(st.integers(0, 500))
    region = Region(row, row + draw(sides), col, col + draw(sides))
    return View(region, draw(st.sampled_from([64, 128, 256])), draw(st.booleans()))


@given(views(), st.floats(0, 1), st.floats(0, 1))
def test_positions_go_there_and_back(view: View, down: float, right: float) -> None:
    row = view.region.row0 + down * view.region.shape[0]
    col = view.region.col0 + right * view.region.shape[1]
    there = view.to_input(row, col)
    np.testing.assert_allclose(view.to_plane(*there), (row, col), atol=1e-6)
    # the last pixel's far edge lies half a plane pixel beyond the input's last pixel
    if view.mirrored:
        there = (there[0], view.scaled_shape[1] - 1 - there[1])
    for place, size, extent in zip(there, view.scaled_shape, view.region.shape, strict=True):
        assert -1 <= place <= size + size / extent


@given(views())
def test_the_input_is_whole_in_steps_of_sixteen(view: View) -> None:
    assert max(view.scaled_shape) == view.long_side
    for scaled, padded in zip(view.scaled_shape, view.input_shape, strict=True):
        assert scaled % 4 == 0
        assert padded % 16 == 0
        assert 0 <= padded - scaled < 16


@settings(deadline=None, max_examples=40)
@given(views(), st.floats(0.2, 0.8), st.floats(0.2, 0.8))
def test_a_blob_stays_where_it_is(view: View, down: float, right: float) -> None:
    """A blob drawn on the plane is at the click's place in the input, and back on the plane."""
    height, width = view.region.shape
    centre = np.array([down * (height - 1), right * (width - 1)])
    rows, cols = np.mgrid[:height, :width]
    size = max(height, width) / 12
    blob = np.exp(-((rows - centre[0]) ** 2 + (cols - centre[1]) ** 2) / (2 * size**2))
    pixels = torch.from_numpy(np.repeat(blob[None], 3, 0).astype(np.float32))
    seen = view.image(pixels, torch.zeros(3, 1, 1))
    assert seen.shape[-2:] == view.input_shape
    place = np.unravel_index(int(seen[0, 0].argmax()), seen.shape[-2:])
    expected = view.to_input(centre[0] + view.region.row0, centre[1] + view.region.col0)
    cell = view.long_side / max(height, width)
    np.testing.assert_allclose(place, expected, atol=cell + 1)

    logits = view.previous_logits(torch.from_numpy(blob.astype(np.float32)), view.region)[0]
    back = view.masks(logits, view.region)[0].sigmoid().numpy()
    coarse = 4 / cell
    np.testing.assert_allclose(np.unravel_index(back.argmax(), back.shape), centre, atol=coarse + 1)


@settings(deadline=None, max_examples=40)
@given(views())
def test_a_mirrored_view_is_the_view_of_a_mirror(view: View) -> None:
    """Picture, previous mask and masks are those of a plane with left and right exchanged."""
    height, width = view.region.shape
    noise = torch.rand(3, height, width, generator=torch.Generator().manual_seed(height))
    mean = torch.full((3, 1, 1), 7.0)
    other = view.mirror_image
    assert other.mirrored != view.mirrored
    assert other.mirror_image == view
    torch.testing.assert_close(
        view.image(noise.flip(-1), mean), other.image(noise, mean), atol=1e-3, rtol=1e-3
    )
    torch.testing.assert_close(
        view.previous_logits(noise[0].flip(-1), view.region),
        other.previous_logits(noise[0], view.region),
        atol=1e-3,
        rtol=1e-3,
    )
    logits = other.previous_logits(noise[0], view.region)[0]
    torch.testing.assert_close(
        view.masks(logits, view.region).flip(-1),
        other.masks(logits, view.region),
        atol=1e-3,
        rtol=1e-3,
    )
    torch.testing.assert_close(view.straight(view.straight(logits)), logits)


@pytest.mark.parametrize("mirrored", [False, True])
def test_occupied_holds_every_positive_pixel(mirrored: bool) -> None:
    view = View(Region(10, 110, 20, 150), 128, mirrored)
    logits = torch.full((2, view.input_shape[0] // 4, view.input_shape[1] // 4), -5.0)
    logits[0, 3:6, 4:9] = 5
    found = view.occupied(logits, 0.0)
    assert found is not None
    whole = view.masks(logits, view.region)[0] > 0
    inside = view.masks(logits, found)[0] > 0
    assert inside.sum() == whole.sum() > 0
    assert view.occupied(logits, 6.0) is None


@settings(deadline=None, max_examples=40)
@given(views(), st.sampled_from([1, 4]))
def test_masks_go_on_to_the_edge_as_with_border_padding(view: View, cell: int) -> None:
    """Border padding is what is meant, but Apple's GPUs do not have it."""
    h, w = (n // cell for n in view.input_shape)
    logits = 5 * torch.randn(2, h, w, generator=torch.Generator().manual_seed(h + w))
    inner = logits[:, : view.scaled_shape[0] // cell, : view.scaled_shape[1] // cell]
    inner = inner.flip(-1) if view.mirrored else inner
    height, width = view.region.shape
    rows = (torch.arange(height) + 0.5) / height * 2 - 1
    cols = (torch.arange(width) + 0.5) / width * 2 - 1
    grid = torch.stack([cols.expand(height, -1), rows[:, None].expand(-1, width)], -1)[None]
    border = F.grid_sample(inner[None], grid, "bilinear", "border", align_corners=False)[0]
    sample = F.grid_sample

    def without_border(
        maps: Tensor, grid: Tensor, mode: str, padding_mode: str, align_corners: bool
    ) -> Tensor:
        assert padding_mode != "border", "not implemented on MPS"
        return sample(maps, grid, mode, padding_mode, align_corners)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(F, "grid_sample", without_border)
        masks = view.masks(logits, view.region, cell)
    torch.testing.assert_close(masks, border, atol=1e-4, rtol=0)
