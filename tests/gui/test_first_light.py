"""The example, from its command line to its files, with the real model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt
from skimage.io import imread

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from tests.gui.conftest import Desk

EXAMPLE = Path(__file__).parents[2] / "examples" / "first_light.py"


@pytest.mark.slow
def test_three_clicks_in_a_real_window_leave_two_objects(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "--headless", "--output", str(tmp_path)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.tif", "screenshot.png"]
    labels = tifffile.imread(tmp_path / "labels.tif")
    assert (labels.shape, labels.dtype) == ((24, 250, 250), np.uint16)
    assert set(np.unique(labels[12])) == {0, 1, 2}
    assert not labels[:12].any()
    assert not labels[13:].any()
    screenshot = imread(tmp_path / "screenshot.png")
    assert screenshot.shape[0] >= 600
    assert len(np.unique(screenshot[..., :3].reshape(-1, 3), axis=0)) > 100


def test_a_click_without_a_mask_is_a_failure(
    open_desk: Callable[..., Desk],
    blocks: np.ndarray,
    first_light: ModuleType,
    capsys: pytest.CaptureFixture[str],
) -> None:
    volume = np.zeros((first_light.SLICE + 1, *blocks.shape[1:]), np.uint8)
    volume[first_light.SLICE] = blocks[5]
    desk = open_desk(volume)
    desk.show(first_light.SLICE, 0, 0)
    left = Qt.MouseButton.LeftButton
    assert first_light.segment(desk.viewer, desk.panel, [((10, 10), left)])
    assert not first_light.segment(desk.viewer, desk.panel, [((10, -9), left)], patience=0.3)
    assert "gave no mask" in capsys.readouterr().err
