"""NIfTI to labels to NIfTI, for every kind of geometry, bit for bit; and what napari shows."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from nibabel.eulerangles import euler2mat

from napari_piclick.io import nifti
from napari_piclick.io.errors import VolumeError
from napari_piclick.io.napari_reader import get_reader
from napari_piclick.io.napari_writer import write_volume
from napari_piclick.io.volumes import read_volumes, write_labels


def affine(columns, origin=(-12.5, 40.25, 7.1)):
    matrix = np.eye(4)
    matrix[:3, :3] = columns
    matrix[:3, 3] = origin
    return matrix


OBLIQUE = euler2mat(0.3, -0.2, 0.15) @ np.diag([0.9, 1.1, 3.3])
PERMUTED = np.array([[0, 0, 1.2], [-0.7, 0, 0], [0, 0.7, 0]])

#: name -> (affine, shape)
GEOMETRIES = {
    "isotropic": (affine(np.eye(3)), (7, 8, 9)),
    "anisotropic": (affine(np.diag([0.47, 0.53, 5.0])), (7, 8, 3)),
    "flipped": (affine(np.diag([-1.0, -1.0, 1.0])), (7, 8, 9)),
    "left-handed": (affine(np.diag([-1.0, 1.0, 1.0])), (7, 8, 9)),
    "upside-down": (affine(np.diag([1.0, 1.0, -2.0])), (7, 8, 9)),
    "sagittal": (affine(PERMUTED), (5, 8, 9)),
    "oblique": (affine(OBLIQUE), (7, 8, 9)),
    "oblique-left-handed": (affine(OBLIQUE @ np.diag([-1.0, 1.0, 1.0])), (7, 8, 9)),
    "sheared": (affine([[1, 0.1, 0], [0, 1, 0], [0, 0.05, 2]]), (7, 8, 9)),
    "2d": (affine(np.diag([0.5, 0.75, 1.0])), (7, 8)),
    "2d-one-slice": (affine(np.diag([-0.5, 0.75, 4.0])), (7, 8, 1)),
    "4d": (affine(np.diag([-2.0, 2.0, 3.0])), (5, 6, 7, 3)),
}


@pytest.fixture(params=sorted(GEOMETRIES))
def source(request, tmp_path):
    """(path, image): a file of int16 voxels that all differ."""
    matrix, shape = GEOMETRIES[request.param]
    voxels = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    image = nib.Nifti1Image(voxels, matrix)
    image.header.set_sform(matrix, code=1)
    if request.param != "sheared":
        image.header.set_qform(matrix, code=2)
    image.header.set_xyzt_units("mm", "sec")
    image.header["descrip"] = b"from the scanner"
    path = tmp_path / f"{request.param}.nii.gz"
    nib.save(image, path)
    return path, nib.load(path)


def test_labels_keep_affine_codes_and_order_of_their_source(source, tmp_path):
    path, original = source
    ((data, settings, kind),) = get_reader(str(path))(str(path))
    assert kind == "image"
    labels = (np.asarray(data) % 250).astype(np.uint16)
    out = tmp_path / "labels.nii.gz"
    assert write_volume(str(out), labels, {"metadata": settings["metadata"]}) == [str(out)]

    written = nib.load(out)
    assert written.affine.tobytes() == original.affine.tobytes()
    assert nib.aff2axcodes(written.affine) == nib.aff2axcodes(original.affine)
    for field in (
        "sform_code", "qform_code", "srow_x", "srow_y", "srow_z", "quatern_b", "quatern_c",
        "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z", "pixdim", "xyzt_units", "descrip",
    ):  # fmt: skip
        assert written.header[field].tobytes() == original.header[field].tobytes(), field
    assert written.get_data_dtype() == np.uint8
    expected = np.asarray(original.dataobj) % 250
    np.testing.assert_array_equal(np.asarray(written.dataobj), expected)
    ((_, _, again),) = get_reader(str(out))(str(out))
    assert again == "labels"


def test_napari_shows_every_voxel_in_its_place(source):
    path, original = source
    ((data, settings, _),) = get_reader(str(path))(str(path))
    geometry = settings["metadata"]["geometry"]
    matrix = settings["affine"]
    off_axis = matrix[:-1, :-1] - np.diag(np.diag(matrix[:-1, :-1]))
    assert not off_axis.any()  # napari can cut it plane by plane
    spatial = len(geometry.spatial)
    sizes = np.abs(np.diag(matrix))[:-1][-spatial:]
    assert sorted(sizes) == pytest.approx(sorted(np.array(original.header.get_zooms())[:spatial]))

    # Any voxel, by its value: where napari puts it, and where the file says that it lies.
    voxels = np.asarray(original.dataobj)
    for place in [(0,) * voxels.ndim, tuple(n // 3 for n in voxels.shape)]:
        shown = np.argwhere(np.asarray(data) == voxels[place])[0]
        at = (matrix @ [*shown, 1])[:-1][-spatial:]
        world = original.affine @ [*place[:3], *[0] * (3 - len(place[:3])), 1]
        down_back_left = -world[:3][::-1][-spatial:]
        # What is oblique is shown straight: then only the middle is exact.
        straight = path.name.split(".")[0] not in {"oblique", "oblique-left-handed", "sheared"}
        if straight:
            np.testing.assert_allclose(at, down_back_left, atol=1e-4)


def test_an_oblique_volume_has_its_middle_in_its_place():
    matrix, shape = GEOMETRIES["oblique"]
    from napari_piclick.io.geometry import Geometry

    geometry = Geometry((0, 1, 2), 3, matrix, anatomical=True)
    middle = (np.array(shape) - 1) / 2
    shown = geometry.layer_affine(shape) @ [*middle[list(geometry.order)], 1]
    np.testing.assert_allclose(shown[:3], -(matrix @ [*middle, 1])[:3][::-1], atol=1e-12)


def test_the_mask_opens_in_place_in_another_reader(source, tmp_path):
    path, original = source
    if "sheared" in path.name or original.ndim != 3:
        path = path.with_name("plain.nii.gz")
        nib.save(nib.Nifti1Image(np.ones((4, 5, 6), np.int16), affine(OBLIQUE)), path)
    (volume,) = read_volumes(path)
    out = tmp_path / "labels.nii.gz"
    write_labels(out, np.ones(volume.data.shape, int), volume.geometry)
    image, mask = sitk.ReadImage(str(path)), sitk.ReadImage(str(out))
    assert mask.GetSize() == image.GetSize()
    assert mask.GetOrigin() == image.GetOrigin()
    assert mask.GetSpacing() == image.GetSpacing()
    assert mask.GetDirection() == image.GetDirection()


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_itk_formats_keep_geometry_and_order(source, tmp_path, ending):
    """Through NIfTI's geometry into ITK's and back."""
    path, original = source
    (volume,) = read_volumes(path)
    labels = np.asarray(volume.data).astype(np.uint16)
    first = tmp_path / f"first{ending}"
    write_labels(first, labels, volume.geometry)
    (again,) = read_volumes(first)
    if labels.ndim == 2:  # a plane that stands in space has three axes here
        labels = labels[..., None]
    expected = labels.transpose(*range(3, labels.ndim), 2, 1, 0)
    np.testing.assert_array_equal(again.data, expected)
    # A direction that shears is no direction to ITK; it may say less of it.
    if "sheared" not in path.name:
        np.testing.assert_allclose(again.geometry.affine, original.affine, atol=1e-5)

    second = tmp_path / f"second{ending}"
    write_labels(second, np.asarray(again.data), again.geometry)
    (same,) = read_volumes(second)
    np.testing.assert_array_equal(same.data, again.data)
    np.testing.assert_allclose(same.geometry.affine, again.geometry.affine, atol=1e-9)


def test_scaled_values_are_read_as_they_are_meant(tmp_path):
    path = tmp_path / "ct.nii"
    image = nib.Nifti1Image(np.full((3, 4, 5), 100, np.int16), np.eye(4))
    image.header.set_slope_inter(2, -1000)
    nib.save(image, path)
    (volume,) = read_volumes(path)
    assert np.unique(volume.data).tolist() == nib.load(path).get_fdata()[:1, 0, 0].tolist()


def scaled_ct(path):
    """A file of 16 bits whose values are to be lowered by 1024, as they come from a CT."""
    stored = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    nib.save(nib.Nifti1Image(stored, np.eye(4)), path)
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([1, -1024], "<f4").tobytes()
    path.write_bytes(content)
    return stored - 1024.0


def test_a_large_scaled_file_is_not_read_before_it_is_looked_at(tmp_path, monkeypatch):
    path = tmp_path / "ct.nii"
    values = scaled_ct(path)
    (whole,) = read_volumes(path)
    assert whole.data.dtype == np.float32
    monkeypatch.setattr(nifti, "READ_AT_ONCE", 0)
    (volume,) = read_volumes(path)
    assert not isinstance(volume.data, np.ndarray)
    assert volume.data.dtype == np.float32
    assert volume.data.chunks == ((2,), (3,), (1, 1, 1, 1))
    np.testing.assert_array_equal(np.asarray(volume.data), values)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(VolumeError, match=r"ct\.nii cannot be read as NIfTI"):
        read_volumes(path)


@pytest.mark.parametrize(
    ("code", "unit", "frame"), [(5, "mm", 3.0), (5 + 16, "mm", 3e-3), (3 + 7 * 8, "um", 3.0)]
)
def test_units_that_nifti_does_not_know(tmp_path, code, unit, frame):
    path = tmp_path / "film.nii"
    image = nib.Nifti1Image(np.zeros((3, 4, 5, 2), np.uint8), np.eye(4))
    image.header["pixdim"][4] = 3
    nib.save(image, path)
    content = bytearray(path.read_bytes())
    content[123] = code
    path.write_bytes(content)
    (volume,) = read_volumes(path)
    assert (volume.geometry.unit, volume.geometry.frame) == (unit, frame)


def test_an_uncompressed_file_is_not_read_before_it_is_looked_at(tmp_path):
    path = tmp_path / "large.nii"
    nib.save(nib.Nifti1Image(np.zeros((8, 9, 10), np.uint8), np.eye(4)), path)
    (volume,) = read_volumes(path)
    assert isinstance(volume.data, np.memmap)
    assert isinstance(volume.layer_data()[0], np.memmap)


def test_colours_stay_colours(tmp_path):
    path = tmp_path / "colours.nii"
    rgb = np.random.default_rng(0).integers(0, 255, (4, 5, 6, 3), np.uint8)
    records = rgb.view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    nib.save(nib.Nifti1Image(records, np.eye(4)), path)
    data, settings, kind = read_volumes(path)[0].layer_data()
    assert kind == "image"
    assert settings["rgb"] is True
    np.testing.assert_array_equal(data, rgb.transpose(2, 1, 0, 3))
