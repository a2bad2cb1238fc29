"""The electron micrograph source: cells packed in membranes, and the organelles in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from napari_piclick.train.log_uniform import log_uniform
from napari_piclick.train.neighbours import touching_pairs
from napari_piclick.train.scene import Scene
from napari_piclick.train.synthesis.intensity import stretch_to_grey_levels
from napari_piclick.train.synthesis.noise import fractal_noise, smooth_noise
from napari_piclick.train.synthesis.organelles import Organelles, place_organelles
from napari_piclick.train.synthesis.shapes import outline, smooth_step


@dataclass(frozen=True)
class Tissue:
    """Packed cells.

    Parameters
    ----------
    cells : (H, W) uint16, one label per cell, membranes included.
    distance : (H, W) float32, distance to the middle of the nearest membrane in pixels.
    membrane : half the thickness of a membrane in pixels.
    """

    cells: np.ndarray
    distance: np.ndarray
    membrane: float


class SyntheticMembranes:
    """Pictures like those of an electron microscope: brain tissue stained for membranes.

    Targets: every mitochondrion, its inside, every other organelle, every cell, nuclei, and
    unions of neighbouring cells.

    Parameters
    ----------
    side : side of the square pictures in pixels.
    """

    name = "synthetic_em"

    def __init__(self, side: int = 448) -> None:
        self.side = side

    def draw(self, rng: np.random.Generator) -> Scene:
        """Draw one picture."""
        shape = (self.side, self.side)
        magnification = log_uniform(0.5, 2.4, rng)
        tissue = pack_cells(shape, magnification, rng)
        image = _paint_cytoplasm(tissue, magnification, rng)
        image, organelles = place_organelles(image, tissue, magnification, rng)
        image = _paint_membranes(image, tissue, rng)
        image = _micrograph(image, rng)
        return self._scene(image, tissue, organelles)

    def _scene(self, image: np.ndarray, tissue: Tissue, organelles: Organelles) -> Scene:
        cells = np.where(tissue.distance > 0.6 * tissue.membrane, tissue.cells, 0)
        scene = Scene(image, self.name)
        scene = scene.with_layer(cells.astype(np.uint16), "cell", 0.25, mergeable=True)
        for layer, group, share in (
            (organelles.mitochondria, "mitochondrion", 0.6),
            (organelles.insides, "inside of a mitochondrion", 0.06),
            (organelles.vesicles, "vesicle", 0.08),
            (organelles.nuclei, "nucleus", 0.15),
        ):
            if layer.any():
                scene = scene.with_layer(layer, group, share)
        return scene


def pack_cells(shape: tuple[int, int], magnification: float, rng: np.random.Generator) -> Tissue:
    """Fill the plane with cells of very different sizes and bent outlines.

    Small Voronoi cells, denser in some places than in others, are merged at random, which
    gives the branching, non-convex profiles of neurites; then everything is bent.
    """
    half = (shape[0] // 2, shape[1] // 2)
    diameter = magnification * log_uniform(12, 45, rng)
    density = np.exp(rng.uniform(0.3, 1.0) * smooth_noise(half, max(half) / 2.5, rng))
    chance = np.clip(density * (1 / diameter**2), 0, 1)
    seeds = np.argwhere(rng.random(half, dtype=np.float32) < chance).astype(np.float64)
    if len(seeds) < 3:
        seeds = rng.uniform(0, 1, (3, 2)) * half
    seeds += rng.uniform(-0.5, 0.5, seeds.shape)
    where = np.indices(half, np.float32)
    for scale, size in ((1.2 * diameter, 0.2 * diameter), (5 * diameter, 0.5 * diameter)):
        for axis in range(2):
            where[axis] += np.float32(size * rng.uniform(0.3, 1)) * smooth_noise(half, scale, rng)
    grain = float(np.exp(rng.normal(0, 0.25)))  # fibres run in one direction, more or less
    where[0] *= grain
    where[1] /= grain
    seeds *= (grain, 1 / grain)
    cells = cKDTree(seeds).query(where.reshape(2, -1).T)[1].reshape(half).astype(np.int64) + 1
    cells = _merge(cells, rng.uniform(0.1, 0.7), rng)
    cells = np.kron(cells, np.ones((2, 2), np.uint16)).astype(np.uint16)
    cells = np.pad(cells, [(0, side - 2 * h) for side, h in zip(shape, half, strict=True)], "edge")
    distance = ndimage.distance_transform_edt(~outline(cells)).astype(np.float32)
    membrane = float(np.clip(1.7 * magnification * np.exp(rng.normal(0, 0.25)), 0.9, 5))
    # rounds the corners of the cells, where three membranes meet
    distance = ndimage.gaussian_filter(distance, 1.0 + 0.6 * membrane, truncate=2)
    distance -= np.float32(0.4 * (1.0 + 0.6 * membrane))
    return Tissue(cells, distance, membrane)


def _merge(cells: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Merge a share of the touching pairs, and number the cells anew from 1."""
    parent = np.arange(int(cells.max()) + 1)
    size = np.ones(len(parent))

    def root(cell: int) -> int:
        while parent[cell] != cell:
            parent[cell] = parent[parent[cell]]
            cell = int(parent[cell])
        return cell

    pairs = touching_pairs(cells, gap=1)
    largest = rng.integers(3, 30)
    for one, other in rng.permutation(pairs)[: round(share * len(parent))].tolist():
        a, b = root(one), root(other)
        if a != b and size[a] + size[b] <= largest:
            parent[b] = a
            size[a] += size[b]
    roots = np.array([root(cell) for cell in range(len(parent))])
    return np.unique(roots[cells], return_inverse=True)[1].reshape(cells.shape) + 1


