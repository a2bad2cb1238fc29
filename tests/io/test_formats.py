"""TIFF, tables; damaged files of every kind; and the way through napari's own doors."""

from __future__ import annotations

import contextlib
import csv
import json
import tracemalloc
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import tifffile
from npe2 import PluginManifest
from PIL import Image

from napari_piclick.io import napari_writer
from napari_piclick.io.errors import VolumeError
from napari_piclick.io.geometry import Geometry
from napari_piclick.io.napari_reader import get_reader
from napari_piclick.io.tables import write_volumes
from napari_piclick.io.volumes import read_volumes, stem, write_labels

STACK = np.arange(4 * 6 * 5, dtype=np.uint16).reshape(4, 6, 5)


def test_a_folder_without_dicom_is_left_to_others(tmp_path):
    assert get_reader(str(tmp_path)) is None
    assert get_reader(str(tmp_path / "picture.jpg")) is None


@pytest.mark.parametrize("unit", ["um", "mm", "nm"])
def test_tiff_keeps_its_physical_size(tmp_path, unit):
    geometry = Geometry.plain((3.0, 0.25, 0.5), unit)
    path = tmp_path / "labels.tif"
    write_labels(path, STACK, geometry)
    (volume,) = read_volumes(path)
    np.testing.assert_array_equal(volume.data, STACK)
    data, settings, _ = volume.layer_data()
    np.testing.assert_allclose(np.diag(settings["affine"]), [3.0, 0.25, 0.5, 1])
    assert settings["units"] == (unit,) * 3
    assert data.dtype == np.uint8  # 119 is the largest
    with tifffile.TiffFile(path) as file:
        assert file.is_imagej
        assert file.series[0].axes == "ZYX"


def test_ome_tiff_tells_size_and_channels(tmp_path):
    path = tmp_path / "cells.ome.tif"
    pixels = np.stack([STACK, STACK + 1000], axis=1)
    tifffile.imwrite(
        path,
        pixels,
        metadata={
            "axes": "ZCYX",
            "PhysicalSizeX": 200,
            "PhysicalSizeXUnit": "nm",
            "PhysicalSizeY": 200,
            "PhysicalSizeYUnit": "nm",
            "PhysicalSizeZ": 1.5,
            "PhysicalSizeZUnit": "µm",
        },
    )
    first, second = read_volumes(path)
    np.testing.assert_array_equal(second.data, STACK + 1000)
    assert first.geometry.spacing == pytest.approx((1500, 200, 200))
    assert first.geometry.unit == "nm"


def test_tiff_without_a_size_has_none(tmp_path):
    path = tmp_path / "plain.tif"
    tifffile.imwrite(
        path, STACK, photometric="minisblack", resolution=(72, 72), resolutionunit="inch"
    )
    (volume,) = read_volumes(path)
    assert volume.geometry.unit == "pixel"
    assert volume.geometry.spacing == (1, 1, 1)


def test_many_labels_stay_readable_in_imagej(tmp_path):
    labels = np.zeros((3, 4), np.int64)
    labels[1, 2] = 70000
    path = tmp_path / "labels.tif"
    write_labels(path, labels, Geometry.plain((1, 1)))
    again = tifffile.imread(path)
    assert again.dtype == np.float32
    np.testing.assert_array_equal(again, labels)


@pytest.mark.parametrize("shape", [(5, 6), (4, 5, 6), (2, 4, 5, 6)])
def test_labels_too_large_for_imagej_keep_their_size(tmp_path, shape):
    labels = np.zeros(shape, np.int64)
    labels.flat[7] = 2**24 + 1
    path = tmp_path / "labels.tif"
    geometry = Geometry.plain((2.0, 0.5, 0.25)[-min(len(shape), 3) :], "um", len(shape))
    write_labels(path, labels, geometry)
    (volume,) = read_volumes(path)
    assert volume.labels
    assert (volume.geometry.unit, volume.geometry.spatial) == ("um", geometry.spatial)
    assert volume.geometry.spacing == pytest.approx(geometry.spacing)
    np.testing.assert_array_equal(volume.data, labels)


