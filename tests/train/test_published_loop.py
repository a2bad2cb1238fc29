"""Fine-tuning a published checkpoint by its authors' recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from napari_piclick import Click, load_predictor
from napari_piclick.models.authors_checkpoint import build, read_authors_checkpoint
from napari_piclick.models.published_checkpoint import save_piclick
from napari_piclick.train.published import loop
from napari_piclick.train.published.__main__ import main
from napari_piclick.train.published.loop import PublishedSchedule, PublishedTrainer
from napari_piclick.train.published.prompts import PublishedPrompts
from napari_piclick.train.published_loss import published_loss
from napari_piclick.train.recipe import RECIPES, Recipe
from napari_piclick.train.sample import TrainingSample

MICRO = Path(__file__).parents[1] / "data" / "published" / "piclick_micro_random.pth"
CPU = torch.device("cpu")


def draw(rng: np.random.Generator) -> TrainingSample:
    """A bright box with a brighter one inside, both of which a click inside may mean."""
    row, col = rng.integers(20, 90, 2)
    masks = np.zeros((2, 224, 224), bool)
    masks[0, row : row + 110, col : col + 100] = True
    masks[1, row + 30 : row + 80, col + 30 : col + 70] = True
    grey = 60 + 70 * masks[0] + 70 * masks[1] + rng.normal(0, 5, (224, 224))
    image = np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, 2)
    return TrainingSample(image, masks, np.array([0.5, 0.5], np.float32), "boxes")


def trainer(folder: Path, steps: int, **options: float) -> PublishedTrainer:
    model = build(*read_authors_checkpoint(MICRO))
    schedule = PublishedSchedule(steps=steps, batch=2, **{"learning_rate": 1e-3, **options})  # type: ignore[arg-type]
    return PublishedTrainer(model, draw, schedule, folder)


def test_users_begin_in_their_object_and_go_on_where_a_proposal_errs() -> None:
    rng = np.random.default_rng(3)
    prompts = PublishedPrompts([draw(rng) for _ in range(6)], RECIPES["code"], rng, CPU)
    model = build(*read_authors_checkpoint(MICRO))
    for mask, clicks, target in zip(prompts.masks, prompts.clicks, prompts.targets, strict=True):
        assert clicks[0].positive
        assert all(mask[click.pixel] == click.positive for click in clicks)
        # The first target is what the user means; every other one agrees with the clicks too.
        assert np.array_equal(target[0].numpy() > 0, mask)
        for other in target.numpy() > 0:
            assert all(other[click.pixel] == click.positive for click in clicks)
    assert {len(target) for target in prompts.targets} == {1, 2}
    picture, points = prompts.prompt()
    assert not picture[:, 3].any()
    assert points.shape[0] == 6
    before = [list(clicks) for clicks in prompts.clicks]
    with torch.no_grad():
        prompts.answer(model(picture, points))
    previous = prompts.prompt()[0][:, 3]
    assert 0 < previous.min() < previous.max() < 1
    for clicks, old, mask, found in zip(
        prompts.clicks, before, prompts.masks, previous.numpy() > 0.49, strict=True
    ):
        assert clicks[:-1] == old
        new = clicks[-1]
        assert mask[new.pixel] == new.positive
        assert found[new.pixel] != new.positive


def test_what_is_learned_agrees_with_the_clicks_of_the_rounds() -> None:
    rng = np.random.default_rng(0)
    sample = draw(rng)
    inner = replace(sample, weights=np.array([0, 1], np.float32))
    prompts = PublishedPrompts([inner], Recipe(), rng, CPU)
    assert len(prompts.targets[0]) == 2
    ring = np.argwhere(sample.masks[0] & ~sample.masks[1])[0]
    prompts.clicks[0].append(Click(*ring.tolist(), positive=False))
    prompts.judge()
    assert len(prompts.targets[0]) == 1
    assert np.array_equal(prompts.targets[0][0].numpy() > 0, sample.masks[1])


def test_a_step_learns_what_is_judged_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trainer(tmp_path, 8)
    run._recipe = replace(run._recipe, rounds=(0, 0, 1))
    scored = []

    def loss(sets: Any, targets: Any, primary: Any, recipe: Recipe) -> Any:
        scored.append(targets)
        return published_loss(sets, targets, primary, recipe)

    batches: list[PublishedPrompts] = []

    class Recorded(PublishedPrompts):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            batches.append(self)

    monkeypatch.setattr(loop, "published_loss", loss)
    monkeypatch.setattr(loop, "PublishedPrompts", Recorded)
    for index in range(8):
        run.step(index)
    excluded = 0
    for prompts, targets in zip(batches, scored, strict=True):
        for clicks, target in zip(prompts.clicks, targets, strict=True):
            for mask in target.numpy() > 0:
                assert all(mask[click.pixel] == click.positive for click in clicks)
            excluded += len(target) == 1
    assert excluded


def test_rounds_without_gradient_leave_no_weights_behind_for_what_is_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Autocast forgets what it kept where its outermost context ends."""
    run = trainer(tmp_path, 1)
    run._recipe = replace(run._recipe, rounds=(0, 1))
    entered: list[torch.autocast] = []
    seen: list[tuple[bool, torch.autocast]] = []

    class Recorded(torch.autocast):
        def __enter__(self) -> None:
            entered.append(self)
            super().__enter__()

        def __exit__(self, *error: Any) -> None:
            entered.pop()
            super().__exit__(*error)

    look = run.model._look

    def recorded_look(*prompt: Any) -> Any:
        seen.append((torch.is_grad_enabled(), entered[0]))
        return look(*prompt)

    monkeypatch.setattr(torch, "autocast", Recorded)
    monkeypatch.setattr(run.model, "_look", recorded_look)
    run.step(0)
    (learns, first), (last_learns, last) = seen
    assert (learns, last_learns) == (False, True)
    assert first is not last


