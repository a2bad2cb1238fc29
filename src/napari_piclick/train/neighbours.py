"""Touching objects: which labels are neighbours, and random unions of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection


def touching_pairs(labels: np.ndarray, gap: int = 3) -> np.ndarray:
    """Pairs of labels that come within ``gap`` pixels of each other along a row or column.

    Parameters
    ----------
    labels : (H, W) label map, 0 is nothing.

    Returns
    -------
    (P, 2) int64, each pair once, the smaller label first.
    """
    found = []
    base = int(labels.max(initial=0)) + 1
    for step in range(1, gap + 1):
        for one, other in (
            (labels[:-step], labels[step:]),
            (labels[:, :-step], labels[:, step:]),
        ):
            differ = (one != other) & (one > 0) & (other > 0)
            a, b = one[differ].astype(np.int64), other[differ].astype(np.int64)
            found.append(np.unique(np.minimum(a, b) * base + np.maximum(a, b)))
    codes = np.unique(np.concatenate(found))
    return np.stack([codes // base, codes % base], axis=1)


def grow_unions(
    labels: np.ndarray,
    values: Collection[int],
    rng: np.random.Generator,
    *,
    count: int = 8,
    largest: int = 4,
) -> list[tuple[int, ...]]:
    """Draw unions of two to ``largest`` touching labels.

    Parameters
    ----------
    labels : (H, W) label map.
    values : the labels that may take part.
    count : number of draws; fewer unions come back if draws coincide or nothing touches.

    Returns
    -------
    List of sorted tuples of labels.
    """
    neighbours: dict[int, list[int]] = {}
    for a, b in touching_pairs(labels[::2, ::2], gap=2).tolist():
        if a in values and b in values:
            neighbours.setdefault(a, []).append(b)
            neighbours.setdefault(b, []).append(a)
    if not neighbours:
        return []
    starts = sorted(neighbours)
    unions: dict[tuple[int, ...], None] = {}
    for _ in range(count):
        union = {starts[rng.integers(len(starts))]}
        for _ in range(int(rng.integers(1, largest))):
            border = sorted({n for value in union for n in neighbours[value]} - union)
            if not border:
                break
            union.add(border[rng.integers(len(border))])
        unions[tuple(sorted(union))] = None
    return list(unions)
