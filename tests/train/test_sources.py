from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nibabel
import numpy as np
import pytest
import tifffile
from skimage.io import imsave

from napari_piclick.train.data.arrays import ArraySource
from napari_piclick.train.data.discover import source_of
from napari_piclick.train.data.folder import FolderSource
from napari_piclick.train.data.labels import LabelKind
from napari_piclick.train.data.memory import ByteLimitedCache
from napari_piclick.train.data.organelles import dark_organelles
from napari_piclick.train.data.split import divide
from napari_piclick.train.data.volumes import Volume, VolumeSource, read_volume
from napari_piclick.train.data.window import draw_limits, to_grey_levels
from napari_piclick.train.superpixels import superpixels

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = (48, 64)


@pytest.fixture
def folder(tmp_path: Path, disc) -> Path:
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    for number in range(30):
        labels = disc(SHAPE, (24, 20), 12).astype(np.uint8)
        labels[disc(SHAPE, (24, 20), 5)] = 2
        imsave(tmp_path / "images" / f"p{number}.png", 50 * labels + number, check_contrast=False)
        imsave(tmp_path / "labels" / f"p{number}.png", labels, check_contrast=False)
    (tmp_path / "targets.json").write_text(json.dumps({"*": [[2], [1, 2]]}))
    return tmp_path


def test_a_folder_gives_nested_targets(folder: Path, disc) -> None:
    scene = FolderSource(folder, superpixels=False).draw(np.random.default_rng(0))
    assert scene.source == folder.name
    sample = scene.sample(np.random.default_rng(0), union_share=0)
    assert sample is not None
    sizes = sorted(int(mask.sum()) for mask in sample.masks)
    assert sizes == [int(disc(SHAPE, (24, 20), r).sum()) for r in (5, 12)]


def test_splits_share_no_picture_and_leave_none_out(folder: Path) -> None:
    train, held, every = (
        set(FolderSource(folder, split=split).pictures) for split in ("train", "validation", "all")
    )
    assert train
    assert held
    assert not train & held
    assert train | held == every
    with pytest.raises(ValueError, match="no split"):
        divide(["a"], "test")


@pytest.mark.parametrize("count", [2, 3, 5, 10])
def test_of_a_handful_one_is_held_out_and_one_trained_on(count: int) -> None:
    for first in range(60):
        stems = [f"slice{first + k}" for k in range(count)]
        train, held = divide(stems, "train"), divide(stems, "validation")
        assert train
        assert held
        assert sorted(train + held) == sorted(stems)


def test_of_many_a_name_alone_says_where_a_picture_belongs() -> None:
    stems = [f"p{k}" for k in range(400)]
    held = divide(stems, "validation")
    assert 0.08 < len(held) / len(stems) < 0.16
    assert set(divide(stems[:200], "validation")) == set(held) & set(stems[:200])
    assert divide(["one"], "train") == divide(["one"], "validation") == ["one"]


def test_masks_may_overlap(tmp_path: Path, disc) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "masks" / "a").mkdir(parents=True)
    imsave(tmp_path / "images" / "a.png", np.full(SHAPE, 9, np.uint8), check_contrast=False)
    for name, center in (("one", (20, 20)), ("two", (24, 28))):
        mask = disc(SHAPE, center, 10).astype(np.uint8) * 255
        imsave(tmp_path / "masks" / "a" / f"{name}.png", mask, check_contrast=False)
    sample = FolderSource(tmp_path).scene("a").sample(np.random.default_rng(0))
    assert sample is not None
    assert len(sample.masks) == 2
    assert (sample.masks[0] & sample.masks[1]).any()


