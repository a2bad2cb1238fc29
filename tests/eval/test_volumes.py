"""Measured in 3D: clicks on slices, followed through the volume, until the Dice is reached."""

from __future__ import annotations

import inspect
import json
import os
import sys
import textwrap

import nibabel
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from napari_piclick.eval import ClickProtocol, ModelSpec, Processes, evaluate, open_dataset
from napari_piclick.eval.__main__ import main
from napari_piclick.eval.datasets import BraTS, DatasetError, VolumeSample
from napari_piclick.eval.volume_annotation import VolumeAnnotator
from napari_piclick.io.volumes import read_volumes, write_labels
from napari_piclick.proposals import Proposals
from napari_piclick.region import Region

SHAPE = (24, 40, 44)
PROTOCOL = ClickProtocol(volume=True, max_clicks=8)


def ball(radius=9.0, centre=(12, 20, 20), shape=SHAPE):
    grid = np.indices(shape) - np.reshape(centre, (3, 1, 1, 1))
    return np.square(grid).sum(0) <= radius**2


class Brush:
    """What has the value of the first click and hangs together with it, plus every further click.

    A positive click adds the pixels of its own value about it, a negative one takes those within
    five pixels away.
    """

    name = "brush"

    def __init__(self):
        self.asked = []

    def set_image(self, image, *, contrast_limits=None, rgb=None, key=None):
        self.image = np.asarray(image[:, :] if hasattr(image, "__getitem__") else image)
        self.window = contrast_limits
        self.key = key

    def prefetch(self, image, **options):
        pass

    def predict(self, clicks, previous=None):
        self.asked.append((self.key, clicks))
        mask = np.zeros(self.image.shape, bool)
        for click in clicks:
            if click.positive:
                parts, _ = ndimage.label(self.image == self.image[click.pixel])
                mask |= parts == parts[click.pixel]
        for click in clicks:
            if not click.positive:
                rows, cols = np.indices(mask.shape)
                mask &= np.hypot(rows - click.row, cols - click.col) > 5
        shape = self.image.shape
        one = np.ones(1, np.float32)
        return Proposals(mask[None].astype(np.float32), Region.whole(shape), shape, one, one)


def annotate(volume, truth, protocol=PROTOCOL, axis=0):
    sample = VolumeSample("v", "1", volume, truth, axis, (1.0, 1.0, 1.0), (0.0, 255.0))
    predictor = Brush()
    annotator = VolumeAnnotator(sample, predictor, protocol, ("v",))
    return annotator.annotate((0, 0)), annotator, predictor


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_easy_object_takes_one_click_on_its_largest_slice(axis):
    truth = ball()
    result, _, predictor = annotate(truth * np.uint8(200), truth, axis=axis)
    assert result.slices == ((12, 20, 20)[axis],)
    (click,) = result.clicks
    assert click.positive
    assert [click.row, click.col] == [c for k, c in enumerate((12, 20, 20)) if k != axis]
    # The slices that are smaller than propagation takes for an object may be missing.
    assert result.ious[0] > 0.97
    # The slice was asked about once, and then its neighbours.
    assert len(predictor.asked) == len({key for key, _ in predictor.asked}) > 10


def test_a_slice_that_is_wrong_is_found_and_corrected():
    truth = ball()
    volume = truth * np.uint8(200)
    # From here on the object hangs together with something else.
    wrong = np.zeros(SHAPE, bool)
    wrong[15:20, 18:22, 20:42] = True
    volume[wrong] = 200
    result, annotator, _ = annotate(volume, truth, ClickProtocol(volume=True, target_iou=0.97))
    assert result.slices[0] == 12
    assert any(index >= 15 for index in result.slices[1:])
    assert any(not click.positive for click in result.clicks[1:])
    assert result.ious[-1] > result.ious[0]
    assert result.ious[-1] == annotator.dice()