def write_noise(path):
    """A good file, of pixels in which compression cannot hide that something is missing."""
    noise = np.random.default_rng(0).integers(0, 255, (8, 30, 30), np.uint8)
    if path.name == "lzw.tif":
        first, *others = map(Image.fromarray, noise)
        first.save(path, save_all=True, append_images=others, compression="tiff_lzw")
    elif path.name in TIFF_KINDS:
        tifffile.imwrite(path, noise, photometric="minisblack", **TIFF_KINDS[path.name])
    elif path.suffix == ".dcm":
        sitk.WriteImage(sitk.GetImageFromArray(noise[:1].astype(np.int16)), str(path))
    elif path.suffix == ".mhd":
        sitk.WriteImage(sitk.GetImageFromArray(noise), str(path))
        return path.with_suffix(".raw")
    else:
        write_labels(path, noise, Geometry.plain((2.0, 1.0, 1.0), "um"))
    return path


TIFF_KINDS = {
    "a.ome.tif": {"metadata": {"axes": "ZYX"}},
    "big.tif": {"bigtiff": True},
    "tiled.tif": {"tile": (16, 16)},
    "zip.tif": {"compression": "zlib"},
}
FORMATS = ["a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.mhd", "a.dcm", "a.tif", "lzw.tif"]
FORMATS += TIFF_KINDS


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_costs_one_sentence(tmp_path, name):
    path = tmp_path / name
    voxels = write_noise(path)
    good = voxels.read_bytes()
    whole = np.array(read_volumes(path)[0].data)
    for bad in (good[: len(good) // 2], good[:-40], good[:100], b"", b"no image at all\n" * 200):
        if path.suffix == ".mhd" and len(bad) > len(good) // 2:
            continue  # bytes that are enough for all voxels
        voxels.write_bytes(bad)
        try:
            np.testing.assert_array_equal(read_volumes(path)[0].data, whole)
        except VolumeError as error:
            sentence = str(error)
        else:
            assert len(bad) == len(good) - 40, "what was cut off holds no voxels"
            continue
        assert str(path) in sentence
        assert "\n" not in sentence
        assert sentence.endswith("again.")
        assert voxels.read_bytes() == bad


def test_damage_anywhere_in_a_file_costs_one_sentence_or_nothing(tmp_path):
    """Bytes changed at random: never a traceback."""
    rng = np.random.default_rng(1)
    for name in FORMATS:
        path = tmp_path / name
        write_noise(path)
        good = path.read_bytes()
        for _ in range(8):
            bad = bytearray(good)
            for place in rng.integers(0, min(len(good), 600), 5):
                bad[place] = rng.integers(256)
            path.write_bytes(bad)
            with contextlib.suppress(VolumeError):
                assert all(np.shape(volume.data) for volume in read_volumes(path))


def test_a_header_without_its_voxels_says_so(tmp_path):
    path = tmp_path / "a.mhd"
    write_noise(path).unlink()
    with pytest.raises(VolumeError, match="the file of voxels that it names"):
        read_volumes(path)


def test_a_missing_file_and_an_unknown_kind(tmp_path):
    with pytest.raises(VolumeError, match="There is no file"):
        read_volumes(tmp_path / "none.nii")
    (tmp_path / "a.xyz").write_text("?")
    with pytest.raises(VolumeError, match="none of the kinds"):
        read_volumes(tmp_path / "a.xyz")


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "labels.nii.gz"
    path.write_bytes(b"precious")

    def fail(image, file):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nib, "save", fail)
    with pytest.raises(VolumeError, match="No space left"):
        write_labels(path, STACK, Geometry.plain((1, 1, 1)))
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.full((2, 2), -1), "run from -1"),
        (np.full((2, 2), 2**32), "renumber"),
        (np.full((2, 2), 0.5), "whole numbers"),
        (np.zeros((2, 2, 2), int), "3 axes"),
    ],
)
def test_labels_that_no_file_can_hold(tmp_path, labels, message):
    with pytest.raises(VolumeError, match=message):
        write_labels(tmp_path / "labels.tif", labels, Geometry.plain((1, 1)))
    with pytest.raises(VolumeError, match="no folder"):
        write_labels(tmp_path / "no" / "labels.tif", np.zeros((2, 2), int), Geometry.plain((1, 1)))
    assert not list(tmp_path.iterdir())


