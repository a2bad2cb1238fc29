"""The predictor: an image and clicks in, proposals out."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_piclick.predict.embedding_cache import EmbeddingCache
from napari_piclick.predict.framing import Framing
from napari_piclick.predict.plane_image import PlaneImage
from napari_piclick.predict.start import anchor, check_clicks, previous_mask
from napari_piclick.proposals import Proposals
from napari_piclick.region import Region

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from napari_piclick.clicks import Click
    from napari_piclick.models.mask_decoder import ImageEmbedding, MaskPrediction
    from napari_piclick.models.piclick_tiny import PiClickTiny
    from napari_piclick.predict.intensity import Window
    from napari_piclick.predict.view import View

#: Proposals are kept where any of them is more probable than this.
KEPT_PROBABILITY = 0.05


class Predictor:
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
        # channels-last: a fifth faster encoding on CPUs
        self._model = model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = device
        self.name = name
        self.weights_hash = weights_hash
        self.cache = cache or EmbeddingCache()
        self.framing = framing or Framing()
        self._image: PlaneImage | None = None
        self._lock = RLock()

    @property
    def device(self) -> str:
        """The device the model runs on, as torch names it."""
        return str(self._device)

    def set_image(
        self,
        image: Any,
        *,
        contrast_limits: Window | None = None,
        rgb: bool | None = None,
        key: Hashable = None,
    ) -> None:
        """Take a plane to answer clicks on, and encode it if one look covers it.

        Parameters
        ----------
        image : array-like
            (H, W) grey or (H, W, 3 or 4) colour, any real dtype, numpy or lazy.
        contrast_limits : (low, high), optional
            Values seen as black and white; robust percentiles otherwise.
        rgb : bool, optional
            Whether the last axis holds colours; guessed from the shape if not said.
        key : hashable, optional
            Identity of the plane, by which its embedding is found again.

        Raises
        ------
        ValueError
            If the image is not one plane of real numbers.
        """
        plane = PlaneImage(image, contrast_limits, rgb, key)
        with self._lock:
            self._image = plane
            if self.framing.fits(plane.shape):
                self._embed(plane, self.framing.whole(plane.shape))

    def prefetch(
        self,
        image: Any,
        *,
        contrast_limits: Window | None = None,
        rgb: bool | None = None,
        key: Hashable = None,
    ) -> None:
        """Encode another plane ahead, without leaving the current one; see `set_image`."""
        plane = PlaneImage(image, contrast_limits, rgb, key)
        if self.framing.fits(plane.shape):
            with self._lock:
                self._embed(plane, self.framing.whole(plane.shape))

    def predict(
        self, clicks: Sequence[Click], previous: Proposals | np.ndarray | None = None
    ) -> Proposals:
        """Answer clicks on the current image.

        Parameters
        ----------
        clicks : sequence of Click
            All clicks on the object so far. Without a positive one, the deepest point of the
            previous mask stands in for it.
        previous : Proposals or (H, W) array, optional
            The answer to the clicks before, whose chosen proposal is the previous mask;
            or a mask or probability map to refine.

        Returns
        -------
        Proposals
            Best score first; the first is chosen.

        Raises
        ------
        RuntimeError
            If no image was set.
        ValueError
            If there is nothing to start from, or a click lies outside the image.
        """
        with self._lock:
            image = self._image
            if image is None:
                raise RuntimeError("There is no image yet: call set_image first.")
            start, region = previous_mask(previous, image.shape)
            check_clicks(clicks, start, image.shape)
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
