"""The published predictor exactly as it was evaluated, with all that it does by mistake.

In four things it differs from `PublishedPredictor`: proposals of the flip pair are brought
together by the inverse permutation; the region to zoom in on is where *logits* exceed a half;
its aspect ratio is lost; crops and masks are resized corner to corner. Values are those of
8-bit pictures as they are, whatever contrast they are shown with.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from napari_piclick.predict.flip import THRESHOLD, merge_published
from napari_piclick.predict.published import PublishedPredictor, arrange
from napari_piclick.proposals import Proposals
from napari_piclick.region import Region

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from typing import Any

    from napari_piclick.clicks import Click
    from napari_piclick.predict.flip import Sorted
    from napari_piclick.predict.full_pass import FullPass
    from napari_piclick.predict.intensity import Window
    from napari_piclick.predict.plane_image import PlaneImage


class CompatPredictor(PublishedPredictor):
    """Reproduces the authors' `BasePredictor` with `ZoomIn` and the flip; see the module.

    Proposals stay in the authors' order, and a pixel is object above 0.49. The choice is the
    paper's, IoU times confidence score; `Proposals.code_score` ranks as ``--max_score`` does,
    and the published evaluation lets the ground truth choose.

    Attributes
    ----------
    assigned : (Q,) int or None
        Which mirrored proposal was taken for each plain one at the last click.
    """

    def __init__(self, full_pass: FullPass, name: str, weights_hash: str) -> None:
        super().__init__(full_pass, name, weights_hash)
        self.assigned: np.ndarray | None = None
        self._logits: dict[int, tuple[weakref.ref[np.ndarray], Tensor]] = {}

    def _plane(
        self, image: Any, contrast_limits: Window | None, rgb: bool | None, key: Hashable
    ) -> PlaneImage:
        """The plane to hold; 8-bit values are used as they are, whatever the contrast limits."""
        if np.dtype(getattr(image, "dtype", np.float64)) == np.uint8:
            contrast_limits = (0.0, 255.0)
        return super()._plane(image, contrast_limits, rgb, key)

    def _answer(
        self,
        image: PlaneImage,
        clicks: Sequence[Click],
        previous: Proposals | np.ndarray | None,
        start: np.ndarray | None,
        region: Region | None,
    ) -> Proposals:
        used = self._zoomed(image, clicks, previous)
        merged, assigned = merge_published(*self._look(image, clicks, used, start, region))
        self.assigned = assigned.numpy()
        logits = merged.logits.cpu()
        proposals = Proposals(
            masks=resize(logits.sigmoid(), used.shape).numpy(),
            region=used,
            plane_shape=image.shape,
            iou=merged.iou.cpu().numpy(),
            confidence=merged.confidence.cpu().numpy(),
            chosen=int((merged.iou * merged.confidence).argmax()),
            threshold=THRESHOLD,
            view=used,
            code_score=merged.code_score.cpu().numpy(),
        )
        self._remember(proposals.masks, logits)
        return proposals

    def _zoomed(
        self, image: PlaneImage, clicks: Sequence[Click], previous: Proposals | np.ndarray | None
    ) -> Region:
        """The region to look at, after the last answer."""
        stored = previous.view if isinstance(previous, Proposals) else None
        zoomed = None if not isinstance(previous, Proposals) else self._last_mask(previous)
        wanted = self.zoom_in.wanted(
            zoomed, stored or Region.whole(image.shape), clicks, image.shape
        )
        return self.zoom_in.follow(stored, wanted, clicks)

    def _look(
        self,
        image: PlaneImage,
        clicks: Sequence[Click],
        used: Region,
        start: np.ndarray | None,
        region: Region | None,
    ) -> list[Sorted]:
        """What the network says of a region, and of its mirror image."""
        picture = self._crop(image, used, start, region)
        places = [(*self._to_input(c, used), k) for k, c in enumerate(clicks)]
        points = torch.tensor(arrange(places, [c.positive for c in clicks]), dtype=torch.float64)
        return self._pass(picture, points)

    def _crop(
        self, image: PlaneImage, used: Region, start: np.ndarray | None, region: Region | None
    ) -> Tensor:
        """(4, H, W) input: the region's image and previous mask, stretched to the network."""
        pixels = torch.from_numpy(image.pixels(used)) / 255
        previous = torch.zeros(1, *used.shape)
        if start is not None and region is not None:
            row0, row1 = max(region.row0, used.row0), min(region.row1, used.row1)
            col0, col1 = max(region.col0, used.col0), min(region.col1, used.col1)
            if row0 < row1 and col0 < col1:
                common = Region(row0, row1, col0, col1)
                previous[(0, *_within(common, used).slices)] = torch.from_numpy(
                    start[_within(common, region).slices]
                )
        return resize(torch.cat([pixels, previous]), self._pass.size)

    def _to_input(self, click: Click, used: Region) -> tuple[float, float]:
        """A click's place on the stretched region; it may lie outside."""
        (h, w), (height, width) = self._pass.size, used.shape
        return h * (click.row - used.row0) / height, w * (click.col - used.col0) / width

    def _last_mask(self, previous: Proposals) -> np.ndarray:
        """(h, w) bool on the previous view: where the chosen proposal's logits exceed a half."""
        view = previous.view or previous.region
        kept = self._logits.get(id(previous.masks))
        if kept is not None and kept[0]() is previous.masks:
            return (resize(kept[1][previous.chosen][None], view.shape)[0] > 0.5).numpy()
        # an answer from elsewhere, such as a saved one: its probabilities say nearly the same
        above = previous.masks[previous.chosen] > torch.tensor(0.5).sigmoid().item()
        return previous.region.paste(above, previous.plane_shape)[view.slices]

    def _remember(self, masks: np.ndarray, logits: Tensor) -> None:
        """Keep an answer's logits for as long as the answer itself is kept."""
        key = id(masks)
        self._logits[key] = (weakref.ref(masks, lambda _: self._logits.pop(key, None)), logits)


def _within(inner: Region, outer: Region) -> Region:
    """A region in pixels of another that covers it."""
    row, col = outer.row0, outer.col0
    return Region(inner.row0 - row, inner.row1 - row, inner.col0 - col, inner.col1 - col)


def resize(maps: Tensor, shape: tuple[int, int]) -> Tensor:
    """(C, h, w) maps stretched to ``shape``, corner pixels on corner pixels."""
    return F.interpolate(maps[None], shape, mode="bilinear", align_corners=True)[0]
