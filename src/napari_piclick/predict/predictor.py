"""The predictor: an image and clicks in, proposals out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_piclick.predict.embedding_cache import EmbeddingCache
from napari_piclick.predict.framing import Framing
from napari_piclick.predict.plane_predictor import PlanePredictor
from napari_piclick.predict.start import anchor
from napari_piclick.proposals import Proposals
from napari_piclick.region import Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_piclick.clicks import Click
    from napari_piclick.models.mask_decoder import ImageEmbedding, MaskPrediction
    from napari_piclick.models.piclick_tiny import PiClickTiny
    from napari_piclick.predict.plane_image import PlaneImage
    from napari_piclick.predict.view import View

#: Proposals are kept where any of them is more probable than this.
KEPT_PROBABILITY = 0.05


class Predictor(PlanePredictor):
    """Answers clicks on one image at a time; made by `load_predictor`.

    The image is encoded once and its embedding kept, so that a click costs only
    the decoder. Calls from several threads wait for one another.

    Parameters
    ----------
    model : PiClickTiny
    name : str
        What the model is called in prompts and reports.
    weights_hash : str
        SHA-256 of the file of weights.
    device : torch.device
    cache : EmbeddingCache, optional
    framing : Framing, optional
        Decides which part of a plane to look at, and at what size.
    """

    def __init__(
        self,
        model: PiClickTiny,
        name: str,
        weights_hash: str,
        device: torch.device,
        cache: EmbeddingCache | None = None,
        framing: Framing | None = None,
    ) -> None:
        super().__init__(name, weights_hash)
        # channels-last: a fifth faster encoding on CPUs
        self._model = model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device
        self.cache = cache or EmbeddingCache()
        self.framing = framing or Framing()

    @property
    def device(self) -> str:
        """The device the model runs on, as torch names it."""
        return str(self._device)

    def _prepare(self, plane: PlaneImage) -> None:
        """Encode a plane if one look covers it."""
        if self.framing.fits(plane.shape):
            self._embed(plane, self.framing.whole(plane.shape))

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
        last_view = previous.view if isinstance(previous, Proposals) else None
        view = self.framing.first(clicks, last_view, region, image.shape)
        prediction = self._decode(image, view, clicks, start, region)
        for _ in range(self.framing.retries):
            better = self.framing.next(view, prediction, clicks, region, image.shape)
            if better is None:
                break
            view = better
            prediction = self._decode(image, view, clicks, start, region)
        return _to_proposals(prediction, view, clicks, image.shape)

    def _embed(self, image: PlaneImage, view: View) -> ImageEmbedding:
        key = (image.key, view)
        embedding = self.cache.get(key)
        if embedding is None:
            pixels = torch.from_numpy(image.pixels(view.region)).to(self._device)
            with torch.inference_mode():
                tensor = view.image(pixels, self._model.mean)
                embedding = self._model.encode(tensor.to(memory_format=torch.channels_last))
            self.cache.put(key, embedding)
        return embedding

    def _decode(
        self,
        image: PlaneImage,
        view: View,
        clicks: Sequence[Click],
        start: np.ndarray | None,
        region: Region | None,
    ) -> MaskPrediction:
        embedding = self._embed(image, view)
        places = [view.to_input(click.row, click.col) for click in clicks]
        with torch.inference_mode():
            points = torch.tensor(places, dtype=torch.float32, device=self._device)
            signs = torch.tensor([float(c.positive) for c in clicks], device=self._device)
            logits = None
            if start is not None and region is not None:
                logits = view.previous_logits(torch.from_numpy(start), region).to(self._device)
            return self._model.decode(
                embedding, points.reshape(1, -1, 2), signs.reshape(1, -1), logits
            )


def _to_proposals(
    prediction: MaskPrediction, view: View, clicks: Sequence[Click], shape: tuple[int, int]
) -> Proposals:
    """Rank the proposals of one prompt and bring them to the plane."""
    logits = prediction.masks[0].float()
    threshold = float(np.log(KEPT_PROBABILITY / (1 - KEPT_PROBABILITY)))
    region = view.occupied(logits, threshold)
    if region is None:  # nothing at all: keep the pixels of the clicks, empty
        row, col = clicks[0].pixel if clicks else (view.region.row0, view.region.col0)
        region = Region(row, row + 1, col, col + 1)
    iou = prediction.iou[0].float().clamp(0, 1)
    confidence = prediction.confidence[0].float().sigmoid()
    order = torch.argsort(iou * confidence, descending=True, stable=True)
    masks = view.masks(logits, region)[order].sigmoid()
    return Proposals(
        masks=masks.cpu().numpy(),
        region=region,
        plane_shape=shape,
        iou=iou[order].cpu().numpy(),
        confidence=confidence[order].cpu().numpy(),
        view=view.region,
    )