@pytest.fixture
def objects():
    labels = np.zeros((3, 10, 12), np.uint16)
    labels[:2, 2:5, 3:7] = 1
    labels[2, 0:2, 0:2] = 300
    return labels


def test_volumes_are_in_the_unit_of_the_field(tmp_path, objects):
    path = tmp_path / "volumes.csv"
    geometry = Geometry.plain((50.0, 10.0, 10.0), "nm")
    napari_writer.write_csv(str(path), objects, {"metadata": {"geometry": geometry}})
    first, second = csv.DictReader(path.read_text().splitlines())
    assert float(first["volume_um3"]) == pytest.approx(24 * 50 * 10 * 10 * 1e-9)
    assert (first["label"], first["voxels"]) == ("1", "24")
    assert float(first["centre_x"]) == pytest.approx(4.5)
    assert (second["label"], second["voxels"]) == ("300", "4")


def test_volumes_are_summed_up_plane_by_plane(tmp_path):
    labels = np.zeros((200, 100, 100), np.uint8)
    labels[50:151, :, 10:] = 1
    labels[:, :, 3] = 2
    tracemalloc.start()
    try:
        write_volumes(tmp_path / "t.csv", labels, Geometry.plain((1, 1, 1)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < labels.nbytes
    one, two = csv.DictReader((tmp_path / "t.csv").read_text().splitlines())
    assert (one["label"], one["voxels"], two["voxels"]) == ("1", str(101 * 9000), "20000")
    assert [one[f"centre_{name}"] for name in "zyx"] == ["100.000", "49.500", "54.500"]


def test_volumes_of_a_slanted_grid(tmp_path, objects):
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[0, 1] = 0.4  # shear changes no volume
    path = tmp_path / "volumes.csv"
    geometry = Geometry((0, 1, 2), 3, affine, anatomical=True)
    napari_writer.write_csv(str(path), objects, {"metadata": {"geometry": geometry}})
    first = next(csv.DictReader(path.read_text().splitlines()))
    assert float(first["volume_mm3"]) == pytest.approx(24 * 6)


def test_png_by_slice(tmp_path, objects):
    files = napari_writer.write_png(str(tmp_path / "cells.png"), objects, {})
    assert [file.rpartition("/")[2] for file in files] == [f"cells_00{k}.png" for k in range(3)]
    for file, plane in zip(files, objects, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(file)), plane)
    assert len(list(tmp_path.iterdir())) == 3


def test_coco_gives_every_mask_back(tmp_path, objects):
    path = tmp_path / "cells.json"
    napari_writer.write_json(str(path), objects, {})
    content = json.loads(path.read_text())
    assert [image["file_name"] for image in content["images"]] == [
        f"cells_00{k}.png" for k in range(3)
    ]
    again = np.zeros_like(objects)
    for annotation in content["annotations"]:
        counts, size = annotation["segmentation"]["counts"], annotation["segmentation"]["size"]
        values = np.repeat(np.arange(len(counts)) % 2, counts).astype(bool)
        mask = values.reshape(size, order="F")
        again[annotation["image_id"] - 1][mask] = annotation["label"]
        left, top, width, height = annotation["bbox"]
        assert mask[top : top + height, left : left + width].sum() == annotation["area"]
    np.testing.assert_array_equal(again, objects)


def test_endings_are_known_in_any_case(tmp_path):
    assert stem(tmp_path / "case.v2.NII.GZ") == "case.v2"
    assert stem(tmp_path / "cells.ome.tif") == "cells.ome"


def test_labels_without_a_file_take_the_layer_s_own_place():
    attributes = {"scale": (5, 2, 2), "translate": (10, 0, 4), "units": ("um", "um", "um")}
    geometry = napari_writer.geometry_of((3, 4, 5), attributes)
    assert geometry.spacing == (5, 2, 2)
    assert geometry.unit == "um"
    assert geometry.affine[:3, 3].tolist() == [4, 0, 10]


def test_a_nifti_affine_in_the_metadata_is_kept(tmp_path, objects):
    affine = np.diag([-1.5, 1.0, 2.0, 1.0])
    path = tmp_path / "labels.nii.gz"
    napari_writer.write_volume(str(path), objects, {"metadata": {"affine": affine}})
    image = nib.load(path)
    np.testing.assert_array_equal(image.affine, affine)
    np.testing.assert_array_equal(np.asarray(image.dataobj), objects.T)


@pytest.mark.parametrize("name", ["labels.nii.gz", "labels.nrrd", "labels.mha", "labels.tif"])
def test_through_napari_s_own_doors(tmp_path, objects, name, npe2pm):
    """Open, save and open again by napari's plugin engine, as the menu does."""
    from napari.components import ViewerModel
    from napari.layers import Labels

    npe2pm.register(PluginManifest.from_file(Path(__file__).parents[2] / "napari.yaml"))
    source = tmp_path / "brain.nii.gz"
    affine = np.diag([-1.0, -1.0, 4.0, 1.0])
    nib.save(nib.Nifti1Image(objects.T.astype(np.int16), affine), source)
    viewer = ViewerModel()
    (image,) = viewer.open(source, plugin="napari-piclick")
    layer = Labels(np.asarray(image.data).astype(np.uint16), metadata=image.metadata)
    viewer.layers.append(layer)
    viewer.layers.selection = {layer}
    out = tmp_path / name
    assert viewer.layers.save(str(out), selected=True, plugin="napari-piclick") == [str(out)]
    ((data, settings, _),) = get_reader(str(out))(str(out))
    np.testing.assert_array_equal(data, layer.data)
    np.testing.assert_allclose(np.abs(np.diag(settings["affine"])), [4, 1, 1, 1])


@pytest.fixture
def writer(request, npe2pm):
    """What napari calls for a file type of its save dialog."""
    manifest = PluginManifest.from_file(Path(__file__).parents[2] / "napari.yaml")
    npe2pm.register(manifest)
    (found,) = (w for w in manifest.contributions.writers if w.display_name == request.param)
    return lambda path, labels: found.exec(args=(str(path), labels, {}))


@pytest.mark.parametrize(
    ("writer", "ending"),
    [
        ("Labels as NIfTI", ".nii.gz"),
        ("Labels as NRRD or MHA", ".nrrd"),
        ("Labels as TIFF for ImageJ", ".tif"),
        ("Labels as COCO JSON", ".json"),
        ("Volumes of labels as CSV", ".csv"),
    ],
    indirect=["writer"],
)
def test_a_name_without_an_ending_gets_that_of_the_file_type(tmp_path, objects, writer, ending):
    bare, written = tmp_path / "cells v1.2", tmp_path / f"cells v1.2{ending}"
    assert writer(bare, objects) == [str(written)]
    before = written.read_bytes()
    # the dialog asked of another name whether it may be replaced
    with pytest.raises(VolumeError, match="is there already"):
        writer(bare, objects * 0)
    assert written.read_bytes() == before
    assert list(tmp_path.iterdir()) == [written]
    writer(written, objects * 0)
    assert written.read_bytes() != before


@pytest.mark.parametrize("writer", ["Labels as PNG slices"], indirect=True)
@pytest.mark.parametrize("name", ["cells v1.2", "cells v1.2.png"])
def test_slices_that_are_there_are_not_replaced(tmp_path, objects, writer, name):
    files = [str(tmp_path / f"cells v1.2_00{k}.png") for k in range(3)]
    assert writer(tmp_path / name, objects) == files
    before = [Path(file).read_bytes() for file in files]
    with pytest.raises(VolumeError, match=r"_000\.png to .*_002\.png are there already"):
        writer(tmp_path / name, objects * 0)
    assert [Path(file).read_bytes() for file in files] == before
    # one picture is the file that the dialog asked about
    assert writer(tmp_path / "one.png", objects[0]) == [str(tmp_path / "one.png")]
    assert writer(tmp_path / "one.png", objects[1]) == [str(tmp_path / "one.png")]


@pytest.mark.parametrize("writer", ["Labels as NIfTI"], indirect=True)
def test_an_ending_that_was_typed_says_what_volume_is_written(tmp_path, objects, writer):
    writer(tmp_path / "cells.mha", objects)
    assert sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / "cells.mha")).max() == 300
    assert [file.name for file in tmp_path.iterdir()] == ["cells.mha"]
