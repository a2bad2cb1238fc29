"""DICOM as scanners and archives leave it: out of order, incomplete, mixed, in folders."""

from __future__ import annotations

import shutil
import warnings

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from napari_piclick.io.errors import VolumeError, VolumeWarning
from napari_piclick.io.napari_reader import get_reader
from napari_piclick.io.volumes import read_volumes, write_labels

STACK = np.arange(4 * 6 * 5, dtype=np.int16).reshape(4, 6, 5) - 20
HEIGHTS = (0.0, 2.5, 5.0, 7.5)


def series(folder, uid="1.2.3.4", first=9, heights=HEIGHTS, shift=0.0, compressed=False, **tags):
    """Slices of one series, their files named against their order."""
    folder.mkdir(exist_ok=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    if compressed:
        writer.UseCompressionOn()
        writer.SetCompressor("JPEG")
    for k, height in enumerate(heights):
        image = sitk.GetImageFromArray(STACK[k % len(STACK)])
        image.SetSpacing((0.5, 0.75))
        own = {
            "0008|0060": "MR", "0020|000e": uid, "0020|000d": "1.2.3",
            "0008|0018": f"{uid}.{first}.{k + 1}", "0020|0013": str(k + 1),
            "0020|0032": f"-10\\{20 + shift * k}\\{height - 7}",
            "0020|0037": "1\\0\\0\\0\\1\\0",
        }  # fmt: skip
        for tag, value in {**own, **{t.replace("_", "|"): v for t, v in tags.items()}}.items():
            image.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{first - k}.dcm"))
        writer.Execute(image)
    return folder


def test_slices_are_sorted_by_place_and_numbered_files_need_no_ending(tmp_path):
    folder = series(tmp_path / "series")
    for file in list(folder.iterdir()):
        file.rename(file.with_suffix(""))
    (volume,) = read_volumes(folder)
    np.testing.assert_array_equal(volume.data, STACK)
    np.testing.assert_allclose(
        volume.geometry.affine,
        [[-0.5, 0, 0, 10], [0, -0.75, 0, -20], [0, 0, 2.5, -7], [0, 0, 0, 1]],
    )


def test_a_missing_slice_is_said_and_the_distance_stays_that_of_the_others(tmp_path):
    folder = series(tmp_path / "series", heights=(0, 2.5, 5, 10))
    with pytest.warns(VolumeWarning, match=r"5 mm after slice 2, 1 missing; 2\.5 mm elsewhere"):
        (volume,) = read_volumes(folder)
    assert volume.geometry.spacing == pytest.approx((2.5, 0.75, 0.5))


def test_a_tilted_gantry_is_told_by_the_affine_and_survives(tmp_path):
    folder = series(tmp_path / "series", shift=0.4)
    with warnings.catch_warnings():
        warnings.simplefilter("error", VolumeWarning)
        (volume,) = read_volumes(folder)
    np.testing.assert_allclose(volume.geometry.affine[:3, 2], [0, -0.4, 2.5])
    assert volume.geometry.voxel_size == pytest.approx(0.5 * 0.75 * 2.5)
    out = tmp_path / "labels.nii.gz"
    write_labels(out, np.ones(STACK.shape, int), volume.geometry)
    np.testing.assert_allclose(nib.load(out).affine, volume.geometry.affine, atol=1e-6)


def test_several_series_and_other_objects_in_one_folder(tmp_path):
    folder = series(tmp_path / "series")
    series(folder, uid="1.2.3.5", first=40, heights=HEIGHTS[:3])
    # A presentation state: DICOM, but no picture.
    kind = b"1.2.840.10008.5.1.4.1.1.11.1"
    (folder / "notes.dcm").write_bytes(
        bytes(128) + b"DICM\x02\x00\x02\x00UI" + len(kind).to_bytes(2, "little") + kind
    )
    layers = get_reader(str(folder))(str(folder))
    assert [(data.shape, settings["name"]) for data, settings, _ in layers] == [
        ((4, 6, 5), "series 1"),
        ((3, 6, 5), "series 2"),
    ]


def test_series_in_folders_below(tmp_path):
    for number in (1, 2):
        series(tmp_path / f"S{number}", uid=f"1.2.{number}")
    shutil.move(tmp_path / "S2", tmp_path / "S1" / "deeper")
    (tmp_path / "S1" / "readme.txt").write_text("?")
    study = tmp_path / "study"
    study.mkdir()
    shutil.move(tmp_path / "S1", study / "S1")
    assert [volume.name for volume in read_volumes(study)] == ["study 1", "study 2"]


def test_slices_at_the_same_places_again_are_points_in_time(tmp_path):
    folder = series(tmp_path / "series", heights=HEIGHTS * 2)
    (volume,) = read_volumes(folder)
    np.testing.assert_array_equal(volume.data, [STACK, STACK])
    ((_, settings, _),) = get_reader(str(folder))(str(folder))
    assert settings["axis_labels"] == ("t", "z", "y", "x")
    out = tmp_path / "labels.nii.gz"
    write_labels(out, volume.data + 20, volume.geometry)
    assert nib.load(out).shape == (5, 6, 4, 2)


def test_slices_of_which_some_are_there_twice_are_refused(tmp_path):
    folder = series(tmp_path / "series", heights=(0, 2.5, 2.5, 5))
    with pytest.raises(VolumeError, match="4 slices on 3 places"):
        read_volumes(folder)


def test_rescaled_and_compressed_values_come_as_they_are_meant(tmp_path):
    slope = series(tmp_path / "slope", **{"0028_1053": "2", "0028_1052": "-1000"})
    (volume,) = read_volumes(slope)
    np.testing.assert_array_equal(volume.data, STACK // 2 * 2)  # as much as a slope of 2 can say
    (volume,) = read_volumes(series(tmp_path / "jpeg", compressed=True))
    np.testing.assert_array_equal(volume.data, STACK)


def test_a_damaged_slice_is_named(tmp_path):
    folder = series(tmp_path / "series")
    file = folder / "8.dcm"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(VolumeError, match=r"8\.dcm"):
        read_volumes(folder)
    file.write_bytes(b"")
    with pytest.raises(VolumeError, match=r"8\.dcm.*damaged"):
        read_volumes(folder)


def test_a_file_alone_can_be_read_with_or_without_its_ending(tmp_path):
    file = series(tmp_path / "series") / "9.dcm"
    (volume,) = read_volumes(file)
    np.testing.assert_array_equal(volume.data.squeeze(), STACK[0])
    (volume,) = read_volumes(file.rename(file.with_suffix("")))
    np.testing.assert_array_equal(volume.data.squeeze(), STACK[0])


def test_napari_gets_a_view_that_goes_back_to_the_series(tmp_path):
    folder = series(tmp_path / "series")
    ((data, settings, kind),) = get_reader(str(folder))(str(folder))
    assert kind == "image"
    np.testing.assert_allclose(np.abs(np.diag(settings["affine"])), [2.5, 0.75, 0.5, 1])
    np.testing.assert_array_equal(settings["metadata"]["geometry"].from_layer(data), STACK)
