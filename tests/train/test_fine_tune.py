"""Fine-tuning on the planes of one image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_piclick import load_predictor
from napari_piclick.train.fine_tune import FineTuning

if TYPE_CHECKING:
    from pathlib import Path

    Planes = list[tuple[np.ndarray, np.ndarray]]


def _planes(count: int) -> Planes:
    rng = np.random.default_rng(0)
    planes = []
    for k in range(count):
        labels = np.zeros((64, 64), np.uint16)
        labels[8 + k : 30 + k, 10:40] = 3
        labels[44:60, 44:60] = 7
        planes.append((rng.normal(300 + 400 * (labels > 0), 40).astype(np.float32), labels))
    return planes


def test_it_learns_in_steps_and_tells_before_and_after_on_held_out_slices(tmp_path: Path) -> None:
    output = tmp_path / "mine.safetensors"
    run = FineTuning(_planes(5), output, steps=2, batch=2, size=64, device="cpu")
    assert run.held_out == 1
    steps = [progress.step for progress in run]
    assert steps == [0, 1, 2]
    assert run.before is not None
    assert run.after is not None
    assert run.before.objects == run.after.objects == 2
    assert load_predictor(output, device="cpu").name


@pytest.mark.parametrize(("count", "held_out"), [(5, 0), (8, 1)])
def test_a_held_out_slice_with_tiny_objects_only_is_passed_over(
    tmp_path: Path, count: int, held_out: int
) -> None:
    planes = _planes(count)
    planes[-1][1][:] = 0
    planes[-1][1][5:8, 5:8] = 3
    output = tmp_path / "mine.safetensors"
    run = FineTuning(planes, output, steps=1, batch=2, size=64, device="cpu")
    assert run.held_out == held_out
    # with nothing to compare on, no slice is kept from training either
    trained_on = run._mixture.sources["mine"][0]
    assert len(trained_on._scenes) == (count - 2 if held_out else count)  # type: ignore[attr-defined]


def test_stopping_early_leaves_nothing_behind(tmp_path: Path) -> None:
    output = tmp_path / "mine.safetensors"
    run = FineTuning(_planes(2), output, steps=3, batch=2, size=64, device="cpu")
    assert run.held_out == 0
    steps = iter(run)
    next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert not list(tmp_path.iterdir())
    assert run.after is None


def test_it_needs_labels(tmp_path: Path) -> None:
    nothing = [(np.zeros((64, 64)), np.zeros((64, 64), np.uint8))]
    with pytest.raises(ValueError, match="label some objects first"):
        FineTuning(nothing, tmp_path / "mine.safetensors", size=64)
