"""The predictor on real pictures with the embedded weights."""

from __future__ import annotations

from dataclasses import replace
from threading import Thread

import numpy as np
import pytest
from skimage import data

from napari_piclick import Click, Predictor, Proposals, load_predictor


@pytest.fixture(scope="module")
def coins() -> np.ndarray:
    return data.coins()[:256, :256]


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def _disk(shape: tuple[int, int], row: int, col: int, radius: int) -> np.ndarray:
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    return (rows - row) ** 2 + (cols - col) ** 2 <= radius**2


@pytest.fixture(scope="module")
def disk_image() -> tuple[np.ndarray, np.ndarray]:
    mask = _disk((200, 240), 90, 110, 30)
    rng = np.random.default_rng(0)
    image = rng.normal(100, 8, mask.shape) + 80 * mask
    return image, mask


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", "float64"])
def test_one_click_finds_a_disk_in_every_type(
    tiny: Predictor, disk_image: tuple[np.ndarray, np.ndarray], dtype: str
) -> None:
    image, mask = disk_image
    tiny.set_image(image.astype(dtype))
    proposals = tiny.predict([Click(90, 110)])
    assert _iou(proposals.plane_mask(), mask) > 0.85


def test_bool_rgb_and_rgba(tiny: Predictor, disk_image: tuple[np.ndarray, np.ndarray]) -> None:
    image, mask = disk_image
    grey = image.clip(0, 255).astype(np.uint8)
    rgb = np.repeat(grey[..., None], 3, 2)
    rgba = np.concatenate([rgb, np.full_like(rgb[..., :1], 255)], 2)
    for picture in (mask, rgb, rgba):
        tiny.set_image(picture)
        assert _iou(tiny.predict([Click(90, 110)]).plane_mask(), mask) > 0.85


def test_proposals_are_ranked_and_described(tiny: Predictor, coins: np.ndarray) -> None:
    tiny.set_image(coins)
    proposals = tiny.predict([Click(60, 50)])
    assert len(proposals) == 7
    assert proposals.masks.dtype == np.float32
    assert np.all(np.diff(proposals.score) <= 0)
    assert (proposals.chosen, proposals.chosen_by) == (0, "trm")
    assert proposals.plane_shape == coins.shape
    for values in (proposals.iou, proposals.confidence, proposals.masks):
        assert values.min() >= 0
        assert values.max() <= 1


def test_the_same_question_has_the_same_answer(tiny: Predictor, coins: np.ndarray) -> None:
    tiny.set_image(coins)
    first = tiny.predict([Click(60, 50)])
    tiny.set_image(coins.copy())
    second = tiny.predict([Click(60, 50)])
    np.testing.assert_array_equal(first.masks, second.masks)


def test_the_previous_mask_and_who_chose_it_change_the_answer(
    tiny: Predictor, coins: np.ndarray
) -> None:
    tiny.set_image(coins)
    clicks = [Click(60, 50), Click(20, 20, positive=False)]
    first = tiny.predict(clicks[:1])
    different = next(k for k in range(1, 7) if _iou(first.plane_mask(k), first.plane_mask()) < 0.9)
    with_first = tiny.predict(clicks, first)
    with_other = tiny.predict(clicks, first.choose(different))
    assert with_first.masks.shape != with_other.masks.shape or not np.array_equal(
        with_first.masks, with_other.masks
    )


def test_a_mask_from_elsewhere_can_be_refined_without_a_click(
    tiny: Predictor, disk_image: tuple[np.ndarray, np.ndarray]
) -> None:
    image, mask = disk_image
    tiny.set_image(image)
    assert _iou(tiny.predict([], mask).plane_mask(), mask) > 0.7
    assert _iou(tiny.predict([Click(90, 110)], mask.astype(float)).plane_mask(), mask) > 0.7


