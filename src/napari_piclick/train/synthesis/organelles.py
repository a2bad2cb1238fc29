"""Organelles of synthetic electron micrographs: mitochondria, vesicles and nuclei."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_piclick.train.synthesis.noise import fractal_noise, smooth_noise
from napari_piclick.train.synthesis.shapes import blob, largest_piece, one_of, smooth_step

if TYPE_CHECKING:
    from napari_piclick.train.synthesis.membranes import Tissue


@dataclass(frozen=True)
class Organelles:
    """Label maps, (H, W) uint16: mitochondria, their insides, vesicles and vacuoles, nuclei."""

    mitochondria: np.ndarray
    insides: np.ndarray
    vesicles: np.ndarray
    nuclei: np.ndarray


@dataclass(frozen=True)
class _Style:
    """What the mitochondria of one picture have in common."""

    darkness: float
    membrane: float
    line: float
    gap: float
    cristae: float
    period: float
    bright_cristae: bool
    wobble: float
    fuzzy: float

    @classmethod
    def drawn(cls, magnification: float, rng: np.random.Generator) -> _Style:
        return cls(
            darkness=rng.uniform(0.08, 0.4),
            membrane=float(np.clip(1.3 * magnification * rng.uniform(0.7, 1.3), 0.8, 4)),
            line=rng.uniform(0.1, 0.5),
            gap=magnification * rng.uniform(1.5, 4),
            cristae=rng.choice([0.0, 0.12, 0.24, 0.36]) * rng.uniform(0.5, 1.2),
            period=float(np.clip(magnification * rng.uniform(4, 11), 3, 30)),
            bright_cristae=bool(rng.random() < 0.5),
            wobble=magnification * rng.uniform(0, 1.2),
            fuzzy=magnification * rng.uniform(0.8, 3),
        )


def place_organelles(
    image: np.ndarray, tissue: Tissue, magnification: float, rng: np.random.Generator
) -> tuple[np.ndarray, Organelles]:
    """Put organelles into cells and paint them.

    Parameters
    ----------
    image : (H, W) float32, the cytoplasm, about 0..1.

    Returns
    -------
    The picture with organelles, and their label maps.
    """
    image = image.copy()
    shape = (image.shape[0], image.shape[1])
    empty = np.zeros(shape, np.uint16)
    free = tissue.distance > 2 * tissue.membrane
    nuclei = empty.copy()
    if rng.random() < 0.3:
        image, nuclei = _place_nuclei(image, tissue, magnification, rng)
        free &= nuclei == 0
    mitochondria, insides = _place_mitochondria(image, tissue, free, magnification, rng)
    free &= mitochondria == 0
    vesicles = _place_vesicles(image, tissue, free, magnification, rng)
    return image, Organelles(mitochondria, insides, vesicles, nuclei)


def _place_mitochondria(
    image: np.ndarray,
    tissue: Tissue,
    free: np.ndarray,
    magnification: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Paint mitochondria where cells have room; labels of the whole and of the inside."""
    shape = (image.shape[0], image.shape[1])
    labels, insides = np.zeros(shape, np.uint16), np.zeros(shape, np.uint16)
    typical = float(np.clip(magnification * rng.uniform(9, 22), 6, 60))
    style = _Style.drawn(magnification, rng)
    grain = fractal_noise(shape, 5 * magnification, rng, octaves=2, roughness=0.8)
    waves = smooth_noise(shape, 3.5 * style.period, rng)
    room = np.flatnonzero(free & (tissue.distance > 0.55 * typical))
    if not room.size:
        room = np.flatnonzero(free & (tissue.distance > 0.7 * tissue.distance.max()))
    wanted = int(np.clip(shape[0] * shape[1] / typical**2 * rng.uniform(0.004, 0.03), 2, 40))
    count = 0
    for _ in range(3 * wanted):
        if not room.size or count >= wanted:
            break
        row, col = one_of(room, shape[1], rng)
        half = min(
            typical * float(np.exp(rng.normal(0, 0.3))),
            float(tissue.distance[row, col]) * rng.uniform(0.75, 1.1),
        )
        if half < 4:
            continue
        long = 1 + 1.8 * rng.random() ** 1.5
        angle = rng.uniform(0, 2 * np.pi)
        where, depth = blob(
            shape,
            (row, col),
            half * np.sqrt(long),
            rng,
            irregularity=rng.uniform(0.02, 0.14),
            elongation=long,
            angle=angle,
            bend=0.2 * rng.normal() if long > 1.6 else 0.0,
        )
        cell = tissue.cells[where] == tissue.cells[row, col]
        wall = tissue.distance[where] - 2.2 * tissue.membrane
        # pixels from the outline, which is the blob's or stays just off the cell's membrane
        pixels = np.minimum(depth * half + style.wobble * waves[where], wall)
        pixels[~cell] = -1
        body = pixels > 0
        area = np.count_nonzero(body)
        if area < 0.8 * np.pi * half * half * np.sqrt(long) or not free[where][body].all():
            continue
        body = largest_piece(body, (row - where[0].start, col - where[1].start))
        pixels = np.where(body, pixels, -1)
        count += 1
        free[where] &= ~ndimage.binary_dilation(body, iterations=2)
        labels[where][body] = count
        insides[where][pixels > style.membrane + style.gap] = count
        image[where] = _paint_mitochondrion(
            image[where], pixels, angle, style, grain[where], waves[where], rng
        )
    return labels, insides