def test_it_learns(tmp_path: Path) -> None:
    run = trainer(tmp_path, 14)
    totals: list[float] = []
    run.run(lambda _, losses: totals.append(losses["total"]))
    assert np.mean(totals[-4:]) < 0.8 * np.mean(totals[:3])


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    straight, first = trainer(tmp_path / "a", 4), trainer(tmp_path / "b", 4)
    straight.run()
    for index in range(2):
        first.step(index)
    first.next_step = 2
    first.save()
    second = trainer(tmp_path / "b", 4)
    assert second.next_step == 2
    second.run()
    for (name, one), two in zip(
        straight.model.state_dict().items(), second.model.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(one, two, rtol=0, atol=0, msg=name)
    with pytest.raises(ValueError, match="begun with other settings"):
        trainer(tmp_path / "b", 4, learning_rate=1e-4)


def test_the_learning_rate_falls_near_the_end() -> None:
    schedule = PublishedSchedule(steps=62, learning_rate=1.0)
    assert [schedule.rate(k) for k in (0, 49, 50, 61)] == [1.0, 1.0, 0.1, 0.1]


def test_the_command_writes_weights_that_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PICLICK_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for part in ("images", "labels"):
        (tmp_path / "data" / part).mkdir(parents=True)
    sample = draw(np.random.default_rng(0))
    labels = sample.masks.sum(0).astype(np.uint8)
    for name in ("a", "b", "c"):
        Image.fromarray(sample.image).save(tmp_path / "data" / "images" / f"{name}.png")
        Image.fromarray(labels).save(tmp_path / "data" / "labels" / f"{name}.png")
    output = tmp_path / "mine.safetensors"
    options = ["--data", str(tmp_path / "data"), "--init", str(MICRO), "--output", str(output)]
    assert main([*options, "--steps", "2", "--batch", "1", "--device", "cpu"]) == 0
    assert "2 steps" in capsys.readouterr().out
    predictor = load_predictor(output, "cpu")
    assert predictor.name == "mine"
    predictor.set_image(sample.image)
    assert len(predictor.predict([Click(100, 100)])) > 1
    # nor does it go on from another model, whose licence its weights would not have
    other = tmp_path / "other.safetensors"
    model = build(*read_authors_checkpoint(MICRO))
    save_piclick(model, other, {"licence": "another"})
    more = ["--steps", "3", "--batch", "1"]
    assert main([*options[:2], "--init", str(other), *options[4:], *more]) == 2
    assert "begun with other settings (init)" in capsys.readouterr().err
    assert main([*options[:2], "--init", str(output), *options[4:], *more]) == 2
    assert "it would replace" in capsys.readouterr().err
    assert main([*options[:2], "--init", "nothing", *options[4:]]) == 2
    assert "There is no model nothing" in capsys.readouterr().err
