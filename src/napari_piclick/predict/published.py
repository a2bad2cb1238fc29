"""The published PiClick for interactive use: full passes, zoom-in, and the mirror image.

What the authors' program does by mistake is done right here; `compat` repeats it exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from napari_piclick.models.piclick import make_points
from napari_piclick.predict.flip import Merged, merge
from napari_piclick.predict.framing import Framing
from napari_piclick.predict.plane_predictor import PlanePredictor
from napari_piclick.predict.question import KEPT_PROBABILITY
from napari_piclick.predict.start import anchor
from napari_piclick.predict.view import View
from napari_piclick.predict.zoom_in import ZoomIn, square
from napari_piclick.proposals import Proposals
from napari_piclick.region import Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.clicks import Click
    from napari_piclick.predict.full_pass import FullPass
    from napari_piclick.predict.plane_image import PlaneImage

#: Padding in 0..1 that the network's normalisation makes zero.
PADDING = (0.485, 0.456, 0.406)


class PublishedPredictor(PlanePredictor):
    """Answers clicks with the published network; made by `load_predictor`.

    Every click costs a full pass. The first one looks at the whole plane, or at a window
    about the clicks if the plane is large; later ones at the chosen proposal and a margin,
    at its own aspect ratio. The model's pick is the product of IoU and confidence score.

    Parameters
    ----------
    full_pass : FullPass
    name : str
        What the model is called in prompts and reports.
    weights_hash : str
        SHA-256 of the file of weights.
    """

    def __init__(self, full_pass: FullPass, name: str, weights_hash: str) -> None:
        super().__init__(name, weights_hash)
        self.zoom_in = ZoomIn()
        self._pass = full_pass
        side = max(full_pass.size)
        self.framing = Framing(long_side=side, whole_limit=1024, window=768)

    @property
    def device(self) -> str:
        """The device the model runs on, as torch names it."""
        return str(self._pass.device)

    def _prepare(self, plane: PlaneImage) -> None:
        """Do nothing: in this network clicks go in with the image, so nothing can be kept."""

    def _answer(
        self,
        image: PlaneImage,
        clicks: Sequence[Click],
        previous: Proposals | np.ndarray | None,
        start: np.ndarray | None,
        region: Region | None,
    ) -> Proposals:
        if start is not None and region is not None and not any(c.positive for c in clicks):
            clicks = [anchor(start, region), *clicks]
        stored = previous.view if isinstance(previous, Proposals) else None
        view = self._view(clicks, stored, start, region, image.shape)
        picture = self._picture(image, view, start, region)
        places = [(*view.to_input(c.row, c.col), k) for k, c in enumerate(clicks)]
        signs = [click.positive for click in clicks]
        views = self._pass(picture, torch.tensor(arrange(places, signs), dtype=torch.float64))
        merged = merge(*views) if len(views) == 2 else Merged(*views[0])
        return self._proposals(merged, view, image.shape)

    def _view(
        self,
        clicks: Sequence[Click],
        stored: Region | None,
        start: np.ndarray | None,
        region: Region | None,
        shape: tuple[int, int],
    ) -> View:
        """The chosen proposal and a margin, as a square where the plane has room for one."""
        mask = None if start is None else start > 0.5
        if mask is None or region is None or not mask.any():
            return self.framing.first(clicks, None, region, shape)
        wanted = square(self.zoom_in.wanted(mask, region, clicks, shape), shape)
        used = self.zoom_in.follow(stored, wanted, clicks)
        return View(used, self.framing.long_side)

    def _picture(
        self, image: PlaneImage, view: View, start: np.ndarray | None, region: Region | None
    ) -> Tensor:
        """(4, S, S) input: the view, with padding to the right or below if it is no square."""
        pixels = torch.from_numpy(image.pixels(view.region)) / 255
        padding = torch.tensor(PADDING).view(3, 1, 1)
        rgb = view.image(pixels, padding)[0]
        if start is None or region is None:
            previous = torch.zeros_like(rgb[:1])
        else:
            previous = view.previous(torch.from_numpy(start), region, cell=1)
        right, below = self._pass.size[1] - rgb.shape[2], self._pass.size[0] - rgb.shape[1]
        rgb = F.pad(rgb - padding, (0, right, 0, below)) + padding
        return torch.cat([rgb, F.pad(previous, (0, right, 0, below))])

    def _proposals(self, merged: Merged, view: View, shape: tuple[int, int]) -> Proposals:
        order = torch.argsort(merged.iou * merged.confidence, descending=True, stable=True)
        probabilities = view.masks(merged.logits[order], view.region, cell=1).sigmoid()
        found = Region.of_mask((probabilities.amax(0) > KEPT_PROBABILITY).cpu().numpy())
        if found is None:  # nothing at all: keep one pixel, empty
            found = Region(0, 1, 0, 1)
        return Proposals(
            masks=np.ascontiguousarray(probabilities[(slice(None), *found.slices)].cpu().numpy()),
            region=found.moved(view.region.row0, view.region.col0),
            plane_shape=shape,
            iou=merged.iou[order].cpu().numpy(),
            confidence=merged.confidence[order].cpu().numpy(),
            view=view.region,
            code_score=merged.code_score[order].cpu().numpy(),
        )


def arrange(
    places: Sequence[tuple[float, float, int]], signs: Sequence[bool]
) -> list[tuple[float, float, float]]:
    """Rows of network points for clicks (row, col, order) and their signs."""
    both = list(zip(places, signs, strict=True))
    return make_points([p for p, s in both if s], [p for p, s in both if not s])
