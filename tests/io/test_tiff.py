"""TIFF files as microscopes and programs write them: every kind opens, or says why it does not."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_piclick.io import slices, tiff_pixels
from napari_piclick.io.errors import VolumeError
from napari_piclick.io.napari_reader import get_reader
from napari_piclick.io.tiff_pixels import DecodedPages
from napari_piclick.io.volumes import read_volumes

STACK = np.random.default_rng(0).integers(0, 60000, (4, 50, 70), np.uint16)
GREY = {"photometric": "minisblack"}


def layers(path):
    return get_reader(str(path))(str(path))


@pytest.mark.parametrize(
    "how",
    [
        {"bigtiff": True},
        {"tile": (16, 32)},
        {"tile": (32, 32), "compression": "zlib"},
        {"compression": "zlib", "predictor": 2, "rowsperstrip": 7},
        {"byteorder": ">"},
        {"metadata": None},
    ],
    ids=str,
)
def test_however_a_stack_is_stored(tmp_path, how):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, STACK, **GREY, **how)
    ((data, settings, _),) = layers(path)
    np.testing.assert_array_equal(data, STACK)
    assert settings["axis_labels"] == ("z", "y", "x")


@pytest.mark.parametrize("codec", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_compressions_that_other_programs_like(tmp_path, codec):
    path = tmp_path / "stack.tif"
    first, *others = [Image.fromarray(plane) for plane in STACK]
    first.save(path, save_all=True, append_images=others, compression=codec)
    (volume,) = read_volumes(path)
    np.testing.assert_array_equal(volume.data, STACK)
    (lazy,) = slices.read_tiff(path, "stack", lazy=True)
    np.testing.assert_array_equal(lazy.data[2], STACK[2])


def test_a_plane_may_have_more_pixels_than_pillow_likes(tmp_path, monkeypatch):
    path = tmp_path / "large.tif"
    plane = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    Image.fromarray(plane).save(
        path, save_all=True, append_images=[Image.fromarray(plane + 1)], compression="tiff_lzw"
    )
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    (volume,) = read_volumes(path)
    np.testing.assert_array_equal(volume.data, [plane, plane + 1])
    (lazy,) = slices.read_tiff(path, "large", lazy=True)
    np.testing.assert_array_equal(lazy.data[1], plane + 1)
    assert Image.MAX_IMAGE_PIXELS == 1000


def test_a_compression_without_a_codec_is_named(tmp_path, monkeypatch):
    path = tmp_path / "stack.tif"
    Image.fromarray(STACK[0]).save(path, compression="tiff_lzw")

    def fail(*_):
        raise Image.UnidentifiedImageError

    monkeypatch.setattr(tiff_pixels.Image, "open", fail)
    with pytest.raises(VolumeError, match=r"compressed as LZW.*imagecodecs"):
        read_volumes(path)


def test_a_damaged_lzw_file_is_not_taken_for_an_unknown_one(tmp_path):
    path = tmp_path / "stack.tif"
    Image.fromarray(STACK[0]).save(path, compression="tiff_lzw")
    content = bytearray(path.read_bytes())
    content[300:2000] = bytes(1700)
    path.write_bytes(content)
    with pytest.raises(VolumeError, match="damaged, incomplete"):
        read_volumes(path)


@pytest.mark.parametrize("shape", [(3, 50, 70), (50, 70, 3)])
def test_colours_stay_colours_however_they_are_stored(tmp_path, shape):
    pixels = np.random.default_rng(1).integers(0, 255, shape, np.uint8)
    how = "separate" if shape[0] == 3 else "contig"
    path = tmp_path / "colours.tif"
    tifffile.imwrite(path, pixels, photometric="rgb", planarconfig=how)
    ((data, settings, _),) = layers(path)
    assert settings["rgb"]
    np.testing.assert_array_equal(data, np.moveaxis(pixels, shape.index(3), -1))


@pytest.fixture
def pyramid(tmp_path):
    big = np.random.default_rng(2).integers(0, 255, (300, 260), np.uint8)
    path = tmp_path / "slide.ome.tif"
    with tifffile.TiffWriter(path) as file:
        how = {"tile": (64, 64), "compression": "zlib", **GREY}
        size = {"axes": "YX", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}
        file.write(big, subifds=2, metadata=size, **how)
        file.write(big[::2, ::2], subfiletype=1, **how)
        file.write(big[::4, ::4], subfiletype=1, **how)
    return path, big


def test_a_pyramid_is_one_layer_of_several_levels(pyramid):
    from napari.components import ViewerModel

    path, big = pyramid
    ((data, settings, _),) = layers(path)
    assert [level.shape for level in data] == [(300, 260), (150, 130), (75, 65)]
    np.testing.assert_array_equal(np.asarray(data[0]), big)
    np.testing.assert_array_equal(np.asarray(data[2]), big[::4, ::4])
    layer = ViewerModel().add_image(data, **settings)
    assert layer.multiscale
    np.testing.assert_allclose(layer.data_to_world((100, 40)), (25, 10))


def test_only_the_tiles_that_are_looked_at_are_decoded(pyramid):
    path, big = pyramid
    with tifffile.TiffFile(path) as file:
        pages = DecodedPages(path, file.series[0])
    decoded = []
    decode = pages._decode

    def count(data, number, **options):
        decoded.append(number)
        return decode(data, number, **options)

    pages._decode = count
    np.testing.assert_array_equal(pages[70:120, 130:190], big[70:120, 130:190])
    assert decoded == [7]
    for key in [(5,), (slice(280, 10, -7), 3), (slice(None), slice(200, 260, 9)), (-1, -1)]:
        np.testing.assert_array_equal(pages[key], big[key])


def test_planes_of_a_large_stack_are_read_one_by_one(tmp_path, monkeypatch):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, STACK, compression="zlib", rowsperstrip=16, **GREY)
    monkeypatch.setattr(tiff_pixels, "READ_AT_ONCE", 1)
    (volume,) = read_volumes(path)
    assert type(volume.data).__module__.startswith("dask")
    np.testing.assert_array_equal(volume.data, STACK)
    np.testing.assert_array_equal(volume.data[2, 10:20], STACK[2, 10:20])
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(VolumeError, match="damaged, incomplete"):
        read_volumes(path)


def test_every_image_of_a_file_is_a_layer_but_no_thumbnail(tmp_path):
    path = tmp_path / "many.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(STACK[0, :9, :9], subfiletype=1, metadata=None, **GREY)
        for plane in (*STACK[:2], STACK[2][:20]):
            file.write(plane, metadata=None, **GREY)
    shapes = {settings["name"]: data.shape for data, settings, _ in layers(path)}
    assert sorted(shapes.values()) == [(2, 50, 70), (20, 70)]


def test_sizes_of_each_image_of_an_ome_file(tmp_path):
    path = tmp_path / "two.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        for plane, size in ((STACK, 0.1), (STACK[0], 0.4)):
            axes = "ZYX"[-plane.ndim :]
            file.write(plane, metadata={"axes": axes, "PhysicalSizeX": size, "PhysicalSizeY": size,
                                        "PhysicalSizeZ": 3 * size})  # fmt: skip
    stack, plane = read_volumes(path)
    assert stack.geometry.spacing == pytest.approx((0.3, 0.1, 0.1))
    assert plane.geometry.spacing == pytest.approx((0.4, 0.4))


@pytest.mark.parametrize("unit", ["micron", "\\u00B5m", "um"])
def test_imagej_s_own_names_for_micrometres_and_seconds(tmp_path, unit):
    path = tmp_path / "film.tif"
    tifffile.imwrite(path, np.stack([STACK] * 2), imagej=True, resolution=(4, 2),
                     metadata={"axes": "TZYX", "unit": unit, "spacing": 1.5, "finterval": 30.0,
                               "tunit": "sec"})  # fmt: skip
    ((_, settings, _),) = layers(path)
    np.testing.assert_allclose(np.diag(settings["affine"]), [30, 1.5, 0.5, 0.25, 1])
    assert settings["units"] == ("s", "um", "um", "um")


class TestOneFileForEachSlice:
    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "sections"
        folder.mkdir()
        for k, plane in enumerate(STACK):
            path = folder / f"slice_{8 + k}.tif"
            tifffile.imwrite(path, plane, imagej=True, resolution=(5, 5), metadata={"unit": "nm"})
        return folder

    def test_a_folder_is_a_stack_in_the_order_of_the_numbers(self, folder):
        (folder / "notes.txt").write_text("?")
        ((data, settings, _),) = layers(folder)
        np.testing.assert_array_equal(data, STACK)
        assert settings["name"] == "sections"
        np.testing.assert_allclose(np.diag(settings["affine"]), [0.2, 0.2, 0.2, 1])
        assert settings["units"] == ("nm",) * 3

    def test_files_opened_as_a_stack_are_one(self, folder):
        paths = [str(folder / f"slice_{k}.tif") for k in (10, 8)]
        ((data, _, _),) = get_reader(paths)(paths)
        np.testing.assert_array_equal(data, STACK[[2, 0]])

    def test_a_large_one_is_read_slice_by_slice(self, folder, monkeypatch):
        monkeypatch.setattr(slices, "READ_AT_ONCE", 1)
        (volume,) = read_volumes(folder)
        assert type(volume.data).__module__.startswith("dask")
        np.testing.assert_array_equal(volume.data[3], STACK[3])

    def test_slices_that_do_not_fit_are_named(self, folder):
        tifffile.imwrite(folder / "slice_9.tif", STACK[1, 3:])
        with pytest.raises(VolumeError, match=r"slice_8\.tif and slice_9\.tif differ in size"):
            read_volumes(folder)
        tifffile.imwrite(folder / "slice_9.tif", STACK, **GREY)
        with pytest.raises(VolumeError, match=r"slice_9\.tif holds more than one plane"):
            read_volumes(folder)

    def test_a_folder_of_stacks_is_several(self, tmp_path):
        for name in ("b", "a"):
            tifffile.imwrite(tmp_path / f"{name}.tif", STACK, **GREY)
        found = layers(tmp_path)
        assert [(settings["name"], data.shape) for data, settings, _ in found] == [
            ("a", STACK.shape),
            ("b", STACK.shape),
        ]
