"""Mixed precision: bfloat16 only where the device computes in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from napari_piclick.models.tiny_vit import EncoderFeatures
from napari_piclick.train.encoding import stack_features
from napari_piclick.train.precision import computes_in_bfloat16, mixed_precision

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _ask_anew() -> Iterator[None]:
    computes_in_bfloat16.cache_clear()
    yield
    computes_in_bfloat16.cache_clear()


@pytest.mark.parametrize(
    ("features", "native"),
    [
        ({"avx2": True, "avx512_f": True, "avx512_bf16": False}, False),
        ({"avx2": True, "avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({"bf16": True}, True),
        ({}, False),
    ],
)
def test_a_processor_is_only_given_what_it_computes_in(
    monkeypatch: pytest.MonkeyPatch, features: dict[str, bool], native: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features, raising=False)
    product = torch.ones(4, 4)
    with mixed_precision(torch.device("cpu")):
        product = product @ product
    assert product.dtype == (torch.bfloat16 if native else torch.float32)


def test_where_torch_does_not_tell_single_precision_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not computes_in_bfloat16("cpu")
    assert not computes_in_bfloat16("mps")


def test_a_gpu_that_emulates_it_is_not_given_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation
    )
    assert not computes_in_bfloat16("cuda")


def test_kept_pictures_are_stacked_where_a_processor_computes_in_bfloat16() -> None:
    kept = EncoderFeatures(*(torch.full((2, 4, 4), value).half() for value in (1.0, 2.0, 3.0)))
    with torch.autocast("cpu", torch.bfloat16):
        batch = stack_features([kept, kept, kept], torch.device("cpu"))
    assert [tuple(part.shape) for part in batch] == [(3, 2, 4, 4)] * 3
    assert [float(part.mean()) for part in batch] == [1.0, 2.0, 3.0]
