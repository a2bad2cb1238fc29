r"""A plain promptable model in the manner of SAM, with one mask: what seven proposals must beat.

It is made from the starting weights of PiClick-Tiny, before any training here: the image encoder
and mask decoder of a SAM that was distilled by others, with SAM's token for a single mask alone::

    python -m napari_piclick.eval --dataset sstem --data stack1 \\
        --model napari_piclick.eval.single_mask:load --model-arg tinyvit5m-sam-fp16.safetensors
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from napari_piclick.models.checkpoint import from_starting_weights
from napari_piclick.models.mask_decoder import ImageEmbedding, MaskPrediction
from napari_piclick.models.piclick_tiny import PiClickTiny, TinyConfig
from napari_piclick.models.registry import sha256
from napari_piclick.predict.device import choose_device
from napari_piclick.predict.framing import Framing
from napari_piclick.predict.predictor import Predictor

#: Longer side of the picture that SAM was trained to see.
LONG_SIDE = 1024

#: Logit of a confidence of one: SAM has no confidence, so its mask always counts.
_CERTAIN = 100.0


class SingleMask(PiClickTiny):
    """The network with the answer of its first mask token only."""

    def decode(
        self,
        embedding: ImageEmbedding,
        points: Tensor,
        signs: Tensor,
        previous: Tensor | None = None,
    ) -> MaskPrediction:
        """Answer prompts with one mask each."""
        masks, iou, confidence = super().decode(embedding, points, signs, previous)
        certain = torch.full_like(confidence[:, :1], _CERTAIN)
        return MaskPrediction(masks[:, :1], iou[:, :1], certain)


def load(weights: str | Path, device: str = "auto") -> Predictor:
    """Make the predictor from a file of starting weights.

    It looks at every image whole, its longer side brought to 1024 pixels, as SAM does.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it does not hold the starting weights.
    """
    weights = Path(weights)
    # Four queries are the four tokens of SAM; disks are off, as SAM has none.
    start = from_starting_weights(weights, TinyConfig(num_queries=4, disks=False))
    model = SingleMask(start.config)
    model.load_state_dict(start.state_dict())
    framing = Framing(long_side=LONG_SIDE, whole_limit=2**31, retries=0)
    return Predictor(
        model.eval(), "single mask (SAM)", sha256(weights), choose_device(device), framing=framing
    )