def test_a_folder_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no pictures"):
        FolderSource(tmp_path).draw(np.random.default_rng(0))
    (tmp_path / "images").mkdir()
    imsave(tmp_path / "images" / "a.png", np.zeros(SHAPE, np.uint8), check_contrast=False)
    with pytest.raises(FileNotFoundError, match="no labels"):
        FolderSource(tmp_path).draw(np.random.default_rng(0))
    (tmp_path / "labels").mkdir()
    imsave(tmp_path / "labels" / "a.png", np.zeros((9, 9), np.uint8), check_contrast=False)
    with pytest.raises(ValueError, match="same size"):
        FolderSource(tmp_path).draw(np.random.default_rng(0))


@pytest.fixture
def ball() -> tuple[np.ndarray, np.ndarray]:
    """A bright ball in a dark one; thick slices along the first axis."""
    z, y, x = np.indices((12, 40, 44), np.float32)
    radius = np.sqrt(((z - 6) * 3) ** 2 + (y - 20) ** 2 + (x - 22) ** 2)
    labels = (radius < 15).astype(np.uint8) + (radius < 8)
    return labels.astype(np.int16) * 300 + 100, labels


def test_volumes_are_cut_in_all_three_directions(ball: tuple[np.ndarray, np.ndarray]) -> None:
    image, labels = ball
    kind = LabelKind(unions=((2,), (1, 2)))
    source = VolumeSource("ball", [lambda: Volume(image, ((labels, kind),), (3, 1, 1))])
    rng = np.random.default_rng(0)
    shapes = {source.draw(rng).shape: None for _ in range(30)}
    assert set(shapes) == {(40, 44), (12, 44), (12, 40)}
    scene = source.plane(0, 1, 20, rng)
    assert scene.spacing == (3, 1)
    np.testing.assert_array_equal(scene.layers[0] > 0, labels[:, 20] > 0)
    # only planes that show something are drawn
    assert source.volume(0).labelled[0].tolist() == np.flatnonzero(labels.any((1, 2))).tolist()


def test_nifti_and_tiff_say_the_same(tmp_path: Path, ball: tuple[np.ndarray, np.ndarray]) -> None:
    image, labels = ball
    affine = np.diag([1.0, 1.0, 3.0, 1.0])
    for name, values in (("images", image), ("labels", labels)):
        for kind in ("nifti", "tiff"):
            (tmp_path / kind / name).mkdir(parents=True)
        # NIfTI is (x, y, z), to the right, front and top; pictures are seen from the front
        turned = values[::-1, ::-1].transpose()
        nibabel.save(nibabel.Nifti1Image(turned, affine), tmp_path / "nifti" / name / "a.nii.gz")
        tifffile.imwrite(tmp_path / "tiff" / name / "a.tif", values)
    read = {
        "nifti": read_volume(*(tmp_path / "nifti" / n / "a.nii.gz" for n in ("images", "labels"))),
        "tiff": read_volume(*(tmp_path / "tiff" / n / "a.tif" for n in ("images", "labels"))),
    }
    for volume in read.values():
        np.testing.assert_array_equal(volume.image, image)
        np.testing.assert_array_equal(volume.labels[0][0], labels)
    assert read["nifti"].spacing == (3, 1, 1)
    for kind in ("nifti", "tiff"):
        source = source_of(tmp_path / kind)
        assert isinstance(source, VolumeSource)
        assert source.draw(np.random.default_rng(0)).targets


def test_labels_of_another_size_are_refused(ball: tuple[np.ndarray, np.ndarray]) -> None:
    image, labels = ball
    with pytest.raises(ValueError, match="same size"):
        Volume(image, ((labels[:5], LabelKind()),))
    with pytest.raises(ValueError, match="same size"):
        ArraySource([(image[0], labels[0, :5])])
    with pytest.raises(ValueError, match="no picture"):
        ArraySource([])


def test_arrays_in_memory_are_a_source(ball: tuple[np.ndarray, np.ndarray]) -> None:
    image, labels = ball
    source = ArraySource([(image[6], labels[6]), (image[7], labels[7])], limits=(100, 700))
    scene = source.draw(np.random.default_rng(0))
    assert scene.image.dtype == np.uint8
    assert set(np.unique(scene.image)) == {0, 128, 255}