def test_where_the_object_is_not_its_mask_is_wiped_away():
    truth = ball()
    volume = truth * np.uint8(200)
    volume[19:, 15:26, 15:26] = 200  # goes on as wide, where the object has ended
    truth[20:] = False
    result, annotator, _ = annotate(volume, truth, ClickProtocol(volume=True, target_iou=0.999))
    assert truth[19].any()
    assert 20 in result.slices
    wiped = result.clicks[result.slices.index(20)]
    assert not wiped.positive
    assert [s.index for s in annotator._slices if s.area and s.index > 19] == []


def test_what_cannot_be_found_is_given_up():
    truth = ball(7, (7, 12, 12)) | ball(4, (19, 30, 32))
    result, _, _ = annotate(ball(7, (7, 12, 12)) * np.uint8(200), truth)
    # Nothing leads to the other part, so clicking ends before the clicks run out.
    assert result.ious[-1] < 0.95
    assert len(result.clicks) < 8


@pytest.fixture
def folder(tmp_path):
    """Two volumes with two nested objects each, in a patient's axes; the slices are thick."""
    for part in ("images", "labels"):
        (tmp_path / "data" / part).mkdir(parents=True)
    for number in range(2):
        labels = ball(9 + number, shape=(44, 40, 24), centre=(20, 20, 12)).astype(np.uint8)
        labels[ball(5, shape=(44, 40, 24), centre=(20, 20, 12))] = 2
        affine = np.diag([1.0, 1.0, 3.0, 1.0])
        for part, voxels in (("images", labels * 100), ("labels", labels)):
            path = tmp_path / "data" / part / f"case{number}.nii.gz"
            nibabel.save(nibabel.Nifti1Image(voxels, affine), path)
    (tmp_path / "data" / "targets.json").write_text(json.dumps({"*": [[2], [1, 2]]}))
    return tmp_path / "data"


def test_a_folder_of_volumes_is_cut_across_its_longest_voxels(folder):
    dataset = open_dataset("volumes", folder)
    samples = [s for name in dataset.volumes() for s in dataset.volume_samples(name)]
    names = [(s.stem, s.object_name) for s in samples]
    assert names == [(f"case{k}", name) for k in range(2) for name in ("2", "1+2")]
    assert {(s.axis, s.spacing) for s in samples} == {(0, (3.0, 1.0, 1.0))}
    assert samples[1].mask.shape == (24, 40, 44)
    np.testing.assert_array_equal(samples[1].mask, ball(9, (12, 20, 20)))
    slices = [s for s in dataset if s.image_stem.startswith("case0")]
    assert dataset.may_nest
    middle = [s.object_name for s in slices if s.image_stem == "case0_s012"]
    assert middle == ["2", "1+2"]
    assert all(s.mask.sum() > 20 for s in slices)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: (d / "labels" / "case1.nii.gz").unlink(), r"case1\.nii\.gz has no labels"),
        (lambda d: (d / "images" / "case0.nii.gz").write_bytes(b"no"), "cannot be read as NIfTI"),
        (lambda d: (d / "targets.json").write_text("[1]"), "must look like"),
        (
            lambda d: nibabel.save(
                nibabel.Nifti1Image(np.zeros((5, 6, 7), np.uint8), np.eye(4)),
                d / "labels" / "case0.nii.gz",
            ),
            r"case0\.nii\.gz has the size \(7, 6, 5\) as slices, rows and columns, but its image",
        ),
        (
            lambda d: nibabel.save(
                nibabel.Nifti1Image(np.full((44, 40, 24), 0.5, np.float32), np.eye(4)),
                d / "labels" / "case0.nii.gz",
            ),
            "must hold one integer per voxel",
        ),
    ],
)
def test_a_folder_of_volumes_says_what_is_wrong(folder, spoil, message):
    spoil(folder)

    def read():
        dataset = open_dataset("volumes", folder)
        return [sample for name in dataset.volumes() for sample in dataset.volume_samples(name)]

    with pytest.raises(DatasetError, match=message):
        read()


