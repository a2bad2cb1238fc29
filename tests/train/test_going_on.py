"""Going on with a run: only with the weights, the data and the pictures that it was begun with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from napari_piclick.models.checkpoint import load_tiny, save_tiny
from napari_piclick.models.piclick_tiny import TinyConfig
from napari_piclick.models.registry import find_weights
from napari_piclick.train.__main__ import main
from napari_piclick.train.picture_plan import PicturePlan

if TYPE_CHECKING:
    from pathlib import Path


def _disturbed(path: Path) -> Path:
    """A file of other weights than the model that comes with the package."""
    model = load_tiny(find_weights("piclick-tiny"))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.01)
    save_tiny(model, path)
    return path


@pytest.mark.parametrize(
    ("option", "first", "second", "named"),
    [
        ("--init", "piclick-tiny", "other.safetensors", "init"),
        ("--size", "64", "96", "size"),
        ("--queries", "7", "5", "network"),
        ("--no-superpixels", None, "", "superpixels"),
    ],
)
def test_a_run_does_not_go_on_from_or_on_something_else(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: str,
    first: str | None,
    second: str,
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    _disturbed(tmp_path / "other.safetensors")
    command = ["--output", "mine.safetensors", "--batch", "1", "--workers", "0", "--threads", "1"]
    command += ["--device", "cpu", "--validate", "0", "--no-synthetic", "--data", "squares"]
    command += [] if option == "--size" else ["--size", "64"]
    square = np.zeros((64, 64), np.uint8)
    square[20:50, 10:40] = 200
    for part in ("images", "labels"):
        (tmp_path / "squares" / part).mkdir(parents=True)
        Image.fromarray(square).save(tmp_path / "squares" / part / "a.png")
    begun = [*command, *([] if first is None else [option, first])]
    assert main([*begun, "--steps", "1"]) == 0
    capsys.readouterr()
    assert main([*command, option, *filter(None, [second]), "--steps", "2"]) == 2
    said = capsys.readouterr().err
    assert f"begun with other settings ({named})" in said
    assert said.count("\n") == 1
    assert main([*begun, "--steps", "2"]) == 0
    (tmp_path / "squares").rename(tmp_path / "moved")
    assert main([*begun, "--data", "moved", "--steps", "2"]) == 2
    assert "(data)" in capsys.readouterr().err


def test_pictures_of_another_plan_are_not_taken(tmp_path: Path) -> None:
    plan = PicturePlan(tmp_path / "pictures", None, "piclick-tiny", TinyConfig(), size=64)
    first = plan.open()
    first.make(0)
    assert first.path(0).exists()
    assert plan.open().path(0) == first.path(0)
    other = str(_disturbed(tmp_path / "other.safetensors"))
    for change in ({"init": other}, {"size": 96}, {"superpixels": False}, {"encoded": False}):
        store = replace(plan, **change).open()  # type: ignore[arg-type]
        assert not store.path(0).exists(), change
    # the same weights may be written again, as the first of two commands in a row does
    again = tmp_path / "again.safetensors"
    save_tiny(load_tiny(find_weights("piclick-tiny")), again, steps="7")
    assert replace(plan, init=str(again)).open().path(0).exists()
    assert replace(plan, init=str(again)).origin() == plan.origin()
    # what a picture shows and how it is encoded does not depend on the decoder
    assert replace(plan, config=TinyConfig(5)).open().path(0).exists()


def test_a_run_does_not_replace_what_it_begins_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = str(_disturbed(tmp_path / "mine.safetensors"))
    assert main(["--init", weights, "--output", weights, "--size", "64", "--steps", "0"]) == 2
    assert "it would replace; choose another output" in capsys.readouterr().err