def _paint_cytoplasm(tissue: Tissue, magnification: float, rng: np.random.Generator) -> np.ndarray:
    """Brightness of the cells without their organelles; (H, W) float32, about 0..1."""
    shape = tissue.cells.shape
    count = int(tissue.cells.max()) + 1
    tone = rng.uniform(0.62, 0.78) + rng.uniform(0.01, 0.06) * rng.standard_normal(count)
    dark = rng.random(count) < rng.choice([0.0, 0.04, 0.12])
    tone = np.where(dark, tone - rng.uniform(0.15, 0.35), tone).astype(np.float32)
    rough = rng.uniform(0.2, 1.6, count).astype(np.float32)[tissue.cells]
    image = tone[tissue.cells]
    grain = fractal_noise(shape, rng.uniform(4, 9) * magnification, rng, octaves=2, roughness=0.7)
    image += np.float32(rng.uniform(0.02, 0.075)) * rough * grain
    specks = smooth_noise(shape, rng.uniform(4, 7) * magnification, rng)
    image -= np.float32(rng.uniform(0.05, 0.25)) * rough * smooth_step(specks, 1.2, 2.0)
    # out of focus smudges: membranes cut at a slant, densities of synapses
    smudge = smooth_noise(shape, rng.uniform(25, 50) * magnification, rng)
    return image - np.float32(rng.uniform(0, 0.3)) * smooth_step(smudge, 1.5, 2.8)


def _paint_membranes(image: np.ndarray, tissue: Tissue, rng: np.random.Generator) -> np.ndarray:
    """Draw the dark lines between the cells, fainter where the section meets them at a slant."""
    shape = image.shape
    slant = smooth_step(smooth_noise(shape, 40, rng), rng.uniform(0.6, 1.6), 2.6)
    width = tissue.membrane * (1 + 1.5 * slant)
    line = np.exp(-((tissue.distance / width) ** 2)) * (1 - 0.6 * slant)
    line *= 1 + 0.15 * smooth_noise(shape, 6, rng)
    darkness = rng.uniform(0.45, 1.0)
    tone = rng.uniform(0.05, 0.3)
    return np.asarray(image + np.float32(darkness) * line * (tone - image), np.float32)


def _micrograph(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Focus, uneven beam and shot noise, and grey levels 0..255."""
    shape = (image.shape[0], image.shape[1])
    image = ndimage.gaussian_filter(image, rng.uniform(0.3, 1.0), truncate=3)
    image = image * (1 + np.float32(rng.uniform(0, 0.1)) * smooth_noise(shape, 250, rng))
    noise = rng.standard_normal(shape, dtype=np.float32)
    if rng.random() < 0.5:
        noise = 1.9 * ndimage.gaussian_filter(noise, 0.6, truncate=2.5)
    image = image + np.float32(rng.uniform(0.01, 0.09)) * noise
    return stretch_to_grey_levels(image, rng, clipped=1.0)
