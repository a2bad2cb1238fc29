"""The cell source: stained and fluorescent cells with the nuclei that cells have."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage.measure import label

from napari_piclick.train.log_uniform import log_uniform
from napari_piclick.train.scene import Scene
from napari_piclick.train.synthesis.cell_stain import Anatomy, fluorescence, transmitted_light
from napari_piclick.train.synthesis.shapes import blob, scatter

if TYPE_CHECKING:
    from collections.abc import Callable

    Lobes = list[tuple[tuple[float, float], float]]

MIN_NUCLEUS = 12
"""Nuclei of fewer pixels are left out."""


@dataclass(frozen=True)
class CellBody:
    """One cell, as much as its nucleus has to know of it.

    Parameters
    ----------
    center : (row, col) in pixels of its bounding box.
    radius : of the circle of its area, in pixels.
    """

    center: tuple[float, float]
    radius: float


class SyntheticCells:
    """Pictures of cells with round, bent, lobed or several nuclei.

    A nucleus may fall into pieces that belong together, as those of granulocytes do: a click on
    one lobe may mean the lobe, the nucleus or the cell. Targets: cells, nuclei, their lobes,
    cytoplasm, and cells without a nucleus that lie between.

    Parameters
    ----------
    side : side of the square pictures in pixels.
    """

    name = "synthetic_cells"

    def __init__(self, side: int = 384) -> None:
        self.side = side

    def draw(self, rng: np.random.Generator) -> Scene:
        """Draw one picture."""
        radius = self.side * log_uniform(0.05, 0.38, rng)
        cells = self._cells(radius, rng)
        nuclei = self._nuclei(cells, rng)
        plain = self._cells_between(cells, radius, rng)
        paint = transmitted_light if rng.random() < 0.6 else fluorescence
        image, seen = paint(Anatomy(cells, nuclei, plain), rng)
        scene = Scene(image, self.name)
        if seen:
            scene = scene.with_layer(cells, "cell", 0.35)
            scene = scene.with_layer(np.where(nuclei > 0, 0, cells), "cytoplasm", 0.05)
        if nuclei.any():
            scene = scene.with_layer(nuclei, "nucleus", 0.4)
            lobes = label(nuclei)
            if lobes.max() > len(np.unique(nuclei)) - 1:  # some are in several pieces
                scene = scene.with_layer(lobes, "lobe", 0.08)
        if plain.any():
            scene = scene.with_layer(plain, "plain cell", 0.12)
        return scene

    def _cells(self, radius: float, rng: np.random.Generator) -> np.ndarray:
        """(H, W) uint16: round to oval cells, one at least."""
        shape = (self.side, self.side)
        crowd = int(np.clip((self.side / radius) ** 2 * rng.uniform(0.03, 0.25), 1, 60))
        looks = {
            "spread": rng.uniform(0.05, 0.3),
            "irregularity": rng.uniform(0, 0.1),
            "elongation": 1 + rng.random(),
            "overlap": rng.choice([0.0, 0.15]),
        }
        clustered = crowd > 4 and rng.random() < 0.4  # clusters may lie outside
        cells, _ = scatter(shape, radius, crowd, rng, clustered=clustered, **looks)
        while not cells.any():
            cells, _ = scatter(shape, radius, crowd, rng, **looks)
        return cells

    def _nuclei(self, cells: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(H, W) uint16: the nucleus of each cell under the number of the cell."""
        # mostly one kind of cell in a picture
        likely = rng.dirichlet([0.35, 0.3, 0.7, 0.2])
        fills = rng.uniform(0.45, 0.85)
        nuclei = np.zeros_like(cells)
        for number, box in enumerate(ndimage.find_objects(cells), 1):
            if box is None:
                continue
            inside = cells[box] == number
            rows, cols = np.nonzero(inside)
            center = float(rows.mean()), float(cols.mean())
            body = CellBody(center, float(np.sqrt(rows.size / np.pi)))
            size = body.radius * float(np.clip(fills + rng.normal(0, 0.06), 0.35, 0.9))
            nucleus = NUCLEI[rng.choice(len(NUCLEI), p=likely)](inside.shape, body, size, rng)
            # the membrane of the cell stays outside
            nucleus &= ndimage.binary_erosion(inside, np.ones((3, 3)))
            if np.count_nonzero(nucleus) >= MIN_NUCLEUS:
                nuclei[box][nucleus] = number
        return nuclei

    def _cells_between(
        self, cells: np.ndarray, radius: float, rng: np.random.Generator
    ) -> np.ndarray:
        """(H, W) uint16: cells without a nucleus, such as red blood cells, under the others."""
        if rng.random() < 0.5:
            return np.zeros_like(cells)
        size = radius * rng.uniform(0.35, 0.9)
        count = int(np.clip((self.side / size) ** 2 * rng.uniform(0.03, 0.2), 1, 90))
        plain, _ = scatter(
            cells.shape,
            size,
            count,
            rng,
            spread=0.1,
            irregularity=0.03,
            elongation=1.3,
            within=cells == 0,
        )
        return np.where(cells > 0, 0, plain).astype(np.uint16)


