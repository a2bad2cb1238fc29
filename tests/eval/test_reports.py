"""What a run leaves: table, spreadsheet, curve and contact sheet; and models of other projects."""

from __future__ import annotations

import csv
import textwrap

import numpy as np
import pytest
from PIL import Image

from napari_piclick.eval import ClickProtocol, ModelSpec, Results, evaluate, open_dataset
from napari_piclick.eval.__main__ import main
from napari_piclick.eval.contact_sheet import OF_EACH, draw_contact_sheet
from napari_piclick.eval.curve import COLOURS, draw_curves
from napari_piclick.eval.published import TABLE_2, published_rows
from napari_piclick.eval.report import format_report
from napari_piclick.eval.spreadsheet import COLUMNS, write_csv

SQUARES = np.zeros((40, 90), np.uint8)
for _number in range(8):
    _row, _col = 3 + 20 * (_number // 4), 3 + 22 * (_number % 4)
    SQUARES[_row : _row + 8 + _number, _col : _col + 8] = _number + 1


@pytest.fixture
def data(tmp_path):
    for name, pixels in (("images", SQUARES * 25), ("labels", SQUARES)):
        (tmp_path / name).mkdir()
        Image.fromarray(pixels).save(tmp_path / name / "squares.png")
    return open_dataset("folder", tmp_path)


@pytest.fixture
def predictor(scripted_predictor):
    """Proposes everything, the upper row, and half of the second object."""
    upper, half = SQUARES > 0, SQUARES == 2
    upper = upper & (np.arange(40) < 20)[:, None]
    half[7:] = False
    return scripted_predictor([SQUARES > 0, upper, half])


PROTOCOL = ClickProtocol(max_clicks=3, pick="oracle")


def test_the_spreadsheet_has_a_line_for_every_click(data, predictor, tmp_path):
    results = evaluate(data, predictor, PROTOCOL)
    write_csv(results, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        header, *lines = csv.reader(file)
    assert tuple(header) == COLUMNS
    assert len(lines) == sum(len(result.ious) for result in results.objects) == 8 * 3
    row = dict(zip(header, lines[3], strict=True))
    second = results.objects[1]
    assert (row["object"], row["click"], row["picked"], row["proposed"]) == ("2", "1", "2", "0")
    assert float(row["iou"]) == second.ious[0] == float(row["best_iou"])
    assert float(row["proposed_iou"]) == second.proposal_ious[0][0]
    assert (row["row"], row["col"]) == (str(second.clicks[0].row), str(second.clicks[0].col))


def test_the_contact_sheet_shows_best_median_and_worst(data, predictor, tmp_path):
    results = evaluate(data, predictor, PROTOCOL)
    before = len(predictor.clicks)
    draw_contact_sheet(data, predictor, results, tmp_path / "sheet.png")
    # Each of its objects is clicked once more: the best, the median and the worst ones.
    means = [sum(result.ious) for result in results.objects]
    ranked = sorted(range(8), key=lambda k: -means[k])
    shown = [clicks[0] for clicks in predictor.clicks[before:] if len(clicks) == 1]
    expected = [*ranked[:2], *ranked[3:5], *ranked[6:]]
    assert shown == [results.objects[k].clicks[0] for k in expected]
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape[0] == 3 * OF_EACH * 198
    for colour in ((255, 200, 0), (0, 160, 255), (0, 220, 60)):
        assert (sheet == colour).all(-1).any()


def test_few_objects_are_shown_once_each(data, predictor, tmp_path):
    results = evaluate(data, predictor, PROTOCOL)
    one = Results(results.dataset, results.model, PROTOCOL, results.objects[:1])
    draw_contact_sheet(data, predictor, one, tmp_path / "sheet.png")
    assert Image.open(tmp_path / "sheet.png").height == 198


def test_the_curve_rises_where_the_iou_does(tmp_path):
    draw_curves({"a": [0.38, 0.5, 0.9], "b": [0.6, 0.6, 0.6]}, tmp_path / "curve.png")
    picture = np.asarray(Image.open(tmp_path / "curve.png")).astype(int)
    tops = []
    for colour in COLOURS[:2]:
        wanted = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
        # above the names at the bottom, about the first, second and third click
        drawn = (abs(picture - wanted).sum(-1) < 40) & (np.arange(480) < 400)[:, None]
        tops.append(
            [int(np.argwhere(drawn[:, c - 9 : c + 9])[:, 0].mean()) for c in (78, 382, 686)]
        )
    assert tops[0][0] > tops[0][1] > tops[0][2]
    assert max(tops[1]) - min(tops[1]) <= 2


def test_the_papers_row_stands_beside(data, predictor):
    results = evaluate(data, predictor, ClickProtocol(pick="oracle"))
    for dataset, model, heads in [
        ("sstem", "piclick-tiny", ["ViT-B", "ViT-L"]),
        ("sstem", "weights/piclick_base448.pth", ["ViT-B"]),
        ("sstem", "piclick_large448", ["ViT-L"]),
        ("sstem", "piclick_huge448", []),
        ("brats-png", "piclick-tiny", ["ViT-L"]),
        ("davis", "piclick-tiny", []),
    ]:
        report = format_report(
            Results(dataset, model, results.protocol, results.objects, results.encoding_seconds)
        )
        assert [word for word in ("ViT-B", "ViT-L") if word in report] == heads
        assert ("Table 2" in report) == bool(heads)
        assert max(map(len, report.splitlines())) < 80
    large = next(row for row in TABLE_2 if (row.dataset, row.backbone) == ("sstem", "ViT-L"))
    report = format_report(Results("sstem", "piclick_large448", PROTOCOL, results.objects))
    assert "ViT-L" not in report  # other than 20 clicks
    report = format_report(Results("sstem", "piclick_large448", results.protocol, results.objects))
    difference = results.summary()["noc80"] - large.figures["noc80"]
    assert f"{difference:+.3f}" in report
    assert published_rows("folder", "piclick-tiny") == ()


OTHER = textwrap.dedent(
    """
    import numpy as np
    from napari_piclick import Proposals, Region

    class Whole:
        def set_image(self, image, *, contrast_limits=None, rgb=None, key=None):
            self.shape = image.shape[:2]

        def predict(self, clicks, previous=None):
            one = np.ones(1, np.float32)
            masks = np.full((1, *self.shape), self.value, np.float32)
            return Proposals(masks, Region.whole(self.shape), self.shape, one, one)

    def make(value, device):
        model = Whole()
        model.value, model.device = float(value), device
        return model

    def nothing():
        return object()
    """
)


@pytest.fixture
def other(tmp_path, monkeypatch):
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "other_project.py").write_text(OTHER)
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))