def _paint_mitochondrion(
    ground: np.ndarray,
    pixels: np.ndarray,
    angle: float,
    style: _Style,
    grain: np.ndarray,
    waves: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """A dark, grainy body with two membranes and folds (cristae) that run across it."""
    around = float(np.median(ground))
    matrix = max(around - style.darkness * rng.uniform(0.75, 1.2), 0.12)
    tone = np.full(ground.shape, matrix, np.float32)
    tone += np.float32(rng.uniform(0.02, 0.06)) * grain
    if style.cristae:
        rows = np.arange(ground.shape[0], dtype=np.float32)[:, None]
        cols = np.arange(ground.shape[1], dtype=np.float32)[None]
        turn = angle + (rng.normal(0, 0.3) if rng.random() < 0.75 else np.pi / 2)
        along = np.float32(np.cos(turn)) * cols + np.float32(np.sin(turn)) * rows
        phase = along * np.float32(2 * np.pi / style.period) + np.float32(1.8) * waves
        folds = smooth_step(np.sin(phase + rng.uniform(0, 6)), -0.2, 0.9)
        broken = smooth_step(grain + waves, -1.2, 0.3)  # folds end somewhere
        sign = 1 if style.bright_cristae else -0.8
        inside = smooth_step(pixels, style.membrane, style.membrane + style.gap)
        tone += np.float32(sign * style.cristae * rng.uniform(0.5, 1.3)) * folds * broken * inside
    line = np.float32(style.membrane)
    outer = np.exp(-(((pixels - line) / line) ** 2))
    inner = 0.7 * np.exp(-(((pixels - line - np.float32(style.gap)) / line) ** 2))
    tone -= np.float32(style.line * rng.uniform(0.6, 1.2)) * np.maximum(outer, inner)
    opacity = smooth_step(pixels, -0.5, style.fuzzy)
    return np.asarray(ground + opacity * (np.maximum(tone, 0.02) - ground), np.float32)


def _place_vesicles(
    image: np.ndarray,
    tissue: Tissue,
    free: np.ndarray,
    magnification: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Paint small round vesicles in some cells, and a few large vacuoles and dark bodies.

    Returns
    -------
    (H, W) uint16 labels of those that are large enough to be pointed at.
    """
    shape = (image.shape[0], image.shape[1])
    labels = np.zeros(shape, np.uint16)
    rich = rng.random(int(tissue.cells.max()) + 1) < rng.uniform(0.1, 0.5)
    small = float(np.clip(3.2 * magnification * rng.uniform(0.7, 1.2), 1.5, 9))
    many = int(rng.uniform(0, 1) ** 1.5 * 260 / max(magnification, 0.7))
    few = int(rng.integers(0, 14))
    crowded = np.flatnonzero(free & rich[tissue.cells] & (tissue.distance > 1.3 * small))
    anywhere = np.flatnonzero(free & (tissue.distance > 2 * small))
    count = 0
    for number in range(many + few):
        large = number >= many
        places = anywhere if large else crowded
        if not places.size:
            continue
        row, col = one_of(places, shape[1], rng)
        radius = small * rng.uniform(0.8, 1.2)
        if large:
            radius = min(small * rng.uniform(1.5, 5), 0.7 * float(tissue.distance[row, col]))
        where, depth = blob(
            shape,
            (row, col),
            radius,
            rng,
            irregularity=0.08 if large else 0.0,
            elongation=rng.uniform(1, 1.7) if large else 1.0,
        )
        body = depth > 0
        if not free[where][body].all():
            continue
        ground = image[where]
        edge = max(0.3 * small, 0.8)
        pixels = depth * radius
        ring = np.exp(-(((pixels - edge) / edge) ** 2))
        kind = rng.random()
        tone = ground + (0.08 if large else 0.0)
        if kind < 0.15:  # dense core
            tone = np.full_like(ground, rng.uniform(0.08, 0.35))
        elif large and kind < 0.55:  # vacuole
            tone = np.full_like(ground, rng.uniform(0.7, 0.9))
        tone = tone - np.float32(rng.uniform(0.15, 0.5)) * ring
        image[where] = ground + smooth_step(pixels, -0.5, 0.7) * (tone - ground)
        if large or radius > 5:
            count += 1
            labels[where][body] = count
            free[where] &= ~body
    return labels


def _place_nuclei(
    image: np.ndarray, tissue: Tissue, magnification: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Paint a nucleus into the cells that are thick enough: an envelope around chromatin."""
    shape = (image.shape[0], image.shape[1])
    nuclei = np.zeros(shape, np.uint16)
    thick = 45 * magnification**0.5
    cells = np.unique(tissue.cells[tissue.distance > thick])
    patches = fractal_noise(shape, 28 * magnification, rng, octaves=3, roughness=0.6)
    wave = smooth_noise(shape, 60 * magnification, rng)
    for number, cell in enumerate(cells[:3], start=1):
        inside = tissue.cells == cell
        depth = np.where(inside, tissue.distance, 0) + np.float32(3) * wave
        margin = rng.uniform(0.25, 0.5) * float(depth.max())
        body = largest_piece(depth > margin)
        pixels = ndimage.gaussian_filter(np.where(body, depth - margin, -1), 1.5)
        body = pixels > 0
        nuclei[body] = number
        chromatin = np.float32(rng.uniform(0.08, 0.25)) * smooth_step(patches, 0.2, 0.9)
        chromatin += np.float32(0.15) * np.exp(-((pixels / (4 * magnification)) ** 2))
        tone = np.float32(rng.uniform(0.55, 0.8)) - chromatin
        width = max(1.2 * magnification, 0.9)
        for offset in (0.0, 3.0 * width):
            tone -= np.float32(0.3) * np.exp(-(((pixels - offset) / width) ** 2))
        image = image + smooth_step(pixels, -1, 1) * (tone - image)
    return image.astype(np.float32), nuclei
