"""The contact sheet: the best, the median and the worst objects of a run, as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage.segmentation import find_boundaries

from napari_piclick.eval.annotation import annotate_object, show_image, whole_window
from napari_piclick.eval.metrics import iou_at
from napari_piclick.io.whole_file import whole_file
from napari_piclick.region import Region

if TYPE_CHECKING:
    import os

    from napari_piclick.clicks import Click
    from napari_piclick.eval.datasets.dataset import Dataset, Sample
    from napari_piclick.eval.object_result import ObjectResult
    from napari_piclick.eval.protocol import Segmenter
    from napari_piclick.eval.results import Results
    from napari_piclick.proposals import Proposals

#: Objects of each kind.
OF_EACH = 2
#: Side of each little picture, and the line of words above it, in pixels.
TILE, WORDS = 160, 30

_TRUTH, _MASK = (255, 200, 0), (0, 160, 255)
_POSITIVE, _NEGATIVE = (0, 220, 60), (255, 40, 40)
#: Part of the plane shown about an object, in sizes of the object; at least so many pixels.
_MARGIN, _LEAST = 2.0, 64


class _Look(NamedTuple):
    """The proposals after a click, as they are to be shown."""

    proposals: Proposals
    masks: np.ndarray


def draw_contact_sheet(
    dataset: Dataset, predictor: Segmenter, results: Results, path: str | os.PathLike[str]
) -> None:
    """Click the best, median and worst objects once more, and write a picture of them.

    Objects are ranked by their mean IoU over all clicks. Each has a row: the object (outlined
    yellow), then all clicks (green on the object, red off it) with the last mask (blue), then the
    proposals after the first click, the one that counted marked by a blue frame.

    Parameters
    ----------
    dataset, predictor, results : of the run.
    path : the picture to write.

    Raises
    ------
    OSError, ValueError
        If the picture cannot be written, or not in this format.
    """
    rows = []
    for kind, result in _chosen(results):
        sample = next(s for s in dataset.samples(result.image) if s.object_name == result.object)
        show_image(dataset, sample, predictor, results.protocol)
        looks: list[_Look] = []
        again = annotate_object(
            sample,
            predictor,
            results.protocol,
            on_proposals=lambda p, m, looks=looks: looks.append(_Look(p, m)),  # type: ignore[misc]
        )
        rows.append(_row(kind, sample, again, looks[0], looks[-1]))
    width = max(row.width for row in rows)
    sheet = Image.new("RGB", (width, sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    with whole_file(Path(path)) as part:
        sheet.save(part)


def _chosen(results: Results) -> list[tuple[str, ObjectResult]]:
    """The best, median and worst objects; fewer if there are not so many."""
    last = results.protocol.max_clicks
    means = [
        np.mean([iou_at(result.ious, k) for k in range(1, last + 1)]) for result in results.objects
    ]
    ranked = np.argsort(-np.array(means), kind="stable")
    middle = max((len(ranked) - OF_EACH) // 2, 0)
    kinds = [*(("best", k) for k in range(OF_EACH))]
    kinds += [("median", middle + k) for k in range(OF_EACH)]
    kinds += [("worst", len(ranked) - OF_EACH + k) for k in range(OF_EACH)]
    chosen: dict[int, str] = {}
    for kind, rank in kinds:
        if 0 <= rank < len(ranked):
            chosen.setdefault(int(ranked[rank]), kind)
    return [(kind, results.objects[index]) for index, kind in chosen.items()]


def _row(kind: str, sample: Sample, result: ObjectResult, first: _Look, last: _Look) -> Image.Image:
    frame = _frame(sample.mask)
    plane = _gray(sample, frame)
    tiles = [
        (f"{kind}: {sample.image_stem}", f"object {sample.object_name}",
         _tile(plane, frame, truth=sample.mask)),
        (f"{len(result.clicks)} clicks", f"IoU {result.ious[0]:.2f} to {result.ious[-1]:.2f}",
         _tile(plane, frame, mask=_on_plane(last, last.proposals.chosen), clicks=result.clicks)),
    ]  # fmt: skip
    for k in range(len(first.masks)):
        tile = _tile(plane, frame, mask=_on_plane(first, k), clicks=result.clicks[:1])
        if k == first.proposals.chosen:
            ImageDraw.Draw(tile).rectangle([0, 0, TILE - 1, TILE - 1], outline=_MASK, width=3)
        score = float(first.proposals.score[k])
        iou = result.proposal_ious[0][k]
        tiles.append((f"proposal {k + 1}", f"IoU {iou:.2f}, score {score:.2f}", tile))
    row = Image.new("RGB", ((TILE + 6) * len(tiles), TILE + WORDS + 8), "white")
    draw, font = ImageDraw.Draw(row), ImageFont.load_default(12)
    for number, (title, words, tile) in enumerate(tiles):
        left = number * (TILE + 6)
        draw.text((left, 0), title[:26], "black", font)
        draw.text((left, 14), words, "black", font)
        row.paste(tile, (left, WORDS))
    return row


def _on_plane(look: _Look, index: int) -> np.ndarray:
    return look.proposals.region.paste(look.masks[index], look.proposals.plane_shape)


def _frame(mask: np.ndarray) -> Region:
    """The part of the plane to show: a square about the object, as far as the plane reaches."""
    box = Region.of_mask(mask)
    assert box is not None  # no sample is empty
    side = max(round(_MARGIN * max(box.shape)), _LEAST)
    return Region.around(box.center, (side, side), (mask.shape[0], mask.shape[1]))


def _gray(sample: Sample, frame: Region) -> np.ndarray:
    """(h, w, 3) uint8: the image in its window, in the frame."""
    pixels = np.asarray(sample.image[frame.slices], float)[..., :3]
    if sample.image.ndim == 2:
        pixels = np.repeat(np.asarray(sample.image[frame.slices], float)[..., None], 3, 2)
    low, high = sample.contrast_limits or whole_window(sample.image)
    scaled = (pixels - low) / (high - low if high > low else 1) * 255
    return np.nan_to_num(scaled).clip(0, 255).astype(np.uint8)


def _tile(
    plane: np.ndarray,
    frame: Region,
    *,
    truth: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    clicks: tuple[Click, ...] = (),
) -> Image.Image:
    """The frame at the size of a tile, with outlines and clicks on it."""
    scale = TILE / max(frame.shape)
    size = (max(round(frame.shape[1] * scale), 1), max(round(frame.shape[0] * scale), 1))
    pixels = np.asarray(Image.fromarray(plane).resize(size)).copy()
    for area, colour in ((truth, _TRUTH), (mask, _MASK)):
        if area is not None:
            inside = Image.fromarray(area[frame.slices].astype(np.uint8)).resize(size, 0)
            pixels[find_boundaries(np.asarray(inside) > 0, mode="thick")] = colour
    tile = Image.new("RGB", (TILE, TILE), "white")
    tile.paste(Image.fromarray(pixels))
    draw = ImageDraw.Draw(tile)
    for click in clicks:
        x, y = (click.col + 0.5 - frame.col0) * scale, (click.row + 0.5 - frame.row0) * scale
        colour = _POSITIVE if click.positive else _NEGATIVE
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=colour, outline="white")
    return tile
