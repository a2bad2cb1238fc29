"""Files of weights: what comes back, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save_file

from napari_piclick.models.checkpoint import load_tiny, save_tiny
from napari_piclick.models.piclick_tiny import PiClickTiny, TinyConfig
from napari_piclick.models.registry import MODELS, find_weights, sha256

if TYPE_CHECKING:
    from pathlib import Path


def test_weights_come_back_in_half_precision(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = PiClickTiny(TinyConfig(num_queries=3))
    save_tiny(model, tmp_path / "w.safetensors", trained="a little")
    again = load_tiny(tmp_path / "w.safetensors")
    assert again.config == model.config
    for name, value in model.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value.half().float())
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]


def test_other_files_are_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no file of weights"):
        load_tiny(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights at all")
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        load_tiny(tmp_path / "text.safetensors")
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="does not hold weights of piclick-tiny"):
        load_tiny(tmp_path / "other.safetensors")
    half = {"architecture": "piclick-tiny", "config": "{}"}
    save_file({"x": torch.zeros(1)}, tmp_path / "half.safetensors", half)
    with pytest.raises(ValueError, match="do not fit"):
        load_tiny(tmp_path / "half.safetensors")


def test_the_embedded_model_is_small_and_has_a_card() -> None:
    model = MODELS["piclick-tiny"]
    assert model.weights.stat().st_size < 25e6
    assert "Licen" in model.card.read_text(encoding="utf-8").replace("licen", "Licen")
    assert find_weights("piclick-tiny") == model.weights
    assert len(sha256(model.weights)) == 64


def test_an_unknown_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="neither a model"):
        find_weights(tmp_path / "nothing.safetensors")
