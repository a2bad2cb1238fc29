from __future__ import annotations

import numpy as np
import pytest

from napari_piclick.train.data.labels import LabelKind, add_labels
from napari_piclick.train.neighbours import grow_unions, touching_pairs
from napari_piclick.train.sample import TrainingSample
from napari_piclick.train.scene import MIN_AREA, Scene


def holds(sample: TrainingSample, row: int, col: int) -> np.ndarray:
    return sample.masks[sample.masks[:, row, col]]


def test_nested_objects_are_all_targets(disc, nested_scene) -> None:
    scene = nested_scene()
    sample = scene.sample(np.random.default_rng(0), union_share=0)
    assert sample is not None
    assert sample.image.shape == (90, 120, 3)
    assert len(sample.masks) == 3
    inner, outer = sorted(holds(sample, 45, 40), key=np.count_nonzero)
    np.testing.assert_array_equal(inner, disc((90, 120), (45, 40), 10))
    assert (outer & inner).sum() == inner.sum()
    assert not (outer & disc((90, 120), (45, 85), 20) & ~disc((90, 120), (45, 40), 24)).any()


def test_touching_objects_are_also_offered_together(nested_scene) -> None:
    sample = nested_scene().sample(np.random.default_rng(0))
    assert sample is not None
    both = [mask for mask in sample.masks if mask[45, 40] and mask[45, 85]]
    assert both
    assert sample.weights.sum() == pytest.approx(1)


def test_a_group_shares_its_weight_however_many_it_has(disc) -> None:
    labels = np.arange(100, dtype=np.uint16).reshape(10, 10).repeat(8, 0).repeat(8, 1) + 1
    scene = Scene(np.zeros((80, 80), np.uint8), "x")
    scene = scene.with_layer(labels, "many", 0.5)
    scene = scene.with_layer(disc((80, 80), (40, 40), 20).astype(np.uint16), "one", 0.5)
    sample = scene.sample(np.random.default_rng(0), max_masks=200)
    assert sample is not None
    assert len(sample.masks) == 101
    assert sample.weights[-1] == pytest.approx(0.5)


def test_a_limit_keeps_the_objects_of_a_point_together() -> None:
    fine = np.arange(400, dtype=np.uint16).reshape(20, 20).repeat(5, 0).repeat(5, 1) + 1
    scene = Scene(np.zeros((100, 100), np.uint8), "x").with_layer(fine, "fine", 1)
    scene = scene.with_layer((fine - 1) // 40 + 1, "coarse", 1)
    sample = scene.sample(np.random.default_rng(3), max_masks=12)
    assert sample is not None
    assert len(sample.masks) == 12
    small = [mask for mask in sample.masks if mask.sum() == 25]
    large = [mask for mask in sample.masks if mask.sum() > 25]
    assert small
    for mask in small[:-1]:  # the last may have come when the sample was full
        assert any((mask & outer).any() for outer in large)


def test_specks_and_the_whole_picture_are_no_targets() -> None:
    labels = np.ones((50, 50), np.uint16)
    labels[:4, :4] = 2
    assert MIN_AREA > 16
    scene = Scene(np.zeros((50, 50), np.uint8), "x").with_layer(labels, "a", 1)
    assert scene.sample(np.random.default_rng(0)) is None
    assert Scene(np.zeros((50, 50), np.uint8), "x").sample(np.random.default_rng(0)) is None


def test_pieces_of_one_value_are_objects_and_so_is_the_whole() -> None:
    labels = np.zeros((60, 60), np.uint8)
    labels[5:20, 5:20] = labels[40:55, 40:55] = 7
    scene = add_labels(Scene(labels, "x"), labels, LabelKind())
    sample = scene.sample(np.random.default_rng(0), union_share=0)
    assert sample is not None
    assert sorted(mask.sum() for mask in sample.masks) == [225, 225, 450]


def test_pieces_of_a_union_are_those_of_the_union(disc) -> None:
    """Two cells with nuclei: each cell is nucleus and cytoplasm together."""
    labels = np.zeros((60, 120), np.uint8)
    for center in ((30, 30), (30, 90)):
        labels[disc(labels.shape, center, 20)] = 1
        labels[disc(labels.shape, center, 8)] = 2
    scene = add_labels(Scene(labels, "x"), labels, LabelKind(unions=((2,), (1, 2))))
    sample = scene.sample(np.random.default_rng(0), union_share=0)
    assert sample is not None
    cell, nucleus = int(disc((60, 60), (30, 30), 20).sum()), int(disc((60, 60), (30, 30), 8).sum())
    expected = [nucleus, nucleus, 2 * nucleus, cell, cell, 2 * cell]
    assert sorted(mask.sum() for mask in sample.masks) == sorted(expected)


def test_touching_pairs_see_across_a_gap() -> None:
    labels = np.zeros((10, 30), np.uint16)
    labels[:, :9] = 1
    labels[:, 11:20] = 2
    labels[:, 25:] = 3
    assert touching_pairs(labels, gap=3).tolist() == [[1, 2]]
    assert touching_pairs(labels, gap=1).tolist() == []
    assert grow_unions(labels, {1, 2, 3}, np.random.default_rng(0)) == [(1, 2)]


def test_a_sample_says_what_is_wrong_with_it() -> None:
    image, masks = np.zeros((8, 8, 3), np.uint8), np.ones((2, 8, 8), bool)
    weights = np.array([0.5, 0.5], np.float32)
    TrainingSample(image, masks, weights, "x")
    with pytest.raises(ValueError, match="uint8"):
        TrainingSample(image.astype(float), masks, weights, "x")
    with pytest.raises(ValueError, match="as large as the image"):
        TrainingSample(image, masks[:, :4], weights, "x")
    with pytest.raises(ValueError, match="at least one mask"):
        TrainingSample(image, masks[:0], weights[:0], "x")