def test_a_model_of_another_project_is_measured(data, other, tmp_path, capsys):
    arguments = ["--dataset", "folder", "--data", str(data.folder), "--max-clicks", "2"]
    arguments += ["--model", "other_project:make", "--model-arg", "1"]
    files = [tmp_path / name for name in ("out.csv", "curve.png", "sheet.png")]
    for option, file in zip(("--csv", "--plot", "--sheet"), files, strict=True):
        arguments += [option, str(file)]
    assert main(arguments) == 0
    assert "other_project:make on folder" in capsys.readouterr().out
    assert all(file.stat().st_size > 100 for file in files)
    assert ModelSpec("other_project:make", "cpu", ("0.5",))().device == "cpu"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--model", "missing_project:make"], "missing_project cannot be imported"),
        (["--model", "other_project:made"], "other_project has no function made"),
        (["--model", "other_project:make"], "other_project:make cannot be called so"),
        (["--model", "other_project:nothing"], "makes has no method set_image"),
        (["--model-arg", "1"], "--model-arg is only for"),
        (["--model", "other_project:make", "--model-arg", "1", "--pick", "code"], "--pick trm"),
    ],
)
def test_what_is_wrong_with_a_model_is_said(data, other, capsys, options, words):
    assert main(["--dataset", "folder", "--data", str(data.folder), *options]) == 2
    assert words in capsys.readouterr().err.splitlines()[-1]
