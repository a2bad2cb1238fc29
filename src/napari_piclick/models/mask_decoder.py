"""The mask decoder of PiClick-Tiny: an image embedding and clicks in, scored proposals out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_piclick.models.click_encoder import ClickEncoder
from napari_piclick.models.dense_prompt import DensePrompt
from napari_piclick.models.disk_maps import GRID, RADIUS, draw_disks
from napari_piclick.models.evidence import evidence_width, gather_evidence
from napari_piclick.models.layers import ChannelNorm, MultilayerPerceptron
from napari_piclick.models.target_reasoning import TargetReasoning
from napari_piclick.models.two_way_transformer import TwoWayTransformer

if TYPE_CHECKING:
    from napari_piclick.models.tiny_vit import EncoderFeatures


class ImageEmbedding(NamedTuple):
    """What is kept of a picture of (H, W) pixels, to answer any number of clicks.

    ``coarse`` is (B, 256, H/16, W/16), ``eighth`` (B, 64, H/8, W/8), ``quarter``
    (B, 32, H/4, W/4).
    """

    coarse: Tensor
    eighth: Tensor
    quarter: Tensor

    @property
    def nbytes(self) -> int:
        """Memory that the embedding takes."""
        return sum(t.numel() * t.element_size() for t in self)


class MaskPrediction(NamedTuple):
    """Q proposals for each of B prompts.

    ``masks`` are (B, Q, H/4, W/4) logits, ``iou`` (B, Q) predicted IoU, ``confidence``
    (B, Q) logits.
    """

    masks: Tensor
    iou: Tensor
    confidence: Tensor


class PromptEncoder(ClickEncoder):
    """Clicks as tokens, and the previous mask as SAM embeds it."""

    def __init__(self, width: int = 256) -> None:
        super().__init__(width)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, 4, 2, 2),
            ChannelNorm(4),
            nn.GELU(),
            nn.Conv2d(4, 16, 2, 2),
            ChannelNorm(16),
            nn.GELU(),
            nn.Conv2d(16, width, 1),
        )
        self.no_mask_embed = nn.Embedding(1, width)

    def dense(self, previous: Tensor | None) -> Tensor:
        """Embed (B, 1, H/4, W/4) logits to (B, width, H/16, W/16), or (1, width, 1, 1) for none."""
        if previous is None:
            return self.no_mask_embed.weight[..., None, None]
        return self.mask_downscaling(previous)


class MaskDecoder(nn.Module):
    """Seven mask queries attend to each other, to the clicks and to the image.

    Parameters
    ----------
    num_queries : int
        Q, the number of proposals.
    width : int
        Channels of tokens and image embedding.
    click_tokens, disks : bool
        How clicks enter: as tokens (Eq. 1), as disk maps, or both (Table 3 of the paper).
    evidence : bool
        Whether the TRM also reads the picture under and around each mask.
    """

    def __init__(
        self,
        num_queries: int = 7,
        width: int = 256,
        click_tokens: bool = True,
        disks: bool = True,
        evidence: bool = False,
    ) -> None:
        super().__init__()
        self.num_queries = num_queries
        self.click_tokens = click_tokens
        self.prompt = PromptEncoder(width)
        self.transformer = TwoWayTransformer(width)
        self.iou_token = nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(num_queries, width)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(width, width // 4, 2, 2),
            ChannelNorm(width // 4),
            nn.GELU(),
            nn.ConvTranspose2d(width // 4, width // 8, 2, 2),
            nn.GELU(),
        )
        self.output_hypernetworks_mlps = nn.ModuleList(
            MultilayerPerceptron(width, width, width, width // 8) for _ in range(num_queries)
        )
        self.iou_prediction_head = MultilayerPerceptron(width, width, width, num_queries)
        self.dense_prompt = DensePrompt(width, width // 8, disks)
        self.skip_eighth = nn.Conv2d(128, width // 4, 1)
        self.skip_quarter = nn.Conv2d(64, width // 8, 1)
        for skip in (self.skip_eighth, self.skip_quarter):
            for parameter in skip.parameters():
                nn.init.zeros_(parameter)
        self.target_reasoning = TargetReasoning(
            width, evidence_width(width, width // 8) if evidence else 0
        )

    def embed(self, coarse: Tensor, features: EncoderFeatures) -> ImageEmbedding:
        """Keep of an encoder's neck, (B, width, H/16, W/16), and features what is needed."""
        return ImageEmbedding(
            coarse,
            self.skip_eighth(features.eighth),
            self.skip_quarter(features.quarter),
        )

    def forward(
        self,
        embedding: ImageEmbedding,
        points: Tensor,
        signs: Tensor,
        previous: Tensor | None = None,
    ) -> MaskPrediction:
        """Answer prompts.

        Parameters
        ----------
        embedding : ImageEmbedding
            Of as many pictures as there are prompts, or of one picture for all of them.
        points : (B, N, 2) float
            (row, col) in pixels of the network's input.
        signs : (B, N)
            1 positive, 0 negative, below 0 absent.
        previous : (B, 1, H/4, W/4) logits of the previous mask, or None for a first click.
        """
        batch = len(points)
        grid = (embedding.coarse.shape[-2], embedding.coarse.shape[-1])
        shape = (grid[0] * 4, grid[1] * 4)
        extent = 16 * max(grid)
        disks = draw_disks((points - 1.5) / 4, signs, shape, RADIUS * extent / GRID / 4)
        coarse, fine = self.dense_prompt(previous, disks)
        image = embedding.coarse + self.prompt.dense(previous) + coarse

        if not self.click_tokens:
            signs = torch.full_like(signs, -1)
        tokens = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        clicks = self.prompt(points, signs, extent)
        tokens = torch.cat([tokens.expand(batch, -1, -1), clicks], 1)
        position = self.prompt.pe_layer.grid(grid)[None]
        tokens, image = self.transformer(tokens, image.flatten(2).transpose(1, 2), position)
        queries = tokens[:, 1 : 1 + self.num_queries]

        up = self.output_upscaling
        context = image.transpose(1, 2).unflatten(2, grid)
        image = up[2](up[1](up[0](context) + embedding.eighth))
        image = F.gelu(up[3](image) + embedding.quarter + fine)
        filters = [mlp(queries[:, q]) for q, mlp in enumerate(self.output_hypernetworks_mlps)]
        masks = (torch.stack(filters, 1) @ image.flatten(2)).unflatten(2, shape)
        reasoning = self.target_reasoning
        seen = gather_evidence(masks, context, image) if reasoning.weighing is not None else None
        iou, confidence = reasoning(queries, self.iou_prediction_head(tokens[:, 0]), seen)
        return MaskPrediction(masks, iou, confidence)
