"""The embedded network: its starting weights, its new parts, its shapes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from napari_piclick.models.checkpoint import from_starting_weights, with_evidence
from napari_piclick.models.evidence import evidence_width, gather_evidence
from napari_piclick.models.piclick_tiny import DEVIATION, MEAN, PiClickTiny, TinyConfig
from napari_piclick.models.target_reasoning import TargetReasoning, choose

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, torch.Tensor]:
    with np.load(shared / "weights" / "reference_io.npz") as file:
        return {key: torch.from_numpy(file[key]).float() for key in file.files}


@pytest.fixture(scope="module")
def start(shared: Path) -> Path:
    return shared / "weights" / "tinyvit5m-sam-fp16.safetensors"


def _image(reference: dict[str, torch.Tensor]) -> torch.Tensor:
    mean, deviation = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, DEVIATION))
    return reference["input_512"] * deviation + mean


def test_starting_weights_reproduce_the_reference(
    start: Path, reference: dict[str, torch.Tensor]
) -> None:
    model = from_starting_weights(start, TinyConfig(num_queries=4))
    points, signs = reference["points_xy"].flip(-1), reference["point_labels"]
    with torch.inference_mode():
        embedding = model.encode(_image(reference))
        first = model.decode(embedding, points, signs)
        second = model.decode(embedding, points, signs, reference["mask_logits"][:, :1])
    for found, name in (
        (embedding.coarse, "embedding_512"),
        (first.masks, "mask_logits"),
        (first.iou, "iou"),
        (second.masks, "mask_logits_with_previous"),
        (second.iou, "iou_with_previous"),
    ):
        torch.testing.assert_close(found, reference[name], atol=1e-3, rtol=0)


def test_seven_queries_begin_from_the_four_and_rank_by_the_loaded_iou(
    start: Path, reference: dict[str, torch.Tensor]
) -> None:
    model = from_starting_weights(start)
    with torch.inference_mode():
        answer = model.decode(
            model.encode(_image(reference)),
            reference["points_xy"].flip(-1),
            reference["point_labels"],
        )
    assert answer.masks.shape == (1, 7, 128, 128)
    # an untrained confidence head says the same of every query
    assert torch.all(answer.confidence == answer.confidence[0, 0])
    assert choose(answer.iou, answer.confidence.sigmoid()) == answer.iou.argmax()
    found = (answer.masks[0] > 0).flatten(1).float()
    for new, old in ((4, 1), (5, 2), (6, 3)):
        overlap = (found[new] * found[old]).sum() / (found[new] + found[old]).clamp(max=1).sum()
        assert overlap > 0.5


def test_fewer_queries_for_ablations(start: Path) -> None:
    model = from_starting_weights(start, TinyConfig(num_queries=1, disks=False))
    assert model.decoder.mask_tokens.weight.shape[0] == 1


@pytest.mark.parametrize("shape", [(64, 64), (48, 112), (112, 48)])
def test_any_multiple_of_sixteen_goes_in(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    model = PiClickTiny().eval()
    with torch.inference_mode():
        embedding = model.encode(torch.rand(1, 3, *shape) * 255)
        answer = model.decode(embedding, torch.tensor([[[5.0, 9.0]]]), torch.ones(1, 1))
    assert answer.masks.shape == (1, 7, shape[0] // 4, shape[1] // 4)
    assert answer.iou.shape == answer.confidence.shape == (1, 7)


def test_prompts_on_one_picture_can_be_answered_as_a_batch() -> None:
    torch.manual_seed(0)
    model = PiClickTiny().eval()
    points = torch.tensor([[[5.0, 9.0]], [[40.0, 30.0]]])
    with torch.inference_mode():
        embedding = model.encode(torch.rand(1, 3, 64, 64) * 255)
        both = model.decode(embedding, points, torch.ones(2, 1))
        second = model.decode(embedding, points[1:], torch.ones(1, 1))
    torch.testing.assert_close(both.masks[1], second.masks[0], atol=1e-4, rtol=1e-4)


def test_the_sign_of_a_click_matters_and_an_absent_click_has_no_place() -> None:
    torch.manual_seed(0)
    model = PiClickTiny().eval()
    with torch.inference_mode():
        embedding = model.encode(torch.rand(1, 3, 64, 64) * 255)

        def masks(place: tuple[float, float], sign: float) -> torch.Tensor:
            return model.decode(embedding, torch.tensor([[place]]), torch.tensor([[sign]])).masks

        assert not torch.equal(masks((20, 20), 1), masks((20, 20), 0))
        assert torch.equal(masks((20, 20), -1), masks((3, 50), -1))


def test_untrained_target_reasoning_passes_the_prior_on() -> None:
    torch.manual_seed(0)
    prior = torch.rand(2, 7)
    iou, confidence = TargetReasoning(16)(torch.randn(2, 7, 16), prior)
    torch.testing.assert_close(iou, prior)
    assert torch.all(confidence == confidence[0, 0])


def test_a_trm_that_reads_the_evidence_begins_as_the_one_that_does_not() -> None:
    torch.manual_seed(0)
    plain = PiClickTiny().eval()
    grown = with_evidence(plain)
    assert grown.config.evidence
    assert with_evidence(grown) is grown
    prompt = torch.tensor([[(20.0, 30.0)]]), torch.ones(1, 1)
    with torch.inference_mode():
        embedding = plain.encode(torch.rand(1, 3, 64, 64) * 255)
        for one, other in zip(
            plain.decode(embedding, *prompt), grown.decode(embedding, *prompt), strict=True
        ):
            torch.testing.assert_close(one, other)


def test_evidence_is_what_lies_under_and_around_a_mask() -> None:
    coarse = torch.zeros(1, 1, 8, 8)
    coarse[..., 2:4, 2:4] = 5  # under the mask
    coarse[..., 0, 0] = -7  # far away
    fine = torch.zeros(1, 1, 32, 32)
    fine[..., 8:16, 8:16] = 3
    masks = torch.full((1, 1, 32, 32), -12.0)
    masks[..., 8:16, 8:16] = 12
    inside, around, detail, area, steady, sure, _ = gather_evidence(masks, coarse, fine)[0, 0]
    assert inside == pytest.approx(5, rel=1e-2)
    assert around == pytest.approx(0, abs=1e-2)
    assert detail == pytest.approx(3, rel=1e-2)
    assert area == pytest.approx(math.log(1 / 16), rel=1e-2)
    assert steady == pytest.approx(1, rel=1e-2)
    assert sure == pytest.approx(1, rel=1e-2)


def test_evidence_is_only_read() -> None:
    torch.manual_seed(0)
    masks = torch.randn(1, 2, 16, 16, requires_grad=True)
    coarse = torch.randn(1, 4, 4, 4, requires_grad=True)
    reasoning = TargetReasoning(8, evidence_width(4, 2))
    evidence = gather_evidence(masks, coarse, torch.randn(1, 2, 16, 16))
    assert not evidence.requires_grad
    iou, confidence = reasoning(torch.randn(1, 2, 8), torch.zeros(1, 2), evidence)
    (iou.sum() + confidence.sum()).backward()
    assert masks.grad is None
    assert coarse.grad is None
