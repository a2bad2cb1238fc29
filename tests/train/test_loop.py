"""The loop: it learns, it can be killed at any step, and the command line runs it."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image

from napari_piclick import Click, load_predictor
from napari_piclick.models.checkpoint import load_tiny, read_weights, with_evidence
from napari_piclick.models.piclick_tiny import PiClickTiny, TinyConfig
from napari_piclick.models.registry import find_weights
from napari_piclick.train.__main__ import main
from napari_piclick.train.assessment import assess, score, summary
from napari_piclick.train.encoding import encode_picture
from napari_piclick.train.log import read_rows
from napari_piclick.train.loop import Trainer
from napari_piclick.train.picture_makers import PictureMakers
from napari_piclick.train.picture_plan import PicturePlan
from napari_piclick.train.picture_store import PictureStore
from napari_piclick.train.plot import WIDTH
from napari_piclick.train.prompt_batch import PromptBatch
from napari_piclick.train.recipe import RECIPES, Recipe
from napari_piclick.train.sample import TrainingSample
from napari_piclick.train.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_piclick.models.mask_decoder import ImageEmbedding, MaskPrediction
    from napari_piclick.models.tiny_vit import EncoderFeatures

SCHEDULE = Schedule(steps=40, batch=2, warmup=1, first_pictures=4, new_pictures=1, kept_pictures=6)

KILLED = """
import sys, time
from pathlib import Path

from napari_piclick.models.piclick_tiny import TinyConfig
from napari_piclick.train.schedule import Schedule
from napari_piclick.train.picture_makers import PictureMakers
from napari_piclick.train.picture_plan import PicturePlan

if __name__ == "__main__":
    plan = PicturePlan(Path(sys.argv[1]), None, "piclick-tiny", TinyConfig(), size=64)
    store, schedule = plan.open(), Schedule(first_pictures=2, new_pictures=0)
    with PictureMakers(plan.open, store, schedule, 0):
        while not store.path(1).exists():
            time.sleep(0.05)
        print("pictures come", flush=True)
        time.sleep(600)