def test_superpixels_cover_the_picture_and_follow_it(disc) -> None:
    image = np.where(disc((90, 300), (45, 150), 30), 200, 30).astype(np.uint8)
    labels = superpixels(image, 350)
    assert labels.shape == image.shape
    assert labels.min() == 1
    overlap = [
        (inside & (image > 100)).sum() / (inside | (image > 100)).sum()
        for inside in (labels == value for value in np.unique(labels))
    ]
    assert max(overlap) > 0.8


def test_a_volume_without_labels_has_superpixels() -> None:
    image = np.random.default_rng(0).integers(0, 99, (9, 30, 30)).astype(np.int16)
    image[2:7, 5:20, 5:20] += 400
    source = VolumeSource("plain", [lambda: Volume(image)])
    one, two = (source.draw(np.random.default_rng(4)) for _ in range(2))
    assert {target.group for target in one.targets} == {"superpixel", "coarse superpixel"}
    for first, second in zip(one.layers, two.layers, strict=True):
        np.testing.assert_array_equal(first, second)
    assert not source.without_superpixels().draw(np.random.default_rng(4)).layers
    assert source.draw(np.random.default_rng(5)).layers


def test_dark_bodies_are_found_in_their_neuron() -> None:
    rng = np.random.default_rng(0)
    neurons = np.ones((40, 60, 60), np.uint16)
    neurons[:, :, 30:] = 2
    image = rng.normal(150, 6, neurons.shape)
    image[:, :, 29:31] = 70  # membrane
    z, y, x = np.indices(neurons.shape)
    body = (z - 20) ** 2 + (y - 30) ** 2 + (x - 14) ** 2 < 9**2
    image[body] = 60
    found = dark_organelles(np.clip(image, 0, 255).astype(np.uint8), neurons)
    assert found.max() == 1
    assert ((found > 0) & body).sum() / ((found > 0) | body).sum() > 0.75
    assert not found[neurons == 2].any()


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_leaves_the_rest_as_it_is(hole: float) -> None:
    ramp = np.arange(64 * 64, dtype=np.float32).reshape(64, 64)
    spoilt = ramp.copy()
    spoilt[5, 7] = hole
    grey = to_grey_levels(spoilt)
    assert len(np.unique(grey)) > 200
    assert grey[5, 7] == (255 if hole == np.inf else 0)
    away = np.arange(64) != 5
    np.testing.assert_allclose(grey[away], to_grey_levels(ramp)[away].astype(int), atol=1)
    limits = Volume(np.stack([spoilt[1:, 1:]] * 2)).limits
    assert np.isfinite(limits).all()
    drawn = [draw_limits(spoilt, limits, np.random.default_rng(seed)) for seed in range(8)]
    assert np.isfinite(drawn).all()
    assert len(set(drawn)) == 2
    nothing = np.full((4, 4), hole, np.float32)
    assert to_grey_levels(nothing).tolist() == np.full((4, 4), 255 * (hole == np.inf)).tolist()
    assert Volume(np.stack([nothing, nothing])).limits == (0, 1)


def test_windows_keep_bytes_and_stretch_the_rest() -> None:
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(to_grey_levels(image), image)
    wide = to_grey_levels(image.astype(np.int16) * 100 - 3000)
    assert wide.dtype == np.uint8
    assert (wide.min(), wide.max()) == (0, 255)
    grey = to_grey_levels(np.repeat(image[..., None], 4, axis=2))
    np.testing.assert_array_equal(grey, image)


def test_the_cache_forgets_the_least_used() -> None:
    cache: ByteLimitedCache[np.ndarray] = ByteLimitedCache(250)
    made = []

    def make(number: int) -> np.ndarray:
        return cache.get(number, lambda: made.append(number) or np.zeros(100, np.uint8))

    for number in (1, 2, 1, 3, 1, 2):
        make(number)
    assert made == [1, 2, 3, 2]
    assert len(cache) == 2
