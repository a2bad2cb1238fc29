from __future__ import annotations

import json

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy.ndimage import distance_transform_edt

from napari_piclick.eval.datasets import (
    SSTEM,
    TARGETS,
    BraTS,
    DatasetError,
    Folder,
    open_dataset,
)
from napari_piclick.eval.published import published_rows


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".tif":
        tifffile.imwrite(path, pixels)
    else:
        Image.fromarray(pixels).save(path)


def gray(shape=(12, 16)):
    return np.arange(shape[0] * shape[1], dtype=np.uint8).reshape(shape)


def names(dataset):
    return [(sample.image_stem, sample.object_name) for sample in dataset]


# ssTEM


@pytest.fixture
def sections(tmp_path):
    """Two sections in the published layout; on the first, two touching corners are one object."""
    mask = np.zeros((12, 16), np.uint8)
    mask[6:9, 1:4], mask[1:3, 8:10], mask[3:5, 10:12] = 255, 1, 254
    save(tmp_path / "raw" / "00.tif", gray())
    save(tmp_path / "mitochondria" / "00.png", mask)
    save(tmp_path / "raw" / "02.tif", gray())
    save(tmp_path / "mitochondria" / "02.png", np.zeros((12, 16), np.uint8))
    return tmp_path


def test_sstem_objects_are_8_connected_components_in_scan_order(sections):
    samples = list(SSTEM(sections))
    assert [(s.image_stem, s.object_name) for s in samples] == [("00", "1"), ("00", "2")]
    assert [int(s.mask.sum()) for s in samples] == [8, 9]
    assert samples[0].mask.dtype == bool
    np.testing.assert_array_equal(samples[0].image, gray())


def test_sstem_reads_the_image_once_for_all_objects(sections):
    first, second = SSTEM(sections)
    assert first.image is second.image


def test_sstem_benchmark_has_the_published_objects(sstem_folder):
    dataset = SSTEM(sstem_folder)
    counts = [sum(1 for _ in dataset.samples(stem)) for stem in dataset.images()]
    assert dataset.images() == [f"{number:02d}" for number in range(0, 20, 2)]
    assert counts == [26, 21, 15, 18, 16, 19, 19, 19, 19, 22]


def test_sstem_benchmark_is_in_scan_order_and_whole(sstem_folder):
    dataset = SSTEM(sstem_folder)
    samples = list(dataset.samples("02"))
    starts = [int(np.flatnonzero(sample.mask)[0]) for sample in samples]
    assert starts == sorted(starts)
    assert samples[0].image.shape == (1024, 1024)
    # The objects lie apart, also across corners, and together are all non-zero pixels.
    together = np.sum([sample.mask for sample in samples], axis=0)
    assert together.max() == 1
    stored = np.asarray(Image.open(sstem_folder / "mitochondria" / "02.png"))
    np.testing.assert_array_equal(together == 1, stored > 0)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: (d / "mitochondria" / "02.png").unlink(), r"02\.tif has no mask .*02\.png"),
        (
            lambda d: save(d / "mitochondria" / "02.png", gray((12, 15))),
            r"02\.png has 12 x 15 pixels, but its image 02\.tif has 12 x 16",
        ),
        (lambda d: (d / "raw").rename(d / "images"), r"no folder .*raw"),
        (lambda d: [p.unlink() for p in (d / "raw").iterdir()], r"raw holds no pictures"),
        (lambda d: (d / "raw" / "00.tif").write_bytes(b"II*\0"), r"00\.tif cannot be read"),
        (lambda d: (d / "mitochondria" / "00.png").write_text("no"), r"00\.png cannot be read"),
    ],
)
def test_sstem_says_what_is_wrong(sections, spoil, message):
    spoil(sections)
    with pytest.raises(DatasetError, match=message):
        SSTEM(sections)


def test_a_damaged_picture_is_named(sections):
    path = sections / "mitochondria" / "00.png"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DatasetError, match=r"00\.png cannot be read"):
        list(SSTEM(sections))


