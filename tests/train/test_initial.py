"""What training begins with: one model, the mean of several, starting weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from napari_piclick.models.checkpoint import load_tiny, save_tiny
from napari_piclick.models.piclick_tiny import PiClickTiny, TinyConfig
from napari_piclick.models.registry import find_weights
from napari_piclick.train.initial import load_initial, mean_model

if TYPE_CHECKING:
    from pathlib import Path

TOKENS = "decoder.mask_tokens.weight"
EVIDENCE = "decoder.target_reasoning.weighing.score.layers.1.weight"


def _random(path: Path, seed: int, **config: int | bool) -> str:
    torch.manual_seed(seed)
    save_tiny(PiClickTiny(TinyConfig(**config)), path)  # type: ignore[arg-type]
    return str(path)


def test_training_begins_with_the_mean_of_several_models(tmp_path: Path) -> None:
    names = [_random(tmp_path / f"{seed}.safetensors", seed, evidence=True) for seed in (1, 2)]
    parts = [load_initial(name, TinyConfig()).state_dict() for name in names]
    mean = load_initial(names, TinyConfig()).state_dict()
    assert not torch.allclose(parts[0][TOKENS], parts[1][TOKENS], atol=0.1)
    for key, value in mean.items():
        torch.testing.assert_close(value, (parts[0][key] + parts[1][key]) / 2)


def test_what_only_one_of_them_has_is_kept(tmp_path: Path) -> None:
    without = _random(tmp_path / "without.safetensors", 1)
    shipped = load_tiny(find_weights("piclick-tiny")).state_dict()
    mean = load_initial([without, "piclick-tiny"], TinyConfig(evidence=True)).state_dict()
    assert shipped[EVIDENCE].any()
    torch.testing.assert_close(mean[EVIDENCE], shipped[EVIDENCE])
    assert not torch.allclose(mean[TOKENS], shipped[TOKENS], atol=1e-3)


def test_models_with_other_numbers_of_proposals_have_no_mean() -> None:
    with pytest.raises(ValueError, match="These weights have no mean"):
        mean_model([PiClickTiny(TinyConfig(num_queries=3)), PiClickTiny(TinyConfig())])
