"""Shapes: blobs, worms and tessellations drawn from smooth noise, alone, touching or nested."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_piclick.train.synthesis.noise import smooth_noise


def blob(
    shape: tuple[int, int],
    center: tuple[float, float],
    radius: float,
    rng: np.random.Generator,
    *,
    irregularity: float = 0.15,
    elongation: float = 1.0,
    angle: float | None = None,
    bend: float = 0.0,
) -> tuple[tuple[slice, slice], np.ndarray]:
    """A closed shape whose outline waves about an ellipse.

    Parameters
    ----------
    shape : (height, width) of the picture.
    center : (row, col) in pixels.
    radius : geometric mean of the half axes, in pixels.
    irregularity : size of the waves, relative to the radius.
    elongation : long axis over short axis.
    angle : direction of the long axis in radians; None draws it.
    bend : curvature of the long axis, as a bean or a banana has; about -1 to 1.

    Returns
    -------
    The slices of its bounding box, cut at the border of the picture, and
    (h, w) float32 there: depth, which is above 0 inside, 0 on the outline, 1 in the middle.
    The box may be empty if the shape lies outside the picture.
    """
    angle = rng.uniform(0, 2 * np.pi) if angle is None else angle
    reach = radius * np.sqrt(elongation) * (1.1 + 3 * irregularity + abs(bend)) + 2
    slices = []
    for middle, limit in zip(center, shape, strict=True):
        low = int(np.clip(np.floor(middle - reach), 0, limit))
        slices.append(slice(low, int(np.clip(np.ceil(middle + reach) + 1, low, limit))))
    rows = np.arange(slices[0].start, slices[0].stop, dtype=np.float32)[:, None] - center[0]
    cols = np.arange(slices[1].start, slices[1].stop, dtype=np.float32)[None] - center[1]
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along = (cos * cols + sin * rows) / np.float32(radius * np.sqrt(elongation))
    across = (cos * rows - sin * cols) / np.float32(radius / np.sqrt(elongation))
    if bend:
        across = across - np.float32(bend * np.sqrt(elongation)) * (along**2 - 0.4)
    turn = np.arctan2(across, along)
    outline = np.ones_like(turn)
    if irregularity:
        for wave in range(2, 8):
            size = irregularity * rng.normal() / (wave - 1)
            outline += np.float32(size) * np.cos(wave * turn + rng.uniform(0, 2 * np.pi))
    depth = 1 - np.hypot(along, across) / np.maximum(outline, 0.2)
    return (slices[0], slices[1]), depth.astype(np.float32)


def tessellation(
    shape: tuple[int, int], count: int, scale: float, rng: np.random.Generator
) -> np.ndarray:
    """Regions in which one of ``count`` smooth noise fields is the largest.

    Returns
    -------
    (height, width) uint16, values 1 to ``count``; a value may have several pieces
    (Hoffmann et al., SynthMorph, 2022).
    """
    fields = np.stack([smooth_noise(shape, scale, rng) for _ in range(count)])
    return (np.argmax(fields, axis=0) + 1).astype(np.uint16)


def scatter(
    shape: tuple[int, int],
    radius: float,
    count: int,
    rng: np.random.Generator,
    *,
    spread: float = 0.3,
    irregularity: float = 0.12,
    elongation: float = 1.5,
    overlap: float = 0.15,
    clustered: bool = False,
    within: np.ndarray | None = None,
    bend: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Many blobs of one kind, one label each; they may touch.

    Parameters
    ----------
    radius : typical radius in pixels; single blobs differ by a factor of about exp(spread).
    count : how many to try; those that would overlap others too much are left out.
    elongation : largest long axis over short axis.
    overlap : largest part of a blob that may be hidden under earlier ones.
    clustered : True puts them around a few points, so that most touch.
    within : (H, W) bool, where centres may lie.

    Returns
    -------
    labels : (H, W) uint16.
    depth : (H, W) float32, 0 on the outlines and outside, up to 1 in the middle.
    """
    labels = np.zeros(shape, np.uint16)
    depth = np.zeros(shape, np.float32)
    seats = rng.uniform(0, 1, (max(1, count // 8), 2)) * shape
    places = np.flatnonzero(within) if within is not None else None
    if places is not None and not places.size:
        return labels, depth
    placed = 0
    for _ in range(count):
        size = radius * float(np.exp(rng.normal(0, spread)))
        if places is not None:
            center = np.array(np.unravel_index(places[rng.integers(len(places))], shape), float)
        elif clustered:
            center = seats[rng.integers(len(seats))] + rng.normal(0, 2.2 * radius, 2)
        else:
            center = rng.uniform(0, 1, 2) * shape
        where, inside = blob(
            shape,
            (float(center[0]), float(center[1])),
            size,
            rng,
            irregularity=irregularity,
            elongation=float(rng.uniform(1, elongation)),
            bend=bend * float(rng.normal()),
        )
        body = inside > 0
        area = np.count_nonzero(body)
        taken = body & (labels[where] > 0)
        if not area or np.count_nonzero(taken) > overlap * area:
            continue
        body &= ~taken
        placed += 1
        labels[where][body] = placed
        depth[where][body] = inside[body]
    return labels, depth


def outline(labels: np.ndarray) -> np.ndarray:
    """(H, W) bool: pixels whose right or lower neighbour carries another label."""
    edge = np.zeros(labels.shape, bool)
    edge[:-1] |= labels[:-1] != labels[1:]
    edge[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    return edge


def smooth_step(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, a smooth slope in between; float32."""
    t = np.clip((values - np.float32(low)) / np.float32(max(high - low, 1e-6)), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def one_of(places: np.ndarray, width: int, rng: np.random.Generator) -> tuple[int, int]:
    """(row, col) of any of the pixels of a picture so wide whose flat indices these are."""
    return divmod(int(places[rng.integers(places.size)]), width)


def largest_piece(mask: np.ndarray, containing: tuple[int, int] | None = None) -> np.ndarray:
    """The connected piece of a mask that holds a point, or else its largest piece."""
    pieces, count = ndimage.label(mask)
    if count < 2:
        return mask
    number = int(pieces[containing]) if containing is not None else 0
    if not number:
        number = int(np.bincount(pieces.ravel())[1:].argmax()) + 1
    return np.asarray(pieces == number)
