"""Every published folder layout, in small, and what is said of wrong ones."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from napari_piclick.eval.__main__ import main
from napari_piclick.eval.datasets import (
    DATASETS,
    OAIZIB,
    BraTS,
    BraTSPictures,
    DatasetError,
    OAIZIBPictures,
    open_dataset,
)

SHAPE = (40, 48)


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def photograph(seed=0, shape=SHAPE):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


def box(value=255, at=(5, 20), side=12):
    mask = np.zeros(SHAPE, np.uint8)
    mask[at[0] : at[0] + side, at[1] : at[1] + side] = value
    return mask


def make_grabcut(folder):
    mask = box()
    mask[5, 20:32], mask[30, :5] = 128, 90
    save(folder / "data_GT" / "bush.jpg", photograph())
    save(folder / "boundary_GT" / "bush.bmp", mask)
    save(folder / "data_GT" / "llama.bmp", photograph(1))
    save(folder / "boundary_GT" / "llama.bmp", box())


def make_berkeley(folder):
    save(folder / "images" / "12003.jpg", photograph())
    save(folder / "masks" / "12003.png", np.dstack([box()] * 3))


def make_davis(folder):
    coloured = np.zeros((*SHAPE, 3), np.uint8)
    coloured[..., 0], coloured[..., 1] = box(128), box(64, at=(20, 2))
    save(folder / "img" / "bear_00001.jpg", photograph())
    save(folder / "gt" / "bear_00001.png", coloured)


def make_brats_pictures(folder):
    save(folder / "image" / "case_1.png", np.dstack([photograph()[..., 0]] * 3))
    save(folder / "annotation" / "case_1.png", np.maximum(box(1), box(4, side=5)))


def make_oaizib_pictures(folder):
    save(folder / "test" / "image" / "knee_1.png", photograph()[..., 0])
    save(folder / "test" / "annotations" / "knee_1.png", box(1) + box(2, at=(20, 2)))


def make_voc(folder):
    # The first and the sixteenth colour of the palette have the same gray value.
    values = box(1) + box(2, at=(20, 2)) + box(16, at=(25, 30), side=8)
    values[0] = 255
    picture = Image.fromarray(values, mode="P")
    picture.putpalette(voc_palette())
    (folder / "SegmentationObject").mkdir(parents=True)
    picture.save(folder / "SegmentationObject" / "2007_000033.png")
    save(folder / "JPEGImages" / "2007_000033.jpg", photograph())
    save(folder / "JPEGImages" / "2007_000027.jpg", photograph(1))
    lists = folder / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("2007_000033\n")


def voc_palette():
    """The published palette: the bits of the index, dealt out to red, green and blue in turn."""
    palette = []
    for index in range(256):
        colour = [0, 0, 0]
        for bit in range(8):
            colour[bit % 3] |= (index >> bit & 1) << (7 - bit // 3)
        palette += colour
    return palette


def make_sbd(folder):
    (folder / "inst").mkdir(parents=True)
    instances = box(1) + box(3, at=(20, 2))
    structure = {"Segmentation": instances, "Boundaries": np.zeros(3), "Categories": np.ones(2)}
    savemat(folder / "inst" / "2008_000002.mat", {"GTinst": structure})
    save(folder / "img" / "2008_000002.jpg", photograph())
    (folder / "val.txt").write_text("2008_000002\n\n")


def make_oaizib(folder, affine=None):
    labels = np.zeros((3, *SHAPE), np.uint8)
    labels[0] = box(2, side=10)  # 100 pixels: not more than 100
    labels[1] = np.maximum(box(2), box(4, at=(20, 2), side=11))
    labels[2] = np.maximum(box(1), box(5, at=(20, 2), side=4))
    volume = np.random.default_rng(0).integers(1, 900, labels.shape).astype(np.int16)
    # the first axis of the array runs from left to right
    affine = np.diag([0.7, 0.36, 0.36, 1]) if affine is None else affine
    for name, voxels in (("imagesTs/knee_1_0000", volume), ("labelsTs/knee_1", labels)):
        path = folder / f"{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(voxels, affine), path)
    return volume


LAYOUTS = {
    "grabcut": (make_grabcut, {("bush", "1"): 132, ("llama", "1"): 144}),
    "berkeley": (make_berkeley, {("12003", "1"): 144}),
    "davis": (make_davis, {("bear_00001", "1"): 288}),
    "coco-mval": (make_davis, {("bear_00001", "1"): 288}),
    "brats-png": (make_brats_pictures, {("case_1", "1"): 144}),
    "oaizib-png": (make_oaizib_pictures, {("knee_1", "1"): 144, ("knee_1", "2"): 144}),
    "pascal-voc": (make_voc, {("2007_000033", "38"): 208, ("2007_000033", "75"): 144}),
    "sbd": (make_sbd, {("2008_000002", "1"): 144, ("2008_000002", "3"): 144}),
    "oaizib": (make_oaizib, {("knee_1_x001", "femoral-cartilage"): 144,
                             ("knee_1_x001", "tibial-cartilage"): 121}),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_published_layout_is_read(name, tmp_path):
    make, objects = LAYOUTS[name]
    make(tmp_path)
    samples = list(open_dataset(name, tmp_path))
    found = {(s.image_stem, s.object_name): int(s.mask.sum()) for s in samples}
    assert found == objects
    assert [(s.image_stem, s.object_name) for s in samples] == list(objects)
    for sample in samples:
        assert sample.mask.dtype == bool
        assert sample.image.shape[:2] == SHAPE
        assert sample.ignore is None or not (sample.ignore & sample.mask).any()


def test_every_dataset_has_its_layout_tested():
    elsewhere = {"sstem", "folder", "brats", "volumes"}
    assert set(DATASETS) == elsewhere | set(LAYOUTS)


def test_grabcuts_outlines_do_not_count(tmp_path):
    make_grabcut(tmp_path)
    outlined, plain = open_dataset("grabcut", tmp_path)
    assert int(outlined.ignore.sum()) == 12
    assert plain.ignore is None


def test_vocs_outlines_do_not_count(tmp_path):
    make_voc(tmp_path)
    for sample in open_dataset("pascal-voc", tmp_path):
        assert sample.ignore.sum() == SHAPE[1]
        assert sample.ignore[0].all()


def test_oaizib_is_cut_from_left_to_right(tmp_path):
    # The same voxels, but the last axis is said to run from left to right.
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[1, 1] = affine[0, 2] = affine[3, 3] = 1
    make_oaizib(tmp_path, affine)
    stems = [sample.image_stem for sample in OAIZIB(tmp_path)]
    assert stems == []  # no slice across it shows enough
    volume = make_oaizib(tmp_path)
    samples = list(OAIZIB(tmp_path))
    np.testing.assert_array_equal(samples[0].image, volume[1])
    assert samples[0].contrast_limits == tuple(np.percentile(volume, (0.5, 99.5)))


def test_volumes_and_pictures_of_one_name_are_told_apart(tmp_path):
    make_brats_pictures(tmp_path / "b")
    make_oaizib_pictures(tmp_path / "o")
    make_oaizib(tmp_path / "v")
    assert isinstance(open_dataset("brats", tmp_path / "b"), BraTSPictures)
    assert isinstance(open_dataset("oaizib", tmp_path / "o"), OAIZIBPictures)
    assert isinstance(open_dataset("oaizib", tmp_path / "v"), OAIZIB)
    with pytest.raises(DatasetError, match="holds no BraTS case"):
        open_dataset("brats", tmp_path / "v")
    with pytest.raises(DatasetError, match="targets"):
        open_dataset("brats", tmp_path / "b", "whole-tumour")
    assert BraTS.name == "brats"


def remove(path):
    return lambda folder: (folder / path).unlink()


def shrink(path):
    def change(folder):
        with Image.open(folder / path) as picture:
            smaller = picture.crop((0, 0, 30, 20))
            smaller.load()
        smaller.save(folder / path)

    return change


def write(path, text):
    return lambda folder: (folder / path).write_text(text)


def other_instances(folder):
    savemat(folder / "inst" / "2008_000002.mat", {"GTcls": {"Segmentation": box()}})


def small_instances(folder):
    structure = {"Segmentation": box()[:20]}
    savemat(folder / "inst" / "2008_000002.mat", {"GTinst": structure})


WRONG = [
    ("grabcut", remove("boundary_GT/bush.bmp"), r"bush\.jpg has no mask of its name in .*boundary"),
    ("grabcut", shrink("boundary_GT/llama.bmp"), r"llama\.bmp has 20 x 30 pixels"),
    ("berkeley", remove("images/12003.jpg"), r"images holds no pictures"),
    ("berkeley", write("masks/12003.png", "no"), r"12003\.png cannot be read"),
    ("davis", remove("gt/bear_00001.png"), r"gt holds no pictures"),
    ("coco-mval", shrink("gt/bear_00001.png"), r"bear_00001\.png has 20 x 30 pixels"),
    ("brats-png", shrink("annotation/case_1.png"), r"case_1\.png has 20 x 30 pixels"),
    ("oaizib-png", remove("test/image/knee_1.png"), r"image holds no pictures"),
    ("pascal-voc", remove("ImageSets/Segmentation/val.txt"), r"val\.txt cannot be read"),
    ("pascal-voc", write("ImageSets/Segmentation/val.txt", "\n"), r"val\.txt names no image"),
    ("pascal-voc", write("ImageSets/Segmentation/val.txt", "x"), r"The image of x, .*x\.jpg"),
    (
        "pascal-voc",
        write("ImageSets/Segmentation/val.txt", "2007_000027"),
        r"The mask of 2007_000027, .*2007_000027\.png, is missing",
    ),
    ("pascal-voc", shrink("JPEGImages/2007_000033.jpg"), r"2007_000033\.png has 40 x 48 pixels"),
    ("sbd", remove("inst/2008_000002.mat"), r"The instances of 2008_000002, .*is missing"),
    ("sbd", write("inst/2008_000002.mat", "no"), r"2008_000002\.mat cannot be read"),
    ("sbd", other_instances, r"2008_000002\.mat cannot be read"),
    ("sbd", small_instances, r"2008_000002\.mat has 20 x 48 pixels, but its image"),
    ("oaizib", remove("imagesTs/knee_1_0000.nii.gz"), r"knee_1\.nii\.gz has no image"),
    ("oaizib", remove("labelsTs/knee_1.nii.gz"), r"holds no knee"),
    ("oaizib", write("labelsTs/knee_1.nii.gz", "no"), r"knee_1\.nii\.gz cannot be read"),
]


@pytest.mark.parametrize(
    ("name", "spoil", "message"), WRONG, ids=[f"{k}-{name}" for k, (name, *_) in enumerate(WRONG)]
)
def test_what_is_wrong_is_said(name, spoil, message, tmp_path):
    LAYOUTS[name][0](tmp_path)
    spoil(tmp_path)
    with pytest.raises(DatasetError, match=message) as caught:
        list(open_dataset(name, tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", DATASETS)
def test_a_missing_or_empty_folder_gives_exit_code_2_and_names_it(name, tmp_path, capsys):
    for folder in (tmp_path / "missing", tmp_path):
        assert main(["--dataset", name, "--data", str(folder)]) == 2
        (sentence,) = capsys.readouterr().err.splitlines()
        assert str(folder) in sentence