@pytest.mark.parametrize("kind", ["zlib", "huge"])
def test_a_picture_that_cannot_be_decoded_is_named(sections, monkeypatch, kind):
    if kind == "zlib":
        path = sections / "raw" / "00.tif"
        noise = np.random.default_rng(0).integers(0, 255, (12, 16), np.uint8)
        tifffile.imwrite(path, noise, compression="zlib")
        with tifffile.TiffFile(path) as file:
            (place,) = file.pages.first.dataoffsets
        content = bytearray(path.read_bytes())
        content[place : place + 40] = bytes(40)
        path.write_bytes(content)
    else:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(DatasetError, match=r"00\.(tif|png) cannot be read"):
        list(SSTEM(sections))


# folder


@pytest.fixture
def labelled(tmp_path):
    labels = np.zeros((12, 16), np.uint16)
    labels[2:6, 2:9], labels[3:5, 3:6], labels[8:, 10:] = 1, 2, 300
    save(tmp_path / "images" / "a.png", gray())
    save(tmp_path / "labels" / "a.png", labels)
    save(tmp_path / "images" / "b.jpg", np.dstack([gray()] * 3))
    save(tmp_path / "labels" / "b.tif", (labels == 2).astype(np.uint8) * 2)
    return tmp_path


def test_each_label_value_is_an_object(labelled):
    assert names(Folder(labelled)) == [("a", "1"), ("a", "2"), ("a", "300"), ("b", "2")]
    sizes = [int(sample.mask.sum()) for sample in Folder(labelled)]
    assert sizes == [22, 6, 24, 6]
    assert [sample.image.shape for sample in Folder(labelled)][-1] == (12, 16, 3)


def test_targets_are_unions_of_label_values(labelled):
    targets = {"*": [[2], [1, 2]], "a": [[1, 2], [300]]}
    (labelled / "targets.json").write_text(json.dumps(targets))
    # On b only value 2 is present, so that both unions have the same pixels and count once.
    assert names(Folder(labelled)) == [("a", "1+2"), ("a", "300"), ("b", "2")]
    assert [int(sample.mask.sum()) for sample in Folder(labelled)] == [28, 24, 6]


def test_images_without_targets_use_every_value(labelled):
    (labelled / "targets.json").write_text(json.dumps({"b": [[2]]}))
    assert names(Folder(labelled)) == [("a", "1"), ("a", "2"), ("a", "300"), ("b", "2")]


def test_masks_may_overlap(tmp_path):
    inner, outer = np.zeros((2, 12, 16), np.uint8)
    inner[4:6, 4:6], outer[2:9, 2:9] = 255, 255
    save(tmp_path / "images" / "a.tif", gray().astype(np.float32))
    save(tmp_path / "masks" / "a" / "outer.png", outer)
    save(tmp_path / "masks" / "a" / "inner.png", inner)
    samples = list(Folder(tmp_path))
    assert [(s.object_name, int(s.mask.sum())) for s in samples] == [("inner", 4), ("outer", 49)]
    assert samples[0].image.dtype == np.float32


def test_a_palette_picture_gives_its_indices(tmp_path):
    labels = np.zeros((12, 16), np.uint8)
    labels[2:4], labels[6:9] = 1, 7
    picture = Image.fromarray(labels, mode="P")
    picture.putpalette(bytes(range(256)) * 3)
    save(tmp_path / "images" / "a.png", gray())
    (tmp_path / "labels").mkdir()
    picture.save(tmp_path / "labels" / "a.png")
    assert names(Folder(tmp_path)) == [("a", "1"), ("a", "7")]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: (d / "labels" / "a.png").unlink(), r"a\.png has no label picture"),
        (lambda d: (d / "labels" / "a.png").rename(d / "labels" / "a.jpg"), r"a\.jpg is a JPEG"),
        (
            lambda d: save(d / "labels" / "a.png", gray((9, 16))),
            r"a\.png has 9 x 16 pixels, but its image a\.png has 12 x 16",
        ),
        (lambda d: (d / "masks").mkdir(), r"both labels/ and masks/"),
        (lambda d: (d / "targets.json").write_text("{"), r"targets\.json cannot be read as JSON"),
        (lambda d: (d / "targets.json").write_text('{"*": [1]}'), r"must look like"),
        (lambda d: (d / "targets.json").write_text('{"*": [[0]]}'), r"must look like"),
        (lambda d: save(d / "images" / "a.jpg", gray()), r"share a name"),
        (lambda d: (d / "labels").rename(d / "truth"), r"no folder .*labels"),
    ],
)
def test_folder_says_what_is_wrong(labelled, spoil, message):
    spoil(labelled)
    with pytest.raises(DatasetError, match=message):
        Folder(labelled)


