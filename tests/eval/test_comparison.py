from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_piclick.eval import curve
from napari_piclick.eval.__main__ import main
from napari_piclick.eval.bootstrap import confidence_intervals, share_above_zero
from napari_piclick.eval.comparison import compare, finished_alike, read_run


def write(path, ious, **changes):
    """A file of results: ``ious`` by image, one object each unless there are more."""
    samples = [
        {"image": image, "object": str(number), "ious": each}
        for image, objects in ious.items()
        for number, each in enumerate(objects)
    ]
    values = {"dataset": "sstem", "model": path.stem, "pick": "trm", "samples": samples}
    path.write_text(json.dumps({**values, **changes}))
    return str(path)


WORSE = {f"{k:02d}": [[0.1 + k / 40, 0.82], [0.5, 0.6, 0.95]] for k in range(8)}
BETTER = {f"{k:02d}": [[0.3 + k / 40, 0.92], [0.55, 0.9]] for k in range(8)}


def test_the_interval_of_a_mean_holds_it_and_shrinks_with_the_number_of_images():
    rng = np.random.default_rng(0)
    widths = []
    for count in (10, 1000):
        values = rng.normal(3.0, 1.0, (count, 1))
        low, high = confidence_intervals(values, np.arange(count))[:, 0]
        assert low < values.mean() < high
        widths.append(high - low)
    assert widths[1] == pytest.approx(2 * 1.96 / np.sqrt(1000), rel=0.2)
    assert widths[0] > 5 * widths[1]


def test_objects_of_one_image_are_drawn_together():
    # A hundred copies of each object tell no more than one of each.
    values = np.arange(6.0)[:, None]
    single = confidence_intervals(values, np.arange(6))
    copied = confidence_intervals(np.repeat(values, 100, 0), np.repeat(np.arange(6), 100))
    np.testing.assert_allclose(copied, single)


def test_the_share_above_zero_tells_the_sign():
    images = np.arange(20)
    columns = np.stack([np.full(20, 0.1), np.full(20, -0.1), np.zeros(20)], 1)
    assert share_above_zero(columns, images).tolist() == [1, 0, 0.5]


def test_two_runs_are_compared_object_by_object(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)  # paths are printed as they were given
    first, second = write(Path("a.json"), WORSE), write(Path("b.json"), BETTER)
    output, plot = Path("c.json"), Path("c.png")
    assert main(["compare", first, second, "--output", str(output), "--plot", str(plot)]) == 0
    measures = json.loads(output.read_text())["measures"]
    assert measures["mIoU@1"]["difference"] == pytest.approx((0.2 + 0.05) / 2)
    low, high = measures["mIoU@1"]["interval"]
    assert low == pytest.approx(high)  # the same on every image
    assert measures["NoC80"]["first"] == (2 + 3) / 2
    assert measures["NoC80"]["second"] == 2
    assert measures["NoC90"]["difference"] == pytest.approx((2 + 2) / 2 - (20 + 3) / 2)
    assert measures["NoC90"]["share_above_zero"] == 0
    printed = capsys.readouterr().out
    assert "16 objects on 8 images" in printed
    assert max(map(len, printed.splitlines())) < 100
    assert Image.open(plot).size == (720, 480)


def test_a_run_that_went_on_clicking_is_no_better_for_that(tmp_path, capsys):
    on = {"00": [[0.5, 0.92, 0.7, 0.97, 0.98], [0.1, 0.2, 0.3, 0.4, 0.5]]}
    up_to = {"00": [[0.5, 0.92], [0.1, 0.2, 0.3, 0.4, 0.5]]}
    protocol = {"max_clicks": 5, "target_iou": 0.9}
    first = write(tmp_path / "a.json", up_to, protocol=protocol)
    second = write(tmp_path / "b.json", on, protocol={**protocol, "target_iou": 1.01})
    runs = [read_run(Path(path)) for path in (first, second)]
    differences = {each.name: each for each in compare(*runs)}
    assert {name: each.value for name, each in differences.items()} == dict.fromkeys(
        ("mIoU@1", "mIoU@3", "mIoU@5", "NoC80", "NoC85", "NoC90"), 0
    )
    curves = [run.mean_ious() for run in finished_alike(*runs)]
    assert curves[0] == curves[1]
    drawn = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curve, "draw_curves", lambda curves, _: drawn.append(curves))
        plot = str(tmp_path / "c.png")
        assert main(["compare", first, second, "--plot", plot]) == 0
    assert list(drawn[0].values()) == curves
    assert "count as finished at 0.9" in " ".join(capsys.readouterr().out.split())


def test_a_run_equals_itself(tmp_path, capsys):
    path = write(tmp_path / "a.json", WORSE)
    assert main(["compare", path, path]) == 0
    assert "+0.000 to +0.000" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda p: write(p, {**BETTER, "99": [[0.5]]}), "has the object 0 on the image 99"),
        (lambda p: write(p, BETTER, dataset="davis"), "on davis"),
        (lambda p: write(p, BETTER, protocol={"max_clicks": 5}), "up to 5"),
        (lambda p: write(p, {}), "holds no object"),
        (lambda p: p.write_text("{"), "is not a file of results"),
        (lambda p: p.write_text("[1]"), "is not a file of results"),
        (lambda p: p.unlink(missing_ok=True), "cannot be read"),
    ],
)
def test_what_cannot_be_compared_is_said(tmp_path, capsys, spoil, words):
    first = write(tmp_path / "a.json", WORSE)
    spoil(tmp_path / "b.json")
    assert main(["compare", first, str(tmp_path / "b.json")]) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert words in sentence
    assert "b.json" in sentence


@pytest.mark.parametrize("option", ["--plot", "--output"])
def test_a_file_that_cannot_be_written_is_said(tmp_path, capsys, monkeypatch, option):
    runs = [write(tmp_path / f"{name}.json", WORSE) for name in "ab"]
    path = tmp_path / ("c.svg" if option == "--plot" else "c.json")
    if option == "--output":

        def fail(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "replace", fail)
    assert main(["compare", *runs, option, str(path)]) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert f"{path} could not be written" in sentence
    assert not path.exists()
