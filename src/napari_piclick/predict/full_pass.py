"""The full pass: a picture and its mirror image through the published network, on any device."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from napari_piclick.models.int8_linear import to_int8
from napari_piclick.models.piclick import PiClick
from napari_piclick.predict.flip import Sorted, flip_columns, sort_by_iou

if TYPE_CHECKING:
    from napari_piclick.models.simpleclick import SimpleClick


class FullPass:
    """Runs the network; when a GPU runs out of memory, it goes on on the CPU.

    Parameters
    ----------
    model : PiClick or SimpleClick
    name : str
        Of the model, for messages.
    device : torch.device
    exact : bool
        float32 everywhere; otherwise CUDA devices use mixed precision.
    fast : bool
        For CPUs: 8-bit linear layers, and no mirror image.
    """

    def __init__(
        self,
        model: PiClick | SimpleClick,
        name: str,
        device: torch.device,
        *,
        exact: bool = False,
        fast: bool = False,
    ) -> None:
        if fast and device.type != "cpu":
            raise ValueError(f"The fast mode is for the CPU, not for {device}; use one of them.")
        self.name = name
        self.device = device
        self.size = model.config.image
        #: Whether sums are done in the smaller float that this GPU is quick at.
        self.mixed = device.type == "cuda" and not exact
        self.flips = not fast
        if fast:
            if not isinstance(model, PiClick):
                raise ValueError(f"{name} has no fast mode.")
            to_int8(model)
        for part in model.convolutions:
            part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._model = model
        try:
            self._model = model.to(device)
        except RuntimeError as error:
            self._leave_gpu(error)

    def __call__(self, picture: Tensor, points: Tensor) -> list[Sorted]:
        """Answer clicks.

        Parameters
        ----------
        picture : (4, H, W) float32
            RGB in 0..1 and the previous mask's probabilities.
        points : (2P, 3) float
            See `PiClick.forward`.

        Returns
        -------
        list of Sorted
            The plain view, then the mirrored one (its masks still mirrored) unless in fast
            mode; masks are (Q, H, W) logits, everything float32.
        """
        try:
            return self._run(picture, points)
        except RuntimeError as error:
            self._leave_gpu(error)
            return self._run(picture, points)

    def _run(self, picture: Tensor, points: Tensor) -> list[Sorted]:
        x, clicks = picture[None], points[None]
        if self.flips:
            x = torch.cat([x, x.flip(-1)])
            clicks = torch.stack([points, flip_columns(points, picture.shape[-1])])
        if self.device.type == "mps":  # knows no float64
            clicks = clicks.float()
        x, clicks = x.to(self.device), clicks.to(self.device)
        with torch.inference_mode(), torch.autocast(self.device.type, enabled=self.mixed):
            prediction = self._model(x, clicks)
            shape = (x.shape[2], x.shape[3])
            masks = F.interpolate(
                prediction.masks.float(), shape, mode="bilinear", align_corners=True
            )
            return sort_by_iou(prediction, masks)

    def _leave_gpu(self, error: RuntimeError) -> None:
        """Move to the CPU if a GPU's memory was the problem; otherwise raise the error again."""
        full = isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error)
        if self.device.type == "cpu" or not full:
            raise error
        warnings.warn(
            f"The memory of {self.device} is not enough for {self.name}; it goes on on the CPU, "
            "which is slower. Close other programs that use the GPU and load the model again "
            "to go back.",
            stacklevel=4,
        )
        gone = self.device
        self.device, self.mixed = torch.device("cpu"), False
        self._model = self._model.to(self.device)
        if gone.type == "cuda":
            torch.cuda.empty_cache()
