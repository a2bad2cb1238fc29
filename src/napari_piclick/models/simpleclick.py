"""SimpleClick (Liu et al., ICCV 2023): the same vision transformer and neck, with one mask.

PiClick grew out of it and is compared with it (Tables 1 and 2 of the paper).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_piclick.models.disk_maps import draw_points
from napari_piclick.models.feature_pyramid import FeaturePyramid
from napari_piclick.models.matrix_conv import Double, Pointwise
from napari_piclick.models.piclick import DEVIATION, MEAN
from napari_piclick.models.piclick_config import PiClickConfig
from napari_piclick.models.piclick_head import PredictionSet
from napari_piclick.models.vit import PatchEmbedding, VisionTransformer

#: How many times larger than a quarter of the picture the mask is.
UPSAMPLING = {"x1": 1, "x2": 2, "x4": 4}
#: Logit of a score that its one mask always has.
CERTAIN = 100.0


@dataclass(frozen=True)
class SimpleClickConfig:
    """All that is needed to build the network.

    Parameters
    ----------
    vit : PiClickConfig
        Its sizes of the picture, the vision transformer, the neck and the disks.
    channels : int
        Of the head's last map.
    upsample : {"x1", "x2", "x4"}
    """

    vit: PiClickConfig
    channels: int = 256
    upsample: str = "x1"

    def __post_init__(self) -> None:
        if self.upsample not in UPSAMPLING or not 4 <= self.channels <= 4096:
            raise ValueError(f"No SimpleClick can be built with {self}.")

    @property
    def image(self) -> tuple[int, int]:
        """(H, W) pixels of the pictures it was trained on."""
        return self.vit.image

    @classmethod
    def from_authors(cls, config: Any) -> SimpleClickConfig:
        """Read the ``config`` of the authors' checkpoints.

        Raises
        ------
        ValueError
            If it describes another network, or none.
        """
        name = config.get("class") if isinstance(config, Mapping) else None
        if not isinstance(name, str) or name.rpartition(".")[2] != "PlainVitModel":
            described = f"a {name}" if isinstance(name, str) else "no model"
            raise ValueError(f"its configuration describes {described}, not a PlainVitModel")
        try:
            given = {key: entry["value"] for key, entry in config["params"].items()}
            head = given["head_params"]
            if not (given["use_disks"] and given["with_prev_mask"]):
                raise ValueError("it was trained without disks or the previous mask")
            if head.get("num_classes", 1) != 1:
                raise ValueError("it gives more than one mask")
            return cls(
                PiClickConfig.sizes_from(given),
                channels=int(head["channels"]),
                upsample=str(head.get("upsample", "x1")),
            )
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError(f"its configuration is incomplete ({error})") from error


class Convolution(nn.Module):
    """A convolution of single pixels, then what is negative made zero."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.conv = Pointwise(inner, outer)

    def forward(self, x: Tensor) -> Tensor:
        """Transform the channels of (B, C, h, w)."""
        return F.relu(self.conv(x))


class FusionHead(nn.Module):
    """Brings the four maps to the size of the finest, joins them, and gives one mask.

    Parameters
    ----------
    inner : channels of the maps, finest first.
    channels : int
        Of the last map.
    upsample : {"x1", "x2", "x4"}
        How many times larger than the finest map the mask is.
    """

    def __init__(self, inner: tuple[int, ...], channels: int, upsample: str) -> None:
        super().__init__()
        self.upsample = UPSAMPLING[upsample]
        width = channels * self.upsample
        self.convs = nn.ModuleList(Convolution(each, width) for each in inner)
        self.fusion_conv = Convolution(width * len(inner), width)
        # Both are in every file of weights, whichever is used.
        self.up_conv1 = _doubling(width, width // 2)
        self.up_conv2 = _doubling(width // 2, width // 4)
        self.conv_seg = Pointwise(channels, 1)

    def forward(self, pyramid: tuple[Tensor, ...]) -> Tensor:
        """(B, 1, h, w) logits from four maps, finest first."""
        size = (pyramid[0].shape[2], pyramid[0].shape[3])
        maps = [
            F.interpolate(conv(x), size, mode="bilinear", align_corners=False)
            for conv, x in zip(self.convs, pyramid, strict=True)
        ]
        fused = self.fusion_conv(torch.cat(maps, 1))
        if self.upsample > 1:
            fused = self.up_conv1(fused)
        if self.upsample > 2:
            fused = self.up_conv2(fused)
        logits: Tensor = self.conv_seg(fused)
        return logits


def _doubling(inner: int, outer: int) -> nn.Sequential:
    return nn.Sequential(
        Double(inner, outer), nn.GroupNorm(1, outer), Pointwise(outer, outer),
        nn.GroupNorm(1, outer), nn.GELU(),
    )  # fmt: skip


class SimpleClick(nn.Module):
    """One mask for an image, clicks and a previous mask.

    Parameters
    ----------
    config : SimpleClickConfig
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: SimpleClickConfig) -> None:
        super().__init__()
        self.config = config
        vit = config.vit
        self.patch_embed_coords = PatchEmbedding(vit.patch, vit.width)
        self.backbone = VisionTransformer(
            vit.image, vit.patch, vit.width, vit.depth, vit.heads, vit.mlp_ratio, vit.qkv_bias
        )
        self.neck = FeaturePyramid(vit.width, vit.neck_widths)
        self.head = FusionHead(vit.neck_widths, config.channels, config.upsample)
        for name, values in (("mean", MEAN), ("deviation", DEVIATION)):
            constant = torch.tensor(values, device="cpu").view(3, 1, 1)
            self.register_buffer(name, constant, persistent=False)

    @property
    def convolutions(self) -> tuple[nn.Module, ...]:
        """The parts that are faster with channels last."""
        return self.neck, self.head

    def forward(self, picture: Tensor, points: Tensor) -> PredictionSet:
        """Answer clicks; see `PiClick.forward`. Its one mask has a score of one."""
        image = (picture[:, :3] - self.mean) / self.deviation
        shape = (picture.shape[2], picture.shape[3])
        disks = draw_points(points, shape, float(self.config.vit.click_radius))
        added = self.patch_embed_coords(torch.cat([picture[:, 3:], disks.to(picture.dtype)], 1))
        masks = self.head(self.neck(self.backbone(image, added)))
        score = masks.new_full(masks.shape[:2], CERTAIN)
        return PredictionSet(torch.stack([score, -score], -1), masks, score, score)
