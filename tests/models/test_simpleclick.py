"""SimpleClick: a checkpoint in its authors' layout is read safely, and gives their numbers."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from napari_piclick import Click
from napari_piclick.eval import ClickProtocol, ModelSpec, Sample, annotate_object
from napari_piclick.eval.simpleclick import load
from napari_piclick.models.simpleclick_checkpoint import load_simpleclick

WIDTH, DEPTH, HEADS, OUT, CHANNELS = 32, 8, 4, (8, 16, 24, 32), 8
LOSS = "isegm.model.modeling.transformer_helper.cross_entropy_loss"


class Named(nn.Module):
    """A module that holds others under given names."""

    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)


class Plain(nn.Module):
    """The network, put together of plain layers under its authors' names."""

    def __init__(self, upsample):
        super().__init__()
        self.times = int(upsample[1])
        patch = nn.Conv2d(3, WIDTH, 16, 16)
        self.patch_embed_coords = Named(proj=nn.Conv2d(3, WIDTH, 16, 16))
        blocks = nn.Sequential(*[
            Named(
                norm1=nn.LayerNorm(WIDTH, eps=1e-6), norm2=nn.LayerNorm(WIDTH, eps=1e-6),
                attn=Named(qkv=nn.Linear(WIDTH, 3 * WIDTH), proj=nn.Linear(WIDTH, WIDTH)),
                mlp=Named(fc1=nn.Linear(WIDTH, 4 * WIDTH), fc2=nn.Linear(4 * WIDTH, WIDTH)),
            )
            for _ in range(DEPTH)
        ])  # fmt: skip
        self.backbone = Named(
            patch_embed=Named(proj=patch), blocks=blocks, fc_norm=nn.LayerNorm(WIDTH),
            head=nn.Linear(WIDTH, 1000),
        )  # fmt: skip
        self.backbone.cls_token = nn.Parameter(torch.randn(1, 1, WIDTH))
        self.backbone.pos_embed = nn.Parameter(torch.randn(1, 1 + 28 * 28, WIDTH))

        def norm(n):
            return nn.GroupNorm(1, n)

        c4, c8, c32 = max(2 * OUT[0], WIDTH // 2), max(OUT[1], WIDTH // 2), max(OUT[3], 2 * WIDTH)
        self.neck = Named(
            down_4=nn.Sequential(
                nn.ConvTranspose2d(WIDTH, c4, 2, 2), norm(c4), nn.GELU(),
                nn.ConvTranspose2d(c4, c4 // 2, 2, 2), norm(c4 // 2),
                nn.Conv2d(c4 // 2, OUT[0], 1), norm(OUT[0]), nn.GELU(),
            ),
            down_8=nn.Sequential(
                nn.ConvTranspose2d(WIDTH, c8, 2, 2), norm(c8), nn.Conv2d(c8, OUT[1], 1),
                norm(OUT[1]), nn.GELU(),
            ),
            down_16=nn.Sequential(nn.Conv2d(WIDTH, OUT[2], 1), norm(OUT[2]), nn.GELU()),
            down_32=nn.Sequential(
                nn.Conv2d(WIDTH, c32, 2, 2), norm(c32), nn.Conv2d(c32, OUT[3], 1), norm(OUT[3]),
                nn.GELU(),
            ),
        )  # fmt: skip
        wide = CHANNELS * self.times

        def up(n):
            return nn.Sequential(
                nn.ConvTranspose2d(n, n // 2, 2, 2), norm(n // 2), nn.Conv2d(n // 2, n // 2, 1),
                norm(n // 2), nn.GELU(),
            )  # fmt: skip

        self.head = Named(
            convs=nn.ModuleList(Named(conv=nn.Conv2d(n, wide, 1)) for n in OUT),
            fusion_conv=Named(conv=nn.Conv2d(4 * wide, wide, 1)),
            up_conv1=up(wide), up_conv2=up(wide // 2), conv_seg=nn.Conv2d(CHANNELS, 1, 1),
        )  # fmt: skip

    def block(self, block, x):
        qkv = block.attn.qkv(block.norm1(x)).reshape(*x.shape[:2], 3, HEADS, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attention = (q @ k.transpose(-2, -1) * (WIDTH // HEADS) ** -0.5).softmax(-1)
        x = x + block.attn.proj((attention @ v).transpose(1, 2).reshape(x.shape))
        return x + block.mlp.fc2(F.gelu(block.mlp.fc1(block.norm2(x))))

    def forward(self, image, previous, disks):
        mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
        image = (image - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)
        maps = self.backbone.patch_embed.proj(image)
        maps = maps + self.patch_embed_coords.proj(torch.cat([previous, disks], 1))
        x = maps.flatten(2).transpose(1, 2) + self.backbone.pos_embed[:, 1:]
        for number, block in enumerate(self.backbone.blocks, start=1):
            if number % (DEPTH // 4) == 0:
                x = self.block(block, x)
                continue
            grid = x.reshape(28, 28, WIDTH)
            for rows in (slice(0, 14), slice(14, 28)):
                for cols in (slice(0, 14), slice(14, 28)):
                    window = grid[rows, cols].reshape(1, -1, WIDTH)
                    grid[rows, cols] = self.block(block, window).reshape(14, 14, WIDTH)
            x = grid.reshape(1, -1, WIDTH)
        maps = x.transpose(1, 2).reshape(1, WIDTH, 28, 28)
        pyramid = [getattr(self.neck, f"down_{k}")(maps) for k in (4, 8, 16, 32)]
        joined = [
            F.interpolate(F.relu(c.conv(y)), pyramid[0].shape[2:], mode="bilinear")
            for c, y in zip(self.head.convs, pyramid, strict=True)
        ]
        y = F.relu(self.head.fusion_conv.conv(torch.cat(joined, 1)))
        if self.times > 1:
            y = self.head.up_conv1(y)
        if self.times > 2:
            y = self.head.up_conv2(y)
        return self.head.conv_seg(y)


def save(path, network, *, upsample="x1", extra=None, **changes):
    """Write a checkpoint as the authors do, with the loss of the head in its configuration."""

    class CrossEntropyLoss(nn.Module):
        def __init__(self):
            super().__init__()
            self.loss_weight, self.cls_criterion = 1.0, cross_entropy

    def cross_entropy():
        raise AssertionError("this must never be run")

    module = ModuleType(LOSS)
    for thing in (CrossEntropyLoss, cross_entropy):
        thing.__module__, thing.__qualname__ = LOSS, thing.__name__
        setattr(module, thing.__name__, thing)
    size = (448, 448)
    parameters = {
        "use_disks": True, "norm_radius": 5, "with_prev_mask": True,
        "backbone_params": {
            "img_size": size, "patch_size": (16, 16), "in_chans": 3, "embed_dim": WIDTH,
            "depth": DEPTH, "num_heads": HEADS, "mlp_ratio": 4, "qkv_bias": True,
        },
        "neck_params": {"in_dim": WIDTH, "out_dims": list(OUT)},
        "head_params": {
            "in_channels": list(OUT), "in_index": [0, 1, 2, 3], "dropout_ratio": 0.1,
            "num_classes": 1, "loss_decode": extra or CrossEntropyLoss(), "align_corners": False,
            "upsample": upsample, "channels": CHANNELS,
        },
    } | changes  # fmt: skip
    config = {
        "class": "isegm.model.is_plainvit_model.PlainVitModel",
        "params": {
            name: {"type": "builtin", "value": value, "specified": True}
            for name, value in parameters.items()
        },
    }
    parts = LOSS.split(".")
    names = [".".join(parts[:k]) for k in range(1, len(parts))]
    sys.modules.update({name: ModuleType(name) for name in names} | {LOSS: module})
    try:
        torch.save({"state_dict": network.state_dict(), "config": config}, path)
    finally:
        for name in (*names, LOSS):
            del sys.modules[name]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Plain("x1").eval()


@pytest.fixture
def checkpoint(network, tmp_path):
    path = tmp_path / "cocolvis_vit_small.pth"
    save(path, network)
    return path


@pytest.mark.parametrize("upsample", ["x1", "x2", "x4"])
def test_it_computes_what_plain_layers_do(tmp_path, upsample):
    torch.manual_seed(1)
    plain = Plain(upsample).eval()
    save(tmp_path / "w.pth", plain, upsample=upsample)
    model = load_simpleclick(tmp_path / "w.pth")
    image, previous = torch.rand(1, 3, 448, 448), torch.rand(1, 1, 448, 448)
    points = torch.tensor([[[100.0, 200, 0], [-1, -1, -1], [300, 50.5, 1], [-1, -1, -1]]])
    rows, cols = torch.meshgrid(torch.arange(448.0), torch.arange(448.0), indexing="ij")
    disks = torch.stack(
        [((rows - r) ** 2 + (cols - c) ** 2 <= 25).float() for r, c in ((100, 200), (300, 50.5))]
    )
    with torch.no_grad():
        wanted = plain(image, previous, disks[None])
        answer = model(torch.cat([image, previous], 1), points)
    assert answer.masks.shape == (1, 1, 112 * plain.times, 112 * plain.times)
    torch.testing.assert_close(answer.masks, wanted, atol=1e-4, rtol=1e-4)


def test_it_is_measured_like_any_other_model(checkpoint, network):
    image = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    spec = ModelSpec("napari_piclick.eval.simpleclick:load", "cpu", (str(checkpoint),), "published")
    predictor = spec()
    assert predictor.name == "SimpleClick cocolvis_vit_small"
    predictor.set_image(image)
    answer = predictor.predict([Click(100, 150)])
    assert len(answer) == 1
    assert answer.threshold == 0.49
    # The first look is at the whole picture, stretched, averaged with its mirror image.
    picture = F.interpolate(
        torch.from_numpy(image).permute(2, 0, 1)[None] / 255, (448, 448), mode="bilinear",
        align_corners=True,
    )  # fmt: skip
    none = torch.zeros(1, 1, 448, 448)
    row, col = 448 * 100 / 200, 448 * 150 / 300
    rows, cols = torch.meshgrid(torch.arange(448.0), torch.arange(448.0), indexing="ij")
    views = []
    for flipped in (False, True):
        at = 447 - col if flipped else col
        disk = ((rows - row) ** 2 + (cols - at) ** 2 <= 25).float()
        disks = torch.stack([disk, torch.zeros_like(disk)])[None]
        with torch.no_grad():
            logits = network(picture.flip(-1) if flipped else picture, none, disks)
        logits = F.interpolate(logits, (448, 448), mode="bilinear", align_corners=True)
        views.append(logits.flip(-1) if flipped else logits)
    mean = F.interpolate(
        (sum(views) / 2).sigmoid(), (200, 300), mode="bilinear", align_corners=True
    )
    np.testing.assert_allclose(answer.masks[0], mean[0, 0], atol=1e-4)
    truth = np.zeros((200, 300), bool)
    truth[80:120, 130:170] = True
    protocol = ClickProtocol(max_clicks=3, compat="published")
    result = annotate_object(Sample("a", "1", image, truth), predictor, protocol)
    assert len(result.clicks) == 3
    assert result.threshold == 0.49


def test_what_to_zoom_in_on_is_told_by_probabilities(checkpoint):
    predictor = load(checkpoint, "cpu")
    predictor.set_image(np.zeros((400, 400), np.uint8))
    answer = predictor.predict([Click(200, 200)])
    answer.masks[:] = 0.45
    answer.masks[0, 190:210, 100:280] = 0.55  # a logit of 0.2: PiClick's program would not see it
    again = predictor.predict([Click(200, 200), Click(10, 10, False)], answer)
    assert again.view is not None
    # 1.4 times the 180 columns, and 200 rows at least
    assert again.view.shape == (201, 253)


def test_other_files_are_refused(tmp_path, network):
    path = tmp_path / "w.pth"
    (tmp_path / "ran").mkdir()

    class Hostile:
        def __reduce__(self):
            return (Path.rmdir, (tmp_path / "ran",))

    save(path, network, extra=Hostile())
    with pytest.raises(ValueError, match="which could run a program"):
        load_simpleclick(path)
    assert (tmp_path / "ran").is_dir()
    micro = Path(__file__).parents[1] / "data" / "published" / "piclick_micro_random.pth"
    with pytest.raises(ValueError, match=r"describes a .*PiClickModel, not a PlainVitModel"):
        load_simpleclick(micro)
    state = network.state_dict()
    del state["head.conv_seg.bias"]
    torch.save({"state_dict": state, "config": {}}, path)
    with pytest.raises(ValueError, match="describes no model"):
        load_simpleclick(path)
    save(path, network, with_prev_mask=False)
    with pytest.raises(ValueError, match="without disks or the previous mask"):
        load_simpleclick(path)
    save(path, network, upsample="x4")
    with pytest.raises(ValueError, match=r"the tensor head\.convs\.0\.conv\.weight has shape"):
        load_simpleclick(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        load_simpleclick(path)
    with pytest.raises(FileNotFoundError, match="no file of weights"):
        load_simpleclick(tmp_path / "none.pth")
