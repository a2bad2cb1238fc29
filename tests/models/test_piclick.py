"""The published network against the authors' own numbers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from napari_piclick.models.authors_checkpoint import build, read_authors_checkpoint
from napari_piclick.models.deformable_attention import SamplingGrid, weighted_sum
from napari_piclick.models.disk_maps import draw_points
from napari_piclick.models.matrix_conv import Double, Halve, Pointwise
from napari_piclick.models.piclick import PiClick
from napari_piclick.models.piclick_config import SIZES, PiClickConfig
from napari_piclick.models.piclick_head import PredictionSet, Scores
from napari_piclick.models.vit import VisionTransformer

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

#: Differences allowed to the authors' program.
LOGITS, PROBABILITIES = 1e-3, 1e-4


def picture(image: NDArray, previous: NDArray) -> torch.Tensor:
    """(B, 4, H, W) of (B, H, W, 3) uint8 and (B, H, W)."""
    rgb = torch.from_numpy(image).permute(0, 3, 1, 2).float() / 255
    return torch.cat([rgb, torch.from_numpy(previous)[:, None]], 1)


def close(found: torch.Tensor, wanted: NDArray, tolerance: float) -> None:
    torch.testing.assert_close(found.float(), torch.from_numpy(wanted), atol=tolerance, rtol=0)


def check_scores(prediction: PredictionSet, wanted: dict[str, NDArray]) -> None:
    scores = Scores.of(prediction)
    order = scores.iou.argsort(1, descending=True)
    assert np.array_equal(order, wanted["sorted_order"])
    close(scores.confidence.gather(1, order), wanted["sorted_conf"], PROBABILITIES)
    assert np.array_equal((scores.iou * scores.confidence).argmax(1), wanted["pick_paper"])
    assert np.array_equal((6 * scores.iou + scores.onehot).argmax(1), wanted["pick_maxscore"])


@pytest.mark.parametrize("case", ["a", "b"])
def test_the_network_gives_the_authors_numbers(case: str, micro: PiClick, published: Path) -> None:
    with np.load(published / "raw_micro_random.npz") as file:
        image = file["image"][None]
        want = {k.removeprefix(f"{case}_"): file[k] for k in file.files if k.startswith(case)}
    points = torch.from_numpy(want["points"])
    x = picture(image, want["prev"])
    shape = (x.shape[2], x.shape[3])
    with torch.inference_mode():
        sets = micro.all_sets(x, points)
        last = micro(x, points)
        disks = draw_points(points, shape, 5.0)
        embeddings, absent = micro.click_embeddings(points, shape)
    assert np.array_equal(np.packbits(disks.numpy().astype(bool)), want["disks"])
    close(embeddings.transpose(0, 1), want["query_points"], 1e-6)
    assert np.array_equal(absent, want["points_invalid"])
    close(torch.stack([s.objects for s in sets]), want["cls_logits"], LOGITS)
    close(torch.stack([s.iou for s in sets]), want["iou_logits"], LOGITS)
    close(torch.stack([s.onehot for s in sets]), want["onehot_logits"], LOGITS)
    close(last.masks[..., ::4, ::4], want["masks_s4"], LOGITS)
    full = F.interpolate(last.masks, shape, mode="bilinear", align_corners=True)
    close(full[..., ::16, ::16], want["full_s16"], LOGITS)
    check_scores(last, want)


@pytest.mark.parametrize(
    "name",
    [
        "micro_random_A_448_1pos",
        "micro_random_B_448_2pos1neg_prev",
        "tiny_trained_A_448_1pos",
        "tiny_trained_B_448_2pos1neg_prev",
        "tiny_trained_E_448x672",
        "tiny_trained_G_448_noclick",
    ],
)
def test_every_reference_case_agrees(name: str, shared: Path) -> None:
    folder = shared / "reference"
    weights = folder / f"piclick_{'_'.join(name.split('_')[:2])}.pth"
    model = build(*read_authors_checkpoint(weights))
    with np.load(folder / f"raw_{name}.npz") as file:
        want = {key: file[key] for key in file.files}
    points = torch.from_numpy(want["points"])
    with torch.inference_mode():
        sets = model.all_sets(picture(want["image"], want["prev"]), points)
    close(torch.stack([s.objects for s in sets]), want["cls_logits"], LOGITS)
    close(torch.stack([s.iou for s in sets]), want["iou_logits"], LOGITS)
    close(torch.stack([s.onehot for s in sets]), want["onehot_logits"], LOGITS)
    masks = torch.stack([s.masks for s in sets])
    close(masks[..., ::2, ::2], want["mask_lowres_layers"], LOGITS)
    close(masks[-1], want["mask_lowres_last"], LOGITS)
    close(masks[-1].sigmoid(), 1 / (1 + np.exp(-want["mask_lowres_last"])), PROBABILITIES)
    check_scores(sets[-1], want)


def test_only_batch_mates_of_the_same_picture_agree(micro: PiClick) -> None:
    torch.manual_seed(0)
    x = torch.rand(2, 4, 224, 224)
    clicks = torch.tensor([[[50.5, 60, 0], [-1, -1, -1]], [[90, 200.2, 0], [10, 10, 1]]])
    with torch.inference_mode():
        both = micro(x, clicks)
        second = micro(x[1:], clicks[1:])
    torch.testing.assert_close(both.masks[1:], second.masks, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(both.masks[0], second.masks[0], atol=0.1)


@pytest.mark.parametrize("shape", [(224, 224), (448, 672), (672, 448)])
def test_other_sizes_go_in(shape: tuple[int, int], micro: PiClick) -> None:
    with torch.inference_mode():
        answer = micro(torch.rand(1, 4, *shape), torch.tensor([[[9.0, 9, 0], [-1, -1, -1]]]))
    assert answer.masks.shape == (1, 7, shape[0] // 4, shape[1] // 4)


def test_a_size_without_windows_is_refused_in_words() -> None:
    with torch.device("meta"):
        vit = VisionTransformer((448, 448), 16, 32, 4, 2)
    with pytest.raises(ValueError, match="560 x 448 pixels cannot be divided into windows"):
        vit.windows((35, 28))
    with pytest.raises(ValueError, match="cannot be divided"):
        vit.windows((13, 14))
    assert vit.windows((28, 42)) == (2, 3)


@pytest.mark.parametrize(
    ("size", "millions"), [("base", 116.36), ("large", 383.46), ("huge", 721.6)]
)
def test_sizes_have_the_published_number_of_parameters(size: str, millions: float) -> None:
    with torch.device("meta"):
        model = PiClick(SIZES[size])
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.03)


@pytest.mark.parametrize("size", ["base", "large", "huge"])
def test_every_tensor_has_the_authors_name_and_shape(size: str, shared: Path) -> None:
    with torch.device("meta"):
        state = PiClick(SIZES[size]).state_dict()
    lines = (shared / "reference" / f"state_piclick_{size}.txt").read_text().splitlines()
    found = [f"{name} {tuple(value.shape)} float32" for name, value in state.items()]
    assert sorted(found) == sorted(line for line in lines if line)


def test_a_configuration_survives_json_and_refuses_nonsense() -> None:
    config = SIZES["large"]
    assert PiClickConfig.from_dict(json.loads(json.dumps(config.as_dict()))) == config
    for wrong in ({"depth": 10**9}, {"width": 0}, {"heads": 7}, {"neck_widths": (1, 2, 3)}):
        with pytest.raises(ValueError, match="No PiClick can be built"):
            PiClickConfig(**wrong)


@pytest.mark.parametrize(
    ("ours", "usual"),
    [
        (Pointwise(5, 7), nn.Conv2d(5, 7, 1)),
        (Halve(5, 7), nn.Conv2d(5, 7, 2, 2)),
        (Double(5, 7), nn.ConvTranspose2d(5, 7, 2, 2)),
    ],
    ids=["pointwise", "halve", "double"],
)
def test_convolutions_as_matrix_products(ours: nn.Module, usual: nn.Module) -> None:
    usual.load_state_dict(ours.state_dict())
    for shape in ((6, 8), (7, 9)):
        x = torch.randn(2, 5, *shape)
        torch.testing.assert_close(ours(x), usual(x))


def test_gathered_rows_add_up_as_embedding_bags_do() -> None:
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(50, 8, generator=generator)
    rows = [torch.randint(0, 50, (6, 5), generator=generator, dtype=torch.int32) for _ in range(4)]
    factors = [torch.rand(6, 5, generator=generator) for _ in range(4)]
    both = [weighted_sum(table, rows, factors, bags) for bags in (True, False)]
    torch.testing.assert_close(*both)


def test_deformable_attention_is_grid_sample_of_every_level() -> None:
    torch.manual_seed(0)
    shapes, heads, points, width = [(3, 5), (6, 10), (12, 20)], 2, 4, 8
    total = sum(h * w for h, w in shapes)
    values = torch.randn(2, total, width, requires_grad=True)
    # far enough to leave the maps on every side
    across, down = (4 * torch.randn(2, total, heads * 3 * points) for _ in range(2))
    across.requires_grad_()
    weights = torch.rand(2, total, heads * 3 * points)
    grid = SamplingGrid.of(shapes, heads, points, torch.device("cpu"))

    def level_by_level() -> torch.Tensor:
        sums = torch.zeros(2, heads, width // heads, total)
        parts = values.split([h * w for h, w in shapes], 1)
        per = [x.unflatten(-1, (heads, 3, points)) for x in (across, down, weights)]
        own = [x.unflatten(-1, (heads, 3, points)) for x in (grid.cols, grid.rows)]
        for level, ((h, w), part) in enumerate(zip(shapes, parts, strict=True)):
            maps = part.transpose(1, 2).reshape(2 * heads, width // heads, h, w)
            x, y = (per[k][..., level, :] + own[k][..., level, :] for k in (0, 1))
            places = torch.stack([(2 * x + 1) / w - 1, (2 * y + 1) / h - 1], -1)
            places = places.transpose(1, 2).flatten(0, 1)
            read = F.grid_sample(maps, places, align_corners=False)
            read = read.unflatten(0, (2, heads))
            sums = sums + (read * per[2][..., level, :].transpose(1, 2)[:, :, None]).sum(-1)
        return sums.flatten(1, 2).transpose(1, 2)

    found, wanted = grid.sample(values, down, across, weights), level_by_level()
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    gradients = [torch.autograd.grad(x.square().sum(), (values, across)) for x in (found, wanted)]
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, atol=1e-3, rtol=1e-3)
