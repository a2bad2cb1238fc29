"""Labels that were saved lie on their image again, and independent readers agree where."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import tifffile

from napari_piclick.io.geometry import Geometry
from napari_piclick.io.napari_reader import get_reader
from napari_piclick.io.napari_writer import geometry_of, write_volume
from napari_piclick.io.volumes import read_volumes, write_labels

LABELS = np.random.default_rng(0).integers(0, 5, (6, 12, 10), np.uint8)
ENDINGS = [".nii.gz", ".nii", ".nrrd", ".mha", ".tif"]


def layer(path):
    return get_reader(str(path))(str(path))[0]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("unit", ["um", "nm", "mm"])
def test_labels_on_a_microscope_s_stack_lie_on_it_again(tmp_path, ending, unit):
    """Slices count downwards on the screen, whatever medical formats make of that."""
    image = tmp_path / "image.tif"
    tifffile.imwrite(image, LABELS, imagej=True, resolution=(5, 4),
                     metadata={"axes": "ZYX", "spacing": 0.5, "unit": unit})  # fmt: skip
    _, settings, _ = layer(image)
    out = tmp_path / f"labels{ending}"
    write_volume(str(out), LABELS, {"metadata": settings["metadata"]})
    data, again, kind = layer(out)
    np.testing.assert_array_equal(data, LABELS)
    assert kind == "labels"
    # NIfTI has no nanometres: the same place in micrometres.
    factor = 1e-3 if unit == "nm" and again["units"][0] == "um" else 1.0
    np.testing.assert_allclose(
        again["affine"][:-1], np.asarray(settings["affine"])[:-1] * factor, rtol=1e-6
    )
    assert again["units"] == settings["units"] or factor != 1
    # and once more, from the file that was written
    second = tmp_path / f"second{ending}"
    write_volume(str(second), np.asarray(data), {"metadata": again["metadata"]})
    np.testing.assert_allclose(layer(second)[1]["affine"], again["affine"], rtol=1e-6)


@pytest.mark.parametrize("ending", ENDINGS[:4])
def test_labels_on_a_moved_layer_without_a_file(tmp_path, ending):
    attributes = {"scale": (5, 2, 2), "translate": (10, -3, 4), "units": ("um",) * 3}
    out = tmp_path / f"labels{ending}"
    write_volume(str(out), LABELS, attributes)
    data, settings, _ = layer(out)
    np.testing.assert_array_equal(data, LABELS)
    np.testing.assert_allclose(
        settings["affine"], [[5, 0, 0, 10], [0, 2, 0, -3], [0, 0, 2, 4], [0, 0, 0, 1]]
    )
    assert geometry_of(LABELS.shape, {"metadata": settings["metadata"]}).unit == "um"


AFFINES = {
    "oblique": [[0.8, -0.2, 0.3, -9], [0.25, 0.95, -0.1, 4], [-0.2, 0.2, 2.9, 11], [0, 0, 0, 1]],
    "flipped": [[-1.5, 0, 0, 3], [0, -0.7, 0, 4], [0, 0, 2, 5], [0, 0, 0, 1]],
    "left-handed": [[-1.5, 0, 0, 3], [0, 0.7, 0, 4], [0, 0, 2, 5], [0, 0, 0, 1]],
    "sagittal": [[0, 0, 1.2, 1], [-0.7, 0, 0, 2], [0, 0.7, 0, 3], [0, 0, 0, 1]],
}


@pytest.mark.parametrize("name", AFFINES)
@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_nibabel_s_file_becomes_itk_s_in_the_same_place(tmp_path, name, ending):
    """Read by nibabel, written as NRRD or MHA, and found where SimpleITK finds the source."""
    affine = np.array(AFFINES[name], float)
    columns, _, rows = np.linalg.svd(affine[:3, :3])
    affine[:3, :3] = columns @ rows @ np.diag([0.5, 0.75, 2.0])  # at right angles, as ITK wants
    source = tmp_path / "image.nii"
    nib.save(nib.Nifti1Image(LABELS.astype(np.int16), affine), source)
    (volume,) = read_volumes(source)
    out = tmp_path / f"labels{ending}"
    write_labels(out, np.asarray(volume.data), volume.geometry)
    image, mask = sitk.ReadImage(str(source)), sitk.ReadImage(str(out))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(mask))
    for corner in [(0, 0, 0), (5, 11, 9), (3, 0, 7)]:
        np.testing.assert_allclose(
            image.TransformIndexToPhysicalPoint(corner),
            mask.TransformIndexToPhysicalPoint(corner),
            atol=1e-4,
        )


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
@pytest.mark.parametrize("name", AFFINES)
def test_itk_s_file_becomes_nibabel_s_in_the_same_place(tmp_path, name, ending):
    """Written by SimpleITK, read here, written as NIfTI, and found by nibabel where it was."""
    columns, _, rows = np.linalg.svd(np.array(AFFINES[name], float)[:3, :3])
    image = sitk.GetImageFromArray(LABELS)
    image.SetSpacing((0.5, 0.75, 2.0))
    image.SetOrigin((-12.5, 40.25, 7.125))
    image.SetDirection((columns @ rows).ravel().tolist())
    source = tmp_path / f"image{ending}"
    sitk.WriteImage(image, str(source))
    (volume,) = read_volumes(source)
    out = tmp_path / "labels.nii.gz"
    write_labels(out, np.asarray(volume.data), volume.geometry)
    written = nib.load(out)
    np.testing.assert_array_equal(np.asarray(written.dataobj), LABELS.T)
    for corner in [(0, 0, 0), (9, 11, 5), (7, 0, 3)]:
        left_back_up = np.array(image.TransformIndexToPhysicalPoint(corner))
        np.testing.assert_allclose(
            (written.affine @ [*corner, 1])[:3], left_back_up * (-1, -1, 1), atol=1e-4
        )


def test_units_that_an_nrrd_file_tells(tmp_path):
    for number, line in enumerate(
        ('space dimension: 3\nspace directions: (2,0,0) (0,2,0) (0,0,3)\n'
         'space units: "um" "um" "um"', 'spacings: 2 2 3\nunits: "um" "um" "um"')
    ):  # fmt: skip
        path = tmp_path / f"{number}.nrrd"
        head = f"NRRD0005\ntype: uchar\ndimension: 3\nsizes: 10 12 6\n{line}\nencoding: raw\n\n"
        path.write_bytes(head.encode() + LABELS.tobytes())
        (volume,) = read_volumes(path)
        assert volume.geometry.unit == "um"
        assert volume.geometry.spacing == pytest.approx((3, 2, 2))


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_values_that_are_no_colours_are_channels(tmp_path, ending):
    path = tmp_path / f"modalities{ending}"
    pixels = np.random.default_rng(1).normal(size=(4, 6, 5, 4)).astype(np.float32)
    sitk.WriteImage(sitk.GetImageFromArray(pixels, isVector=True), str(path))
    volumes = read_volumes(path)
    assert [volume.name for volume in volumes] == [f"modalities channel {k}" for k in range(1, 5)]
    np.testing.assert_array_equal(volumes[2].data, pixels[..., 2])


def test_more_axes_than_time_keep_their_order(tmp_path):
    geometry = Geometry.plain((2.0, 1.0, 1.0), "um", ndim=5)
    labels = np.arange(2 * 3 * 4 * 5 * 6, dtype=np.uint16).reshape(2, 3, 4, 5, 6)
    out = tmp_path / "labels.nii"
    write_labels(out, labels, geometry)
    data, _, _ = layer(out)
    np.testing.assert_array_equal(data, labels)