"""


class Squares:
    """Bright squares with a brighter core on noise, 64 pixels wide."""

    def draw(self, rng: np.random.Generator) -> TrainingSample:
        image = rng.normal(60, 8, (64, 64))
        masks = np.zeros((2, 64, 64), bool)
        row, col = rng.integers(4, 28, 2)
        masks[0, row : row + 30, col : col + 30] = True
        masks[1, row + 8 : row + 20, col + 8 : col + 20] = True
        image = (image + 80 * masks[0] + 80 * masks[1]).clip(0, 255).astype(np.uint8)
        weights = np.array([0.5, 0.5], np.float32)
        return TrainingSample(np.repeat(image[..., None], 3, 2), masks, weights, "squares")


def _trainer(
    folder: Path,
    schedule: Schedule = SCHEDULE,
    recipe: Recipe | None = None,
    validate: Callable[[PiClickTiny], dict[str, float]] | None = None,
    origin: dict[str, Any] | None = None,
) -> Trainer:
    model = with_evidence(load_tiny(find_weights("piclick-tiny")))
    store = PictureStore(folder / "pictures", Squares(), model, 0)  # type: ignore[arg-type]
    recipe = recipe or RECIPES["tiny"]
    return Trainer(model, store, recipe, schedule, folder, 0, validate=validate, origin=origin)


def _weights(trainer: Trainer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in trainer.parameters])


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    whole = _trainer(tmp_path / "whole")
    for step in range(4):
        whole.step(step)
    first = _trainer(tmp_path / "parts")
    first.run(seconds=0)
    assert first.next_step == 1
    second = _trainer(tmp_path / "parts")
    second.run(seconds=0)
    # killed now: a step that was logged but not saved, and pictures that are lost
    second._log(2, {"focal": 1.0})
    for file in (tmp_path / "parts" / "pictures").iterdir():
        file.unlink()
    third = _trainer(tmp_path / "parts")
    assert third.next_step == 2
    for step in (2, 3):
        third.step(step)
    torch.testing.assert_close(_weights(third), _weights(whole), atol=0, rtol=0)
    torch.testing.assert_close(third.averaged, whole.averaged, atol=0, rtol=0)
    with (tmp_path / "parts" / "losses.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["0", "1"]


def test_a_run_can_stop_at_a_step_and_end_on_another_schedule(tmp_path: Path) -> None:
    first = _trainer(tmp_path)
    assert not first.run(until=2)
    assert first.next_step == 2
    shorter = _trainer(tmp_path, schedule=replace(SCHEDULE, steps=3))
    assert shorter.schedule.rate(2) < first.schedule.rate(2)
    assert shorter.run()
    assert shorter.next_step == 3


def test_other_settings_do_not_go_on_in_the_same_folder(tmp_path: Path) -> None:
    _trainer(tmp_path).run(seconds=0)
    with pytest.raises(ValueError, match="begun with other settings"):
        _trainer(tmp_path, recipe=RECIPES["paper"])


def test_a_state_that_does_not_tell_what_it_began_with_goes_on(tmp_path: Path) -> None:
    _trainer(tmp_path).run(seconds=0)
    assert _trainer(tmp_path, origin={"init": ["0" * 64]}).next_step == 1


@pytest.mark.parametrize("neck", [0.0, 0.5])
@pytest.mark.parametrize("name", sorted(set(RECIPES) - {"scores"}))
def test_every_recipe_trains_the_decoder_and_where_wanted_the_neck(
    tmp_path: Path, name: str, neck: float
) -> None:
    trainer = _trainer(tmp_path, recipe=RECIPES[name], schedule=replace(SCHEDULE, neck=neck))
    before = {key: value.clone() for key, value in trainer.model.state_dict().items()}
    losses = trainer.step(0)
    assert all(np.isfinite(value) for value in losses.values())
    after = trainer.model.state_dict()
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert ("encoder.neck.conv1.weight" in changed) == (neck > 0)
    assert "decoder.skip_eighth.weight" in changed
    assert "decoder.mask_tokens.weight" in changed
    assert all(key.startswith(("decoder.", "encoder.neck.")) for key in changed)


def test_an_encoder_that_learns_sees_pictures_of_several_sizes(tmp_path: Path) -> None:
    output = tmp_path / "mine.safetensors"
    command = ["--output", str(output), "--size", "64", "96", "--encoder", "0.1", "--batch", "2"]
    command += ["--workers", "0", "--threads", "1", "--device", "cpu", "--steps", "4"]
    assert main([*command, "--validate", "1"]) == 0
    plan = PicturePlan(
        tmp_path / "mine.run" / "pictures",
        None,
        "piclick-tiny",
        TinyConfig(evidence=True),
        size=(64, 96),
        encoded=False,
    )
    store = plan.open()
    shapes = [store.load(index).mask(0).shape for index in range(4)]
    assert shapes == [(64, 64), (96, 96), (64, 64), (96, 96)]
    before, after = load_tiny(find_weights("piclick-tiny")), load_tiny(output)
    for name in ("encoder.patch_embed.conv1.weight", "encoder.stage3.1.mlp.fc2.weight"):
        assert not torch.equal(before.state_dict()[name], after.state_dict()[name]), name


@pytest.mark.parametrize("encoder", [0.0, 0.1])
def test_prompts_can_share_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: float
) -> None:
    schedule = replace(SCHEDULE, batch=6, prompts_per_picture=3, encoder=encoder)
    model = with_evidence(load_tiny(find_weights("piclick-tiny")))
    store = PictureStore(
        tmp_path / "pictures",
        Squares(),  # type: ignore[arg-type]
        model,
        0,
        encoded=encoder == 0,
    )
    shown: list[int] = []
    asked: list[int] = []
    embed, decode = model.embed, model.decode

    def embedded(features: EncoderFeatures) -> ImageEmbedding:
        shown.append(len(features.quarter))
        return embed(features)

    def decoded(embedding: ImageEmbedding, *prompt: Any) -> MaskPrediction:
        asked.append(len(embedding.coarse))
        return decode(embedding, *prompt)

    monkeypatch.setattr(model, "embed", embedded)
    monkeypatch.setattr(model, "decode", decoded)
    trainer = Trainer(model, store, RECIPES["tiny"], schedule, tmp_path, 0)
    before = _weights(trainer)
    trainer.step(0)
    assert shown == [2]
    assert set(asked) == {6}
    assert not torch.equal(before, _weights(trainer))


def test_prompts_that_share_a_picture_see_its_embedding(tmp_path: Path) -> None:
    store = _trainer(tmp_path).store
    pictures = [store.load(k) for k in range(2)]
    rng = np.random.default_rng(0)
    prompts = PromptBatch(pictures, RECIPES["tiny"], rng, torch.device("cpu"), each=2)
    assert [picture is pictures[0] for picture in prompts.pictures] == [True, True, False, False]
    once = store.model.embed(prompts.features())
    for shared, one in zip(prompts.embedding(once), once, strict=True):
        torch.testing.assert_close(shared[1], one[0], atol=0, rtol=0)
        torch.testing.assert_close(shared[2], one[1], atol=0, rtol=0)


def test_an_encoder_does_not_learn_from_kept_features(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="encoded=False"):
        _trainer(tmp_path, schedule=replace(SCHEDULE, encoder=0.1))


def test_scores_alone_learn_and_no_mask_changes(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path, recipe=RECIPES["scores"])
    before = {key: value.clone() for key, value in trainer.model.state_dict().items()}
    losses = trainer.step(0)
    assert all(np.isfinite(value) for value in losses.values())
    after = trainer.model.state_dict()
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    scores = ("decoder.target_reasoning.", "decoder.iou_prediction_head.")
    assert all(any(key.startswith(part) for key in changed) for part in scores)
    assert all(key.startswith(scores) for key in changed)


def test_the_weights_that_did_best_on_held_out_pictures_are_written(tmp_path: Path) -> None:
    scores = iter([0.5, 0.8, 0.3])
    seen = []

    def validate(model: PiClickTiny) -> dict[str, float]:
        seen.append(model.decoder.mask_tokens.weight.clone())
        return {"score": next(scores)}

    schedule = replace(SCHEDULE, steps=3, validate_every=1)
    trainer = _trainer(tmp_path, schedule, validate=validate)
    trainer.run(seconds=1e-9)  # killed after the first, and gone on with
    trainer = _trainer(tmp_path, schedule, validate=validate)
    assert trainer.best == 0.5
    assert trainer.run()
    trainer.export(tmp_path / "mine.safetensors")
    notes = read_weights(tmp_path / "mine.safetensors")[1]
    assert (notes["steps"], notes["of"], notes["validation_score"]) == ("2", "3", "0.8000")
    kept = load_tiny(tmp_path / "mine.safetensors").decoder.mask_tokens.weight
    torch.testing.assert_close(kept, seen[1].half().float(), atol=0, rtol=0)
    assert not torch.equal(seen[1], seen[2])
    rows = read_rows(tmp_path / "validation.csv")
    assert [row["score"] for row in rows] == [0.5, 0.8, 0.3]
    # who goes on without validation wants the last
    last = _trainer(tmp_path, schedule)
    last.export(tmp_path / "last.safetensors")
    assert read_weights(tmp_path / "last.safetensors")[1]["steps"] == "3"
    kept = load_tiny(tmp_path / "last.safetensors").decoder.mask_tokens.weight
    torch.testing.assert_close(kept, seen[2].half().float(), atol=0, rtol=0)


def test_old_pictures_leave_the_window() -> None:
    assert SCHEDULE.pictures(0) == range(4)
    assert SCHEDULE.pictures(2) == range(6)
    assert SCHEDULE.pictures(10) == range(8, 14)


def test_training_on_squares_makes_squares_better(tmp_path: Path) -> None:
    schedule = Schedule(
        steps=30, batch=4, warmup=1, decay=0.5, learning_rate=3e-4, average=0.9, first_pictures=16
    )
    recipe = Recipe(rounds=(0.5, 0.5), every_round=True, previous="trm", iou=1.0, primary=2.0)
    trainer = _trainer(tmp_path, schedule, recipe)
    samples = [Squares().draw(np.random.default_rng((9, k))) for k in range(6)]
    # from a decoder that has forgotten how masks are made
    torch.manual_seed(0)
    with torch.no_grad():
        for mlp in trainer.model.decoder.output_hypernetworks_mlps:
            for parameter in mlp.parameters():
                parameter.copy_(torch.randn_like(parameter) * 0.05)
        for kept, parameter in zip(trainer.averaged, trainer.parameters, strict=True):
            kept.copy_(parameter)
    pictures = [(one, encode_picture(trainer.model, one.image)) for one in samples]
    before = assess(trainer.averaged_model(), pictures, clicks=2, objects=2)
    assert trainer.run()
    after = assess(trainer.averaged_model(), pictures, clicks=2, objects=2)
    assert after.objects == 12
    assert after.best[0] > before.best[0] + 0.1
    assert np.all(after.best >= after.picked)
    assert 0 <= after.found <= 1
    assert after.found > before.found
    row = summary({"squares": after})
    assert row["squares@1"] == pytest.approx(after.picked[0])
    assert row["score"] == pytest.approx(score([after]))

    trainer.export(tmp_path / "mine.safetensors")
    predictor = load_predictor(tmp_path / "mine.safetensors", device="cpu")
    predictor.set_image(samples[0].image)
    place = np.argwhere(samples[0].masks[1]).mean(0)
    assert predictor.predict([Click(*place)]).plane_mask().any()


def test_the_command_line_trains_stops_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--output", str(tmp_path / "mine.safetensors"), "--size", "64", "--batch", "2"]
    command += ["--workers", "1", "--threads", "1", "--device", "cpu", "--steps", "2"]
    command += ["--validate", "1"]
    assert main([*command, "--minutes", "0"]) == 0
    assert "stopped" in capsys.readouterr().out
    assert main(command) == 0
    assert "2 of 2 steps" in capsys.readouterr().out
    assert Image.open(tmp_path / "mine.run" / "losses.png").size[0] == 2 * WIDTH
    assert [row["step"] for row in read_rows(tmp_path / "mine.run" / "validation.csv")] == [2]
    assert load_predictor(tmp_path / "mine.safetensors", device="cpu").name.endswith("safetensors")


def test_the_command_line_trains_the_scores_alone(tmp_path: Path) -> None:
    output = tmp_path / "mine.safetensors"
    command = ["--output", str(output), "--size", "64", "--batch", "1", "--workers", "0"]
    command += ["--device", "cpu", "--steps", "1", "--validate", "0", "--recipe", "scores"]
    assert main(command) == 0
    before = load_tiny(find_weights("piclick-tiny")).state_dict()
    after = load_tiny(output).state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    scores = ("decoder.target_reasoning.", "decoder.iou_prediction_head.")
    assert all(name.startswith(scores) for name in changed)


def test_every_process_encodes_pictures_on_the_device_that_trains(tmp_path: Path) -> None:
    plan = PicturePlan(tmp_path, None, "piclick-tiny", TinyConfig(), size=64, device="meta")
    store = plan.open()
    assert {parameter.device.type for parameter in store.model.parameters()} == {"meta"}
    # nor are pictures taken that another kind of device encoded
    assert store.folder != replace(plan, device="cpu").open().folder
    pixels = replace(plan, encoded=False)
    assert pixels.open().folder == replace(pixels, device="cpu").open().folder


def test_pictures_are_made_ahead_in_another_process(tmp_path: Path) -> None:
    plan = PicturePlan(tmp_path, None, "piclick-tiny", TinyConfig(), size=64)
    store = plan.open()
    schedule = Schedule(steps=3, batch=1, first_pictures=2, new_pictures=1, kept_pictures=2)
    with PictureMakers(plan.open, store, schedule, 0) as makers:
        deadline = time.monotonic() + 60
        while not store.path(3).exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert store.path(3).exists()
        makers.reached(2)
        assert not store.path(0).exists()
        assert store.path(3).exists()


def test_makers_end_when_the_process_that_trains_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(KILLED)
    command = [sys.executable, str(script), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as training:
        assert training.stdout is not None
        assert training.stdout.readline() == "pictures come\n"
        training.kill()
        # the output ends when nobody holds it any more, and the maker does
        assert training.communicate(timeout=60)[0] == ""


def test_the_command_line_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = ["--output", str(tmp_path / "w.safetensors")]
    assert main([*output, "--data", str(tmp_path / "nowhere")]) == 2
    assert main([*output, "--init", "nobody"]) == 2
    assert main([*output, "--batch", "8", "--prompts-per-picture", "3"]) == 2
    assert main([*output, "--prompts-per-picture", "0"]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert "nowhere" in lines[0]
    assert "nobody" in lines[1]
    assert "8 prompts with 3 on each picture" in lines[2]
    assert "above 0" in lines[3]
