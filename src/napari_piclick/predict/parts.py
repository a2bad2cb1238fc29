"""Parts: what of a proposal is as bright as the place clicked, offered beside the network's masks.

Who clicks a nucleus may mean the nucleus or its cell; who clicks the core of a tumour, the core or
the tumour. The network often proposes only one of them, though the other is plain from its
brightness. So of the proposals of a first click, the one that is most like a better one gives its
place to such a part.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_multiotsu, threshold_otsu

from napari_piclick.proposals import DUPLICATE_IOU, overlaps
from napari_piclick.region import Region

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_piclick.clicks import Click
    from napari_piclick.proposals import Proposals

#: A proposal gives its place to something else if its IoU with a better one is at least this.
TWIN = 0.8
#: Parts are sought on a grid of at most so many pixels in each direction.
GRID = 256
#: Smaller proposals, in pixels of that grid, are not divided.
SMALLEST = 80
#: A part differs from the rest if this share of the variance is between them, not within.
DIFFERS = 0.7
#: What is this much smaller than the side of a proposal is smoothed away, in the picture ...
SMOOTHING = 1 / 60
#: ... and cut off from a part.
OPENING = 1 / 40
#: Pieces of a part count, if they have this share of the pixels of the piece clicked.
PIECE = 0.1


class Part(NamedTuple):
    """A part of a proposal.

    Parameters
    ----------
    of : int
        Index of the proposal.
    mask : (h, w) bool
    separation : float in [0, 1]
        Share of the variance of brightness that is between the part and the rest of the proposal
        (Otsu's criterion).
    """

    of: int
    mask: np.ndarray
    separation: float


def with_part(proposals: Proposals, pixels: np.ndarray, clicks: Sequence[Click]) -> Proposals:
    """Offer a part of some proposal in the place of the one that is most like a better one.

    Parameters
    ----------
    proposals : Proposals
        Best first.
    pixels : (3, h, w) float32
        The image on the proposals' region.
    clicks : sequence of Click
        All of them lie on the right side of the part; the first positive one tells it.

    Returns
    -------
    Proposals
        As many, the first one unchanged; the same ones if no part differs from what it is part of,
        or no two of them are alike.
    """
    region, count = proposals.region, len(proposals)
    positive = [click.pixel for click in clicks if click.positive]
    if count < 3 or not positive or not region.contains(*positive[0]):
        return proposals
    step = -(-max(region.shape) // GRID)
    masks = proposals.masks[:, ::step, ::step] > proposals.threshold
    row, col = positive[0]
    place = ((row - region.row0) // step, (col - region.col0) // step)
    alike = overlaps(masks)
    likeness = [alike[k, :k].max() for k in range(1, count)]
    if max(likeness) < TWIN:  # all of them show something of their own
        return proposals
    twin = 1 + int(np.argmax(likeness))
    found = [
        part
        for part in _parts(pixels[:, ::step, ::step], masks, place)
        if _on_right_side(part, clicks, region, step)
    ]
    if not found:
        return proposals
    kept = np.delete(np.arange(count), twin)
    part = _most_said(masks[kept], found)
    if part is None:
        return proposals
    mask = part.mask.repeat(step, 0).repeat(step, 1)[: region.shape[0], : region.shape[1]]
    return _in_place(proposals, kept, part, mask)


def _parts(pixels: np.ndarray, masks: np.ndarray, place: tuple[int, int]) -> Iterator[Part]:
    """The parts, of all proposals that hold a place, that the place is in and that differ."""
    for index, mask in enumerate(masks):
        if not mask[place] or np.count_nonzero(mask) < SMALLEST:
            continue
        side = float(np.sqrt(np.count_nonzero(mask)))
        sigma = max(0.7, side * SMOOTHING)
        box = Region.of_mask(mask)
        assert box is not None
        height, width = (n + 2 * int(np.ceil(4 * sigma)) for n in box.shape)
        around = Region.around(box.center, (height, width), mask.shape).union(box)
        inside = mask[around.slices]
        grey = ndimage.gaussian_filter(_grey(pixels[:, *around.slices], inside), sigma)
        at = (place[0] - around.row0, place[1] - around.col0)
        values = grey[inside]
        for alike in _as_bright(grey, values, at):
            piece = _tidy(alike & inside, at, max(1, int(side * OPENING)))
            if piece is None:
                continue
            separation = _separation(values, piece[inside])
            if separation >= DIFFERS:
                yield Part(index, around.paste(piece & inside, mask.shape), separation)


def _grey(pixels: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(h, w) what varies most inside a mask, of (3, h, w): the first principal component."""
    values = pixels[:, inside]
    axis = np.linalg.eigh(np.cov(values))[1][:, -1]
    grey: np.ndarray = np.tensordot(axis, pixels, 1)
    return grey


def _as_bright(
    grey: np.ndarray, values: np.ndarray, place: tuple[int, int]
) -> Iterator[np.ndarray]:
    """What is on the same side of Otsu's threshold as a place, and what of three classes."""
    if float(np.ptp(values)) < 1e-3:
        return
    here = grey[place]
    middle = threshold_otsu(values)
    if _separation(values, values > middle) < DIFFERS:  # no other threshold separates more
        return
    yield grey > middle if here > middle else grey <= middle
    try:
        low, high = threshold_multiotsu(values, 3)
    except ValueError:  # fewer than three values
        return
    if here <= low:
        yield grey <= low
    elif here > high:
        yield grey > high


def _tidy(alike: np.ndarray, place: tuple[int, int], opening: int) -> np.ndarray | None:
    """Without what is thin, what is far smaller than the piece clicked, and holes."""
    opened = ndimage.binary_opening(np.pad(alike, 1), iterations=opening)[1:-1, 1:-1]
    if not opened[place]:
        return None
    pieces, _ = ndimage.label(opened)
    sizes = np.bincount(pieces.ravel())
    large = sizes >= PIECE * sizes[pieces[place]]
    large[0] = False
    filled: np.ndarray = ndimage.binary_fill_holes(large[pieces])
    return filled


def _separation(values: np.ndarray, inside: np.ndarray) -> float:
    """The share of the variance of values that is between those inside and the others."""
    share = float(inside.mean())
    if share in (0.0, 1.0):
        return 0.0
    apart = float(values[inside].mean() - values[~inside].mean())
    return share * (1 - share) * apart**2 / max(float(values.var()), 1e-9)


def _on_right_side(part: Part, clicks: Sequence[Click], region: Region, step: int) -> bool:
    """Whether a part holds all positive clicks and no negative one."""
    for click in clicks:
        row, col = click.pixel
        held = region.contains(row, col) and bool(
            part.mask[(row - region.row0) // step, (col - region.col0) // step]
        )
        if held != click.positive:
            return False
    return True


def _most_said(kept: np.ndarray, found: Sequence[Part]) -> Part | None:
    """The part that stands for most others, as far as what is kept does not show them.

    It is the step of the greedy method for facility location, each part weighing as much as it
    differs from the rest of its proposal. None if what is kept shows all parts.
    """
    masks = np.stack([part.mask for part in found])
    alike = overlaps(np.concatenate([masks, kept]))[: len(found)]
    shown = alike[:, len(found) :].max(1)
    weights = np.array([part.separation for part in found])
    said = weights @ np.maximum(alike[:, : len(found)] - shown[:, None], 0)
    said[shown > DUPLICATE_IOU] = 0
    return found[int(said.argmax())] if said.any() else None


def _in_place(proposals: Proposals, kept: np.ndarray, part: Part, mask: np.ndarray) -> Proposals:
    """The proposals that are kept and a part, in the order of their scores.

    The network does not judge the part: its IoU score is that of what it is part of, times its
    separation, and its confidence the same.
    """
    masks = np.concatenate([proposals.masks[kept], (proposals.masks[part.of] * mask)[None]])
    iou = np.append(proposals.iou[kept], proposals.iou[part.of] * part.separation)
    confidence = np.append(proposals.confidence[kept], proposals.confidence[part.of])
    last = len(kept)
    score = iou * confidence
    before = 1 + np.count_nonzero(score[1:last] >= score[last])  # the model's own pick stays first
    order = np.insert(np.arange(last), before, last)
    return replace(
        proposals,
        masks=masks[order],
        iou=iou[order].astype(np.float32),
        confidence=confidence[order].astype(np.float32),
        part=int(before),
    )