def test_an_image_without_its_folder_of_masks_is_named(tmp_path):
    save(tmp_path / "images" / "a.png", gray())
    (tmp_path / "masks").mkdir()
    with pytest.raises(DatasetError, match=r"a\.png has no folder of masks"):
        Folder(tmp_path)


def test_labels_in_colour_are_refused(labelled):
    colours = np.zeros((12, 16, 3), np.uint8)
    colours[2:5, ..., 1] = 9
    save(labelled / "labels" / "a.png", colours)
    with pytest.raises(DatasetError, match=r"a\.png is a colour picture"):
        list(Folder(labelled))


# BraTS


def save_case(folder, case="BraTS2021_00001", end=".nii.gz", *, labels=(1, 2, 4)):
    """A tumour of nested boxes on slices 1 to 3, smaller on slice 1."""
    folder.mkdir(parents=True, exist_ok=True)
    core, oedema, enhancing = labels
    segmentation = np.zeros((20, 24, 5), np.uint8)
    segmentation[2:14, 2:16, 2:4] = oedema
    segmentation[2:12, 2:12, 1] = oedema  # 100 pixels: not more than 100
    segmentation[2:13, 2:13, 2] = core
    segmentation[4:6, 4:6, 2] = enhancing
    volume = np.random.default_rng(0).integers(1, 1000, (20, 24, 5)).astype(np.int16)
    volume[:, 20:] = 0
    for name, voxels in (("flair", volume), ("t1ce", volume + 5), ("seg", segmentation)):
        nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), folder / f"{case}_{name}{end}")
    return volume, segmentation


def test_brats_takes_the_slices_that_show_enough_of_the_target(tmp_path):
    volume, segmentation = save_case(tmp_path)
    samples = list(BraTS(tmp_path))
    assert [(s.image_stem, s.object_name) for s in samples] == [
        ("BraTS2021_00001_flair_z002", "whole-tumour"),
        ("BraTS2021_00001_flair_z003", "whole-tumour"),
    ]
    np.testing.assert_array_equal(samples[0].image, volume[:, :, 2])
    np.testing.assert_array_equal(samples[0].mask, segmentation[:, :, 2] > 0)
    low, high = np.percentile(volume[volume > 0], (0.5, 99.5))
    assert samples[0].contrast_limits == (low, high)


def test_brats_shows_each_target_in_its_modality(tmp_path):
    volume, segmentation = save_case(tmp_path)
    (sample,) = BraTS(tmp_path, "tumour-core")
    assert sample.image_stem == "BraTS2021_00001_t1ce_z002"
    np.testing.assert_array_equal(sample.image, volume[:, :, 2] + 5)
    np.testing.assert_array_equal(sample.mask, np.isin(segmentation[:, :, 2], (1, 4)))
    assert list(BraTS(tmp_path, "enhancing")) == []


@pytest.mark.parametrize(("target", "modality"), [("nested", "flair"), ("nested-t1ce", "t1ce")])
def test_brats_gives_both_regions_where_both_are_large_enough(tmp_path, target, modality):
    _, segmentation = save_case(tmp_path)
    dataset = BraTS(tmp_path, target)
    assert dataset.may_nest
    whole, core = dataset
    assert whole.image_stem == core.image_stem == f"BraTS2021_00001_{modality}_z002"
    assert (whole.object_name, core.object_name) == ("whole-tumour", "tumour-core")
    np.testing.assert_array_equal(whole.mask, segmentation[:, :, 2] > 0)
    np.testing.assert_array_equal(core.mask, np.isin(segmentation[:, :, 2], (1, 4)))