def round_nucleus(
    shape: tuple[int, int], body: CellBody, size: float, rng: np.random.Generator
) -> np.ndarray:
    """(H, W) bool: round or oval, in the middle or aside."""
    free = max(body.radius - size, 0.0)
    place = _beside(body.center, rng.uniform(0, 0.9) * free, rng.uniform(0, 2 * np.pi))
    return _drawn(shape, [(place, size)], rng, irregularity=rng.uniform(0, 0.08))


def bent_nucleus(
    shape: tuple[int, int], body: CellBody, size: float, rng: np.random.Generator
) -> np.ndarray:
    """(H, W) bool: a bean or a horseshoe, as of monocytes and bands."""
    bend = rng.uniform(0.2, 0.65) * rng.choice([-1, 1])
    place = _beside(body.center, rng.uniform(0, 0.3) * body.radius, rng.uniform(0, 2 * np.pi))
    return _drawn(shape, [(place, 0.8 * size)], rng, elongation=rng.uniform(1.3, 2.2), bend=bend)


def lobed_nucleus(
    shape: tuple[int, int], body: CellBody, size: float, rng: np.random.Generator
) -> np.ndarray:
    """(H, W) bool: two to five lobes along an arc, apart or joined by bridges."""
    count = int(rng.integers(2, 6))
    step = np.deg2rad(rng.uniform(200, 300)) / count * rng.choice([-1, 1])
    reach = max(size, 0.6 * body.radius) * rng.uniform(0.65, 0.95)
    # half of the way to the next lobe, more or less: they touch or they do not
    lobe = reach * float(np.sin(abs(step) / 2)) * rng.uniform(0.75, 1.15)
    turn = rng.uniform(0, 2 * np.pi)
    places: Lobes = []
    for _ in range(count):
        away = reach * rng.uniform(0.8, 1.1)
        places.append((_beside(body.center, away, turn), lobe * rng.uniform(0.8, 1.2)))
        turn += step * rng.uniform(0.8, 1.2)
    nucleus = _drawn(shape, places, rng, irregularity=0.06)
    width = lobe * rng.uniform(0.15, 0.8)
    joined = rng.choice([0.1, 0.9])
    for (one, _), (other, _) in pairwise(places):
        if rng.random() < joined:
            nucleus |= _bridge(shape, one, other, width)
    return nucleus


def several_nuclei(
    shape: tuple[int, int], body: CellBody, size: float, rng: np.random.Generator
) -> np.ndarray:
    """(H, W) bool: two or three round ones, which count as one object and as single ones."""
    count = int(rng.integers(2, 4))
    turn = rng.uniform(0, 2 * np.pi)
    each = size * 0.85 / count**0.6
    places = [
        (_beside(body.center, 1.15 * each, turn + 2 * np.pi * k / count), each)
        for k in range(count)
    ]
    return _drawn(shape, places, rng, irregularity=0.05)


#: What nuclei there are.
NUCLEI: tuple[
    Callable[[tuple[int, int], CellBody, float, np.random.Generator], np.ndarray], ...
] = (round_nucleus, bent_nucleus, lobed_nucleus, several_nuclei)


def _beside(center: tuple[float, float], away: float, turn: float) -> tuple[float, float]:
    return center[0] + away * float(np.sin(turn)), center[1] + away * float(np.cos(turn))


def _drawn(
    shape: tuple[int, int],
    places: Lobes,
    rng: np.random.Generator,
    *,
    elongation: float | None = None,
    irregularity: float = 0.04,
    bend: float = 0.0,
) -> np.ndarray:
    """(H, W) bool: a blob at each place, of the radius that stands beside it."""
    mask = np.zeros(shape, bool)
    for center, radius in places:
        where, depth = blob(
            shape,
            center,
            max(radius, 1.0),
            rng,
            irregularity=irregularity,
            elongation=float(rng.uniform(1, 1.4)) if elongation is None else elongation,
            bend=bend,
        )
        mask[where] |= depth > 0
    return mask


def _bridge(
    shape: tuple[int, int], one: tuple[float, float], other: tuple[float, float], width: float
) -> np.ndarray:
    """(H, W) bool: what lies within half of ``width`` of the line between two points."""
    rows, cols = np.ogrid[: shape[0], : shape[1]]
    along = np.subtract(other, one)
    length = max(float(along @ along), 1e-6)
    t = np.clip(((rows - one[0]) * along[0] + (cols - one[1]) * along[1]) / length, 0, 1)
    away = np.hypot(rows - one[0] - t * along[0], cols - one[1] - t * along[1])
    return np.asarray(away <= max(width / 2, 1.0))
