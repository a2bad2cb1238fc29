from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_piclick import predict
from napari_piclick.eval.__main__ import main

SQUARE = np.zeros((40, 48), np.uint8)
SQUARE[10:30, 12:32] = 255


@pytest.fixture
def sections(tmp_path):
    """Three sections with one square each."""
    folder = tmp_path / "stack"
    (folder / "raw").mkdir(parents=True)
    (folder / "mitochondria").mkdir()
    for stem in ("00", "01", "02"):
        tifffile.imwrite(folder / "raw" / f"{stem}.tif", SQUARE // 2 + 40)
        Image.fromarray(SQUARE).save(folder / "mitochondria" / f"{stem}.png")
    return folder


@pytest.fixture
def scripted(monkeypatch, scripted_predictor):
    """The command line's predictor answers from a script; what it was asked for is recorded."""
    requests = []

    def load(name_or_path, device="auto"):
        requests.append((name_or_path, device))
        half = SQUARE > 0
        half[20:] = False
        most = SQUARE > 0
        most[27:] = False
        return scripted_predictor([half, SQUARE > 0], [most, half], [SQUARE > 0, half])

    monkeypatch.setattr(predict, "load_predictor", load)
    return requests


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "napari_piclick.eval", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def test_it_writes_the_results_and_a_table(sections, scripted, tmp_path, capsys):
    output = tmp_path / "out.json"
    arguments = ["--dataset", "sstem", "--data", str(sections), "--output", str(output)]
    assert main(arguments) == 0
    results = json.loads(output.read_text())
    assert {"dataset", "model", "pick", "samples", "summary"} <= results.keys()
    assert (results["dataset"], results["pick"]) == ("sstem", "trm")
    assert [(s["image"], s["object"]) for s in results["samples"]] == [
        ("00", "1"), ("01", "1"), ("02", "1"),
    ]  # fmt: skip
    # Clicking goes on past the target of 0.8 to 0.9, so that every NoC is measured.
    assert [s["ious"] for s in results["samples"]] == [[0.5, 0.85, 1.0]] * 3
    summary = results["summary"]
    assert (summary["noc80"], summary["noc85"], summary["noc90"]) == (2, 2, 3)
    assert (summary["objects"], summary["miou@1"], summary["failures80"]) == (3, 0.5, 0)
    printed = capsys.readouterr()
    assert "the model itself picked" in printed.out
    assert "3 on 3 images" in printed.out
    assert "3 objects, mIoU@1 0.500" in printed.err
    assert scripted == [("piclick-tiny", "auto")]


def test_options_reach_the_run(sections, scripted, tmp_path, capsys):
    output = tmp_path / "out.json"
    options = "--pick oracle --limit 2 --max-clicks 1 --model mine.safetensors --device cpu"
    data = ["--dataset", "sstem", "--data", str(sections), "--output", str(output)]
    assert main([*data, *options.split()]) == 0
    results = json.loads(output.read_text())
    assert results["pick"] == "oracle"
    assert [s["ious"] for s in results["samples"]] == [[1.0]] * 2
    assert "the ground truth picked" in capsys.readouterr().out
    assert scripted == [("mine.safetensors", "cpu")]


def test_parts_of_masks_can_be_left_out(sections, monkeypatch, scripted_predictor, tmp_path):
    predictor = scripted_predictor([SQUARE > 0])
    predictor.parts = True
    monkeypatch.setattr(predict, "load_predictor", lambda *_, **__: predictor)
    output = tmp_path / "out.json"
    arguments = ["--dataset", "sstem", "--data", str(sections), "--output", str(output)]
    assert main([*arguments, "--no-parts"]) == 0
    assert not predictor.parts
    assert json.loads(output.read_text())["model"] == "piclick-tiny without parts"


def test_a_model_that_offers_no_parts_cannot_leave_them_out(sections, scripted, capsys):
    assert main(["--dataset", "sstem", "--data", str(sections), "--no-parts"]) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said == "piclick-tiny offers no parts of masks; please leave --no-parts out."


def test_without_objects_there_is_one_sentence(sections, scripted, capsys):
    for mask in (sections / "mitochondria").iterdir():
        Image.fromarray(np.zeros_like(SQUARE)).save(mask)
    assert main(["--dataset", "sstem", "--data", str(sections), "--limit", "2"]) == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message == f"The dataset in {sections} has no object on the first 2 images."


def missing_mask(folder):
    (folder / "mitochondria" / "01.png").unlink()
    return "01.png"


def other_size(folder):
    Image.fromarray(SQUARE[:, :20]).save(folder / "mitochondria" / "02.png")
    return "02.png"


def empty_folder(folder):
    for path in (folder / "raw").iterdir():
        path.unlink()
    return "raw"


def no_folder(folder):
    (folder / "raw").rename(folder / "slices")
    return "raw"


@pytest.mark.parametrize("spoil", [missing_mask, other_size, empty_folder, no_folder])
def test_a_bad_folder_gives_exit_code_2_and_one_sentence(sections, spoil):
    name = spoil(sections)
    done = run("--dataset", "sstem", "--data", sections)
    assert done.returncode == 2
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert str(sections) in sentence
    assert name in sentence


def test_bad_options_give_exit_code_2(sections, tmp_path):
    data = ("--dataset", "sstem", "--data", sections)
    for options, words in [
        (("--target", "whole-tumour"), "brats"),
        (("--output", tmp_path / "missing" / "out.json"), "missing"),
        (("--output", tmp_path), "folder"),
        (("--limit", "0"), "'0' is not a whole number"),
        (("--target-iou", "much"), "'much' is not a number"),
    ]:
        done = run(*data, *options)
        assert done.returncode == 2
        assert words in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr


def test_help_is_quick_to_load_and_names_the_options():
    program = (
        "import sys; from napari_piclick.eval.__main__ import run_parser as m; m().print_help(); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'napari', 'qtpy')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert done.returncode == 0
    for option in ("--dataset", "--pick", "--max-clicks", "--target-iou", "--limit", "--workers"):
        assert option in done.stdout


def test_an_unknown_model_gives_one_sentence(sections, tmp_path):
    missing = tmp_path / "missing.safetensors"
    done = run("--dataset", "sstem", "--data", sections, "--model", missing)
    assert done.returncode == 2
    assert "missing.safetensors" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_the_embedded_model_segments_squares(sections, tmp_path):
    output = tmp_path / "out.json"
    done = run("--dataset", "sstem", "--data", sections, "--limit", 1, "--max-clicks", 5,
               "--output", output)  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = json.loads(output.read_text())
    assert results["model"] == "piclick-tiny"
    (sample,) = results["samples"]
    assert max(sample["ious"]) > 0.8
