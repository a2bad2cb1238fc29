"""The plot of a run: its losses, and its validation scores, against the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from napari_piclick.io.whole_file import whole_file
from napari_piclick.train.log import read_rows
from napari_piclick.train.losses import PARTS

if TYPE_CHECKING:
    from pathlib import Path

WIDTH, HEIGHT = 360, 200
COLUMNS = 2
#: Losses are averaged over this share of the run.
SMOOTHING = 0.02
_LEFT, _TOP, _RIGHT, _BOTTOM = 48, 26, 348, 176
_SCALE = 2  # drawn larger and reduced, so that lines are smooth


def draw_losses(run: Path) -> Path | None:
    """Draw the log of a run as ``losses.png`` beside it.

    Parameters
    ----------
    run : Path
        Folder of the run, with ``losses.csv`` and perhaps ``validation.csv``.

    Returns
    -------
    Path or None
        The picture; None if nothing was logged yet.
    """
    if not (run / "losses.csv").exists():
        return None
    rows = read_rows(run / "losses.csv")
    if not rows:
        return None
    steps = np.array([row["step"] for row in rows])
    curves = {
        part: (steps, _smooth(np.array([row[part] for row in rows])))
        for part in PARTS
        if part in rows[0]
    }
    if (run / "validation.csv").exists():
        scores = read_rows(run / "validation.csv")
        curves["validation score"] = (
            np.array([row["step"] for row in scores]),
            np.array([row["score"] for row in scores]),
        )
    lines = -(-len(curves) // COLUMNS)
    size = (COLUMNS * WIDTH, lines * HEIGHT)
    picture = Image.new("RGB", (size[0] * _SCALE, size[1] * _SCALE), "white")
    draw = ImageDraw.Draw(picture)
    for number, (name, (x, y)) in enumerate(curves.items()):
        row, column = divmod(number, COLUMNS)
        _draw_curve(draw, (column * WIDTH, row * HEIGHT), name, x, y)
    path = run / "losses.png"
    with whole_file(path) as part:
        picture.resize(size, Image.Resampling.LANCZOS).save(part)
    return path


def _smooth(values: np.ndarray) -> np.ndarray:
    """Running mean that shortens at the ends."""
    reach = max(1, round(SMOOTHING * len(values)))
    total = np.concatenate([[0.0], np.cumsum(values)])
    middle = np.arange(len(values))
    low, high = np.maximum(middle - reach, 0), np.minimum(middle + reach + 1, len(values))
    mean: np.ndarray = (total[high] - total[low]) / (high - low)
    return mean


def _draw_curve(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], name: str, x: np.ndarray, y: np.ndarray
) -> None:
    font = ImageFont.load_default(12 * _SCALE)
    low, high = float(y.min()), float(y.max())
    margin = 0.05 * (high - low) or 0.5
    low, high = low - margin, high + margin
    last = max(float(x.max()), 1.0)

    def place(column: float, row: float) -> tuple[float, float]:
        return (corner[0] + column) * _SCALE, (corner[1] + row) * _SCALE

    def point(step: float, value: float) -> tuple[float, float]:
        return place(
            _LEFT + (_RIGHT - _LEFT) * step / last,
            _BOTTOM - (_BOTTOM - _TOP) * (value - low) / (high - low),
        )

    axes = [place(_LEFT, _TOP), place(_LEFT, _BOTTOM), place(_RIGHT, _BOTTOM)]
    draw.line(axes, "#444444", _SCALE)
    for value in (y.min(), y.max()):
        draw.text(point(0, float(value)), f"{value:.3g} ", "#444444", font, "rm")
    draw.text(place(_LEFT, _BOTTOM + 12), "0", "#444444", font, "mm")
    draw.text(place(_RIGHT, _BOTTOM + 12), f"step {last:.0f}", "#444444", font, "rm")
    draw.text(place(_LEFT, _TOP - 12), name, "#000000", font, "lm")
    points = [point(float(a), float(b)) for a, b in zip(x, y, strict=True)]
    draw.line(points, "#0072B2", 2 * _SCALE, "curve")
