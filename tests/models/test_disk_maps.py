"""Disk maps against their definition."""

from __future__ import annotations

import torch

from napari_piclick.models.disk_maps import draw_disks


def test_a_disk_holds_the_pixels_within_its_radius() -> None:
    points = torch.tensor([[[10.0, 12.0], [3.0, 20.0], [0.0, 0.0]]])
    maps = draw_disks(points, torch.tensor([[1, 0, -1]]), (24, 32), 5.0)
    rows, cols = torch.meshgrid(torch.arange(24), torch.arange(32), indexing="ij")
    assert torch.equal(maps[0, 0] == 1, (rows - 10) ** 2 + (cols - 12) ** 2 <= 25)
    assert torch.equal(maps[0, 1] == 1, (rows - 3) ** 2 + (cols - 20) ** 2 <= 25)


def test_disks_of_one_sign_are_united_and_reach_in_from_outside() -> None:
    points = torch.tensor([[[5.0, 5.0], [-2.0, 5.0]]])
    maps = draw_disks(points, torch.ones(1, 2), (16, 16), 3.0)
    assert maps[0, 0, 0, 5] == 1
    assert maps[0, 0, 7, 5] == 1
    assert maps[0, 1].sum() == 0
