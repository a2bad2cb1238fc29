"""TinyViT-5M, the image encoder of PiClick-Tiny.

After Wu et al., "TinyViT: Fast Pretraining Distillation for Small Vision
Transformers" (ECCV 2022), with batch normalisation folded into the convolutions.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_piclick.models.layers import ChannelNorm

WIDTHS = (64, 128, 160, 320)
DEPTHS = (2, 2, 6, 2)
HEADS = (2, 4, 5, 10)
WINDOWS = (7, 7, 14, 7)
STRIDES = (2, 2, 1)


class EncoderFeatures(NamedTuple):
    """What the encoder's stages see in a (B, 3, H, W) picture.

    ``quarter`` is (B, 64, H/4, W/4), ``eighth`` (B, 128, H/8, W/8) and ``sixteenth``
    (B, 320, H/16, W/16), which the neck is yet to bring to the decoder's width.
    """

    quarter: Tensor
    eighth: Tensor
    sixteenth: Tensor


class PatchEmbedding(nn.Module):
    """Two convolutions that bring a picture to a quarter of its size."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3, 2, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 64, H/4, W/4)."""
        return self.conv2(F.gelu(self.conv1(x)))


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; adds its input unless size or width change."""

    def __init__(self, inputs: int, outputs: int, hidden: int, stride: int, residual: bool) -> None:
        super().__init__()
        self.expand = nn.Conv2d(inputs, hidden, 1)
        self.depthwise = nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden)
        self.project = nn.Conv2d(hidden, outputs, 1)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H/stride, W/stride)."""
        y = self.project(F.gelu(self.depthwise(F.gelu(self.expand(x)))))
        return F.gelu(x + y) if self.residual else y


class WindowAttention(nn.Module):
    """Self-attention within square windows, with a learned bias per absolute offset."""

    offset_index: Tensor

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.bias_table = nn.Parameter(torch.zeros(heads, window * window))
        row, col = torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")
        row, col = row.flatten(), col.flatten()
        index = (row[:, None] - row).abs() * window + (col[:, None] - col).abs()
        self.register_buffer("offset_index", index, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Attend within the windows of a (B, H, W, C) map."""
        batch, height, width, channels = x.shape
        w = self.window
        x = F.pad(x, (0, 0, 0, -width % w, 0, -height % w))
        rows, cols = x.shape[1] // w, x.shape[2] // w
        x = x.view(batch, rows, w, cols, w, channels).transpose(2, 3)
        x = self.norm(x.reshape(-1, w * w, channels))
        qkv = self.qkv(x).view(len(x), w * w, self.heads, 3, -1).permute(3, 0, 2, 1, 4)
        bias = self.bias_table[:, self.offset_index]
        x = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], attn_mask=bias)
        x = self.proj(x.transpose(1, 2).reshape(-1, w * w, channels))
        x = x.view(batch, rows, cols, w, w, channels).transpose(2, 3)
        return x.reshape(batch, rows * w, cols * w, channels)[:, :height, :width]


class FeedForward(nn.Module):
    """Pre-normalised two-layer perceptron on the channels of a (B, H, W, C) map."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Transform the channels of each position."""
        return self.fc2(F.gelu(self.fc1(self.norm(x))))


class TinyVitBlock(nn.Module):
    """Window attention, a local convolution, and a feed-forward layer."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.attention = WindowAttention(width, heads, window)
        self.local_conv = nn.Conv2d(width, width, 3, 1, 1, groups=width)
        self.mlp = FeedForward(width)

    def forward(self, x: Tensor) -> Tensor:
        """Transform a (B, H, W, C) map."""
        x = x + self.attention(x)
        x = self.local_conv(x.movedim(-1, 1)).movedim(1, -1)
        return x + self.mlp(x)


class Neck(nn.Module):
    """Bring the last stage to the decoder's width."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norm1 = ChannelNorm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = ChannelNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H, W)."""
        return self.norm2(self.conv2(self.norm1(self.conv1(x))))


class TinyVit(nn.Module):
    """The image encoder: a normalised picture in, features at three scales out.

    Its neck is a part of its own, applied by `PiClickTiny.embed`: it can be trained on kept
    features at a hundredth of the cost of the stages before it.
    """

    def __init__(self, outputs: int = 256) -> None:
        super().__init__()
        self.patch_embed = PatchEmbedding()
        self.stage0 = nn.Sequential(
            *(InvertedResidual(64, 64, 256, 1, residual=True) for _ in range(DEPTHS[0]))
        )
        for k, stride in enumerate(STRIDES):
            before, after = WIDTHS[k], WIDTHS[k + 1]
            blocks = (
                TinyVitBlock(after, HEADS[k + 1], WINDOWS[k + 1]) for _ in range(DEPTHS[k + 1])
            )
            down = InvertedResidual(before, after, after, stride, residual=False)
            self.add_module(f"downsample{k}", down)
            self.add_module(f"stage{k + 1}", nn.Sequential(*blocks))
        self.neck = Neck(WIDTHS[-1], outputs)

    def forward(self, image: Tensor) -> EncoderFeatures:
        """Encode a (B, 3, H, W) normalised picture; H and W are multiples of 16."""
        maps = [self.stage0(self.patch_embed(image))]
        for k in range(len(STRIDES)):
            x = self.get_submodule(f"downsample{k}")(maps[-1])
            x = self.get_submodule(f"stage{k + 1}")(x.movedim(1, -1)).movedim(-1, 1)
            maps.append(x)
        return EncoderFeatures(maps[0], maps[1], maps[3])