@pytest.mark.parametrize("ending", [".nrrd", ".tif"])
@pytest.mark.parametrize("shape", [(16, 16, 16), (12, 16, 20)])
@pytest.mark.parametrize("oriented", [np.eye(3), np.diag([-1, 1, -1]), np.eye(3)[[2, 0, 1]]])
def test_labels_of_another_kind_of_file_lie_on_their_image(tmp_path, ending, shape, oriented):
    """The reader of each kind has an order of axes of its own."""
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    voxels = np.zeros(shape, np.uint8)
    voxels[2:6, 3:11, 4:12] = 200
    affine = np.eye(4)
    affine[:3, :3] = oriented
    affine[:3, 3] = (5, -7, 11)
    nibabel.save(nibabel.Nifti1Image(voxels, affine), tmp_path / "images" / "a.nii.gz")
    (image,) = read_volumes(tmp_path / "images" / "a.nii.gz")
    write_labels(tmp_path / "labels" / f"a{ending}", voxels > 100, image.geometry)
    (sample,) = open_dataset("volumes", tmp_path).volume_samples("a")
    np.testing.assert_array_equal(sample.mask, sample.volume > 100)


def test_labels_that_lie_elsewhere_in_the_patient_are_refused(folder):
    path = folder / "labels" / "case0.nii.gz"
    voxels = np.asarray(nibabel.load(path).dataobj)
    for affine in (np.diag([-1.0, -1.0, 3.0, 1.0]), np.diag([1.0, 1.0, 2.0, 1.0])):
        nibabel.save(nibabel.Nifti1Image(voxels, affine), path)
        with pytest.raises(DatasetError, match=r"case0\.nii\.gz lies elsewhere than its image"):
            list(open_dataset("volumes", folder).volume_samples("case0"))
    # rounding, as other programs leave it
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.001, 1.0, 3.0, 1.0])), path)
    assert list(open_dataset("volumes", folder).volume_samples("case0"))


def test_volumes_are_measured_from_the_command_line(folder, tmp_path, monkeypatch, capsys):
    # The predictor of this module, where other processes find it.
    modules = tmp_path / "modules"
    modules.mkdir()
    head = """
        import numpy as np
        from scipy import ndimage
        from napari_piclick.proposals import Proposals
        from napari_piclick.region import Region
    """
    (modules / "brush_model.py").write_text(textwrap.dedent(head) + inspect.getsource(Brush))
    monkeypatch.syspath_prepend(str(modules))
    monkeypatch.setenv("PYTHONPATH", str(modules), prepend=os.pathsep)
    output = tmp_path / "out.json"
    arguments = ["--volume", "--dataset", "volumes", "--data", str(folder), "--max-clicks", "4"]
    arguments += ["--model", "brush_model:Brush", "--output", str(output)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "mean Dice@1" in printed
    assert "4 on 2 volumes" in printed
    assert "Dice is that of the whole volume" in " ".join(printed.split())
    written = json.loads(output.read_text())
    assert written["protocol"]["volume"] is True
    assert written["summary"]["noc90"] is not None
    assert all(len(s["slices"]) == len(s["clicks"]) for s in written["samples"])
    assert "best_miou@1" not in written["summary"]
    spec = ModelSpec("brush_model:Brush")
    protocol = ClickProtocol(volume=True, max_clicks=4)
    results = evaluate(open_dataset("volumes", folder), spec, protocol, workers=Processes(2))
    assert [list(r.ious) for r in results.objects] == [s["ious"] for s in written["samples"]]
    assert main(["--volume", "--dataset", "folder", "--data", str(folder)]) == 2
    del sys.modules["brush_model"]


def test_pictures_cannot_be_measured_in_3d(tmp_path, capsys):
    for part in ("raw", "mitochondria"):
        (tmp_path / part).mkdir()
        end = "tif" if part == "raw" else "png"
        Image.fromarray(np.eye(30, dtype=np.uint8)).save(tmp_path / part / f"00.{end}")
    assert main(["--volume", "--dataset", "sstem", "--data", str(tmp_path)]) == 2
    assert "sstem holds pictures; only volumes" in capsys.readouterr().err


def test_brats_is_one_volume_a_case(brats_folder):
    dataset = BraTS(brats_folder)
    (name,) = dataset.volumes()
    (sample,) = dataset.volume_samples(name)
    assert sample.object_name == "whole-tumour"
    assert (sample.axis, sample.spacing) == (2, (1.0, 1.0, 1.0))
    assert sample.mask.sum() > 10_000
