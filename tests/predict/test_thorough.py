"""The thorough mode: the mirror image, and a second look, on real pictures."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from skimage import data

from napari_piclick import Click, Predictor, load_predictor
from napari_piclick.eval import ModelSpec
from napari_piclick.models.registry import MODELS, split_mode
from napari_piclick.predict.view import View

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def thorough() -> Predictor:
    """The embedded model, asked to look at everything twice."""
    predictor = load_predictor("piclick-tiny:thorough", device="cpu")
    assert isinstance(predictor, Predictor)
    return predictor


@pytest.fixture(scope="module")
def coins() -> np.ndarray:
    return data.coins()[:256, :256]


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_left_and_right_are_answered_alike(
    tiny: Predictor, thorough: Predictor, coins: np.ndarray
) -> None:
    """The mean of a picture's answer and its mirror image's knows no left and right."""
    here = [Click(60, 50), Click(100, 100, positive=False)]
    there = [replace(click, col=255 - click.col) for click in here]

    def difference(predictor: Predictor) -> float:
        most = 0.0
        for clicks in (1, 2):
            masks = []
            for picture, asked in ((coins, here), (coins[:, ::-1].copy(), there)):
                predictor.set_image(picture)
                previous = predictor.predict(asked[:1]) if clicks == 2 else None
                answer = predictor.predict(asked[:clicks], previous)
                masks.append(answer.region.paste(answer.masks[0], answer.plane_shape))
            most = max(most, float(np.abs(masks[0] - masks[1][:, ::-1]).max()))
        return most

    assert difference(thorough) < 0.02 < difference(tiny)


def test_a_first_click_is_looked_at_from_nearer_and_keeps_the_pick(
    thorough: Predictor, coins: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[View] = []
    image = View.image
    monkeypatch.setattr(View, "image", lambda view, *rest: seen.append(view) or image(view, *rest))
    thorough.cache.clear()
    thorough.set_image(coins)
    answer = thorough.predict([Click(60, 50)])
    assert len(answer) == 7
    assert answer.chosen == 0
    ordinary, mirrored = ({v.region for v in seen if v.mirrored is kind} for kind in (False, True))
    assert mirrored
    assert mirrored < ordinary, "what is looked at in the mirror is looked at as it is too"
    second = ordinary - mirrored
    assert min(max(region.shape) for region in second) < min(max(r.shape) for r in mirrored)
    seen.clear()
    thorough.predict([Click(60, 50), Click(100, 100, positive=False)], answer)
    assert not {view.region for view in seen} - mirrored, "a further click takes no second look"


def test_the_second_look_fills_places_of_near_duplicates(thorough: Predictor) -> None:
    thorough.set_image(data.moon())
    framing = thorough.framing
    click = [Click(250, 200)]
    with_second = thorough.predict(click)
    thorough.framing = replace(framing, second_margin=1000)  # no look is near enough
    try:
        without = thorough.predict(click)
    finally:
        thorough.framing = framing
    np.testing.assert_array_equal(with_second.plane_mask(0), without.plane_mask(0))
    ious = [
        max(_iou(with_second.plane_mask(k), without.plane_mask(j)) for j in range(7))
        for k in range(7)
    ]
    assert min(ious) < 0.7, "something new is offered"


def test_several_objects_are_answered_together_as_one_by_one(
    thorough: Predictor, coins: np.ndarray
) -> None:
    thorough.set_image(coins)
    first = [[Click(60, 50)], [Click(60, 110)], [Click(120, 170), Click(5, 5, False)]]
    alone = [thorough.predict(clicks) for clicks in first]
    together = thorough.predict_many([(clicks, None) for clicks in first])
    for one, other in zip(alone, together, strict=True):
        assert one.view == other.view
        np.testing.assert_allclose(one.score, other.score, atol=1e-4)
        assert _iou(one.plane_mask(), other.plane_mask()) > 0.99


def test_a_glance_is_ready_for_what_is_encoded_ahead(coins: np.ndarray) -> None:
    predictor = load_predictor("piclick-tiny:thorough", device="cpu")
    assert isinstance(predictor, Predictor)
    predictor.prefetch(coins, key="coins")
    assert len(predictor.cache) == 2
    assert predictor.glance(coins, [Click(60, 50)], key="coins") is not None


def test_the_mode_is_part_of_the_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    shutil.copyfile(MODELS["piclick-tiny"].weights, file)
    mine = load_predictor(f"{file}:thorough", device="cpu")
    assert isinstance(mine, Predictor)
    assert mine.framing.thorough
    assert mine.name == f"{file}:thorough"
    plain = load_predictor(file, device="cpu")
    assert isinstance(plain, Predictor)
    assert not plain.framing.thorough
    assert plain.weights_hash == mine.weights_hash
    assert load_predictor("piclick-tiny", "cpu", thorough=True).name == "piclick-tiny:thorough"
    assert split_mode("piclick-base448:fast") == ("piclick-base448", ":fast")
    assert split_mode("piclick-tiny") == ("piclick-tiny", "")


def test_a_file_whose_name_ends_like_a_mode_is_that_file(tmp_path: Path) -> None:
    try:
        (tmp_path / "odd:thorough").touch()
    except OSError:
        pytest.skip("file names here have no colons")
    assert split_mode(str(tmp_path / "odd:thorough")) == (str(tmp_path / "odd:thorough"), "")


def test_evaluations_know_the_mode_from_a_function() -> None:
    assert not ModelSpec("mine:thorough").is_factory
    assert not ModelSpec("mine:fast").is_factory
    assert ModelSpec("mine:make").is_factory
    named, plain = ModelSpec("piclick-tiny:thorough"), ModelSpec("piclick-tiny")
    assert named.identity()["weights"] == plain.identity()["weights"] != [None]
    assert named.identity() != plain.identity()