def test_only_the_whole_tumour_stands_beside_the_published_figures(tmp_path):
    save_case(tmp_path)
    names = {target: BraTS(tmp_path, target).name for target in TARGETS}
    assert names["whole-tumour"] == "brats"
    assert published_rows(names.pop("whole-tumour"), "piclick-tiny")
    assert names == {target: f"brats-{target}" for target in names}
    assert not any(published_rows(name, "piclick-tiny") for name in names.values())


def test_brats_reads_cases_in_folders_of_their_own(tmp_path):
    for case in ("BraTS20_Training_002", "BraTS20_Training_001"):
        save_case(tmp_path / case, case, ".nii")
    stems = list(BraTS(tmp_path).images())
    assert stems == [
        f"BraTS20_Training_{case}_flair_z00{index}" for case in ("001", "002") for index in (2, 3)
    ]
    assert [sample.image_stem for sample in BraTS(tmp_path)] == stems


def remake(path, change):
    file = nibabel.load(path)
    voxels = change(np.asarray(file.dataobj))
    nibabel.save(nibabel.Nifti1Image(voxels, file.affine), path)


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: (d / "BraTS2021_00001_flair.nii.gz").unlink(), "has no flair volume"),
        (
            lambda d: remake(d / "BraTS2021_00001_flair.nii.gz", lambda v: v[:-1]),
            r"seg\.nii\.gz has the size .* but its image BraTS2021_00001_flair",
        ),
        (
            lambda d: remake(d / "BraTS2021_00001_flair.nii.gz", np.zeros_like),
            r"flair\.nii\.gz holds nothing but zeros",
        ),
        (
            lambda d: remake(d / "BraTS2021_00001_flair.nii.gz", lambda v: v[..., None]),
            r"flair\.nii\.gz must be one 3D volume",
        ),
        (
            lambda d: (d / "BraTS2021_00001_flair.nii.gz").write_bytes(b"no"),
            r"flair\.nii\.gz cannot be read",
        ),
        (
            lambda d: cut(d / "BraTS2021_00001_seg.nii.gz"),
            r"seg\.nii\.gz cannot be read",
        ),
        (lambda d: save_case(d, labels=(1, 2, 3)), "holds the label 3"),
        (lambda d: (d / "BraTS2021_00001_seg.nii.gz").unlink(), "holds no BraTS case"),
    ],
)
def test_brats_says_what_is_wrong(tmp_path, spoil, message):
    save_case(tmp_path)
    spoil(tmp_path)
    with pytest.raises(DatasetError, match=message):
        list(BraTS(tmp_path))


def test_the_brats_case_has_its_slices(brats_folder):
    stems = list(BraTS(brats_folder).images())
    assert len(stems) == 65
    sample = next(BraTS(brats_folder).samples(stems[30]))
    assert sample.image.shape == sample.mask.shape == (240, 240)
    assert sample.mask.sum() > 100
    # The tumour lies deep in the brain, so mask and image are laid out the same way.
    depth = distance_transform_edt(sample.image > 0)
    assert depth[sample.mask].mean() > 5


# by name


def test_datasets_open_by_name(sections):
    assert isinstance(open_dataset("sstem", sections), SSTEM)
    with pytest.raises(DatasetError, match="not 'ade20k'"):
        open_dataset("ade20k", sections)
    with pytest.raises(DatasetError, match="targets"):
        open_dataset("sstem", sections, "whole-tumour")
    with pytest.raises(DatasetError, match="not 'oedema'"):
        open_dataset("brats", sections, "oedema")
    with pytest.raises(DatasetError, match="There is no folder"):
        open_dataset("brats", sections / "elsewhere")