@pytest.mark.parametrize("shape", [(16, 16), (16, 300), (333, 17), (5, 5)])
def test_small_and_narrow_planes(tiny: Predictor, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random(shape)
    tiny.set_image(image)
    proposals = tiny.predict([Click(shape[0] - 1, shape[1] - 1)])
    assert proposals.plane_mask().shape == shape


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_planes_with_nothing_to_see(tiny: Predictor, value: float) -> None:
    tiny.set_image(np.full((40, 50), value))
    assert np.isfinite(tiny.predict([Click(20, 20)]).masks).all()


class LargePlane:
    """A plane of 16384 x 16384 pixels that computes what is read, and counts it."""

    shape = (16384, 16384)
    dtype = np.dtype(np.uint16)

    def __init__(self) -> None:
        self.read = 0

    def __getitem__(self, index: tuple[slice, slice]) -> np.ndarray:
        rows, cols = (np.arange(s.start, s.stop) for s in index)
        self.read += len(rows) * len(cols)
        disk = (rows[:, None] - 9000) ** 2 + (cols - 12345) ** 2 <= 60**2
        texture = (rows[:, None] * 7919 + cols * 104729) % 97
        return (1000 + texture + 1500 * disk).astype(np.uint16)


def test_a_large_plane_is_read_about_the_clicks_only(tiny: Predictor) -> None:
    plane = LargePlane()
    tiny.set_image(plane)
    assert plane.read == 0
    proposals = tiny.predict([Click(9000, 12345)])
    assert plane.read <= 2 * 3072**2
    region = proposals.region
    inside = _disk(region.shape, 9000 - region.row0, 12345 - region.col0, 60)
    # which of the proposals is picked on such an artificial texture is not the point here
    assert max(_iou(proposals.mask(k), inside) for k in range(7)) > 0.85


def test_lazy_dask_planes(tiny: Predictor, disk_image: tuple[np.ndarray, np.ndarray]) -> None:
    da = pytest.importorskip("dask.array")
    image, mask = disk_image
    tiny.set_image(da.from_array(image, chunks=(64, 64)))
    assert _iou(tiny.predict([Click(90, 110)]).plane_mask(), mask) > 0.85


def test_an_embedding_is_found_again_by_its_key(tiny: Predictor, coins: np.ndarray) -> None:
    tiny.cache.clear()
    tiny.set_image(coins, key=("coins", 0))
    tiny.prefetch(coins[::-1], key=("coins", 1))
    assert len(tiny.cache) == 2
    tiny.set_image(coins[::-1], key=("coins", 1))
    assert len(tiny.cache) == 2


def test_bad_input_gets_a_sentence(tiny: Predictor, coins: np.ndarray) -> None:
    tiny.set_image(coins)
    with pytest.raises(ValueError, match="Nothing to segment yet"):
        tiny.predict([])
    with pytest.raises(ValueError, match="Nothing to segment yet"):
        tiny.predict([Click(5, 5, positive=False)], np.zeros(coins.shape))
    with pytest.raises(ValueError, match="outside the image"):
        tiny.predict([Click(5, 999)])
    with pytest.raises(ValueError, match="same plane"):
        tiny.predict([Click(5, 5)], np.ones((3, 3)))
    with pytest.raises(ValueError, match="shape \\(3, 4, 5\\)"):
        tiny.set_image(np.zeros((3, 4, 5)))
    with pytest.raises(ValueError, match="no pixel"):
        tiny.set_image(np.zeros((0, 4)))
    with pytest.raises(ValueError, match="complex64"):
        tiny.set_image(np.zeros((4, 4), np.complex64))
    with pytest.raises(ValueError, match="no device"):
        load_predictor(device="abacus")


def test_clicks_too_far_apart_on_a_large_plane(tiny: Predictor) -> None:
    tiny.set_image(LargePlane())
    with pytest.raises(ValueError, match="more than the 3072"):
        tiny.predict([Click(10, 10), Click(9000, 9000)])


def test_without_an_image() -> None:
    with pytest.raises(RuntimeError, match="set_image"):
        load_predictor(device="cpu").predict([Click(0, 0)])


def test_previous_proposals_are_not_changed(tiny: Predictor, coins: np.ndarray) -> None:
    tiny.set_image(coins)
    first = tiny.predict([Click(60, 50)])
    before = first.masks.copy()
    second = tiny.predict([Click(60, 50), Click(62, 52)], first)
    assert isinstance(second, Proposals)
    np.testing.assert_array_equal(first.masks, before)


def test_several_objects_are_answered_together_as_one_by_one(
    tiny: Predictor, coins: np.ndarray
) -> None:
    tiny.set_image(coins)
    assert not tiny.batches  # on CPUs it gains nothing, and answers stay the same to the last bit
    first = [[Click(60, 50)], [Click(60, 110)], [Click(120, 170), Click(5, 5, False)]]
    alone = [tiny.predict(clicks) for clicks in first]
    together = tiny.predict_many([(clicks, None) for clicks in first])
    second = [[*clicks, Click(200, 20, False)] for clicks in first]
    questions = [(c, answer) for c, answer in zip(second, alone, strict=True)]
    questions.append(([], alone[0].plane_mask()))
    alone += [tiny.predict(*question) for question in questions]
    together += tiny.predict_many(questions)
    for one, other in zip(alone, together, strict=True):
        assert one.view == other.view
        np.testing.assert_allclose(one.score, other.score, atol=1e-4)
        assert _iou(one.plane_mask(), other.plane_mask()) > 0.99
    with pytest.raises(ValueError, match="outside the image"):
        tiny.predict_many([(first[0], None), ([Click(900, 0)], None)])


def test_a_glance_is_the_first_look_and_leaves_the_image_alone(coins: np.ndarray) -> None:
    tiny = load_predictor("piclick-tiny", device="cpu")
    other, click = coins[:128, :160], [Click(60, 40)]
    tiny.set_image(coins, key="coins")
    tiny.framing = replace(tiny.framing, retries=0)
    tiny.parts = False
    before = tiny.predict(click)
    assert tiny.glance(other, click, key="other") is None, "nothing is encoded there"
    first = tiny.glance(other, click, key="other", encode=True)
    assert first is not None
    again = tiny.glance(other, click, key="other")
    assert again is not None
    np.testing.assert_array_equal(again.masks, first.masks)
    np.testing.assert_array_equal(tiny.predict(click).masks, before.masks)
    tiny.set_image(other, key="other")
    np.testing.assert_array_equal(tiny.predict(click).masks, first.masks)


def test_a_glance_waits_for_nobody(tiny: Predictor, coins: np.ndarray) -> None:
    tiny.set_image(coins, key="coins")
    found = []
    with tiny._lock:
        thread = Thread(
            target=lambda: found.append(tiny.glance(coins, [Click(60, 40)], key="coins"))
        )
        thread.start()
        thread.join(30)
    assert found == [None]
