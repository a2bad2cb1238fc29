"""The page on evaluation: its commands are commands, and lead from the downloads to Table 2."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_piclick.eval.__main__ import main
from napari_piclick.eval.options import compare_parser, run_parser
from napari_piclick.weights.__main__ import main as weights

PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"
MICRO = Path(__file__).parents[1] / "data" / "published" / "piclick_micro_random.pth"
EVAL = "python -m napari_piclick.eval "


def commands():
    """Every command of the page, in order, on one line each."""
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [" ".join(line.split()) for line in lines if line.strip()]


def test_every_command_is_understood():
    measuring = [line for line in commands() if line.startswith(EVAL)]
    assert len(measuring) > 10
    for line in measuring:
        arguments = shlex.split(line.removeprefix(EVAL))
        if arguments[0] == "compare":
            compare_parser().parse_args(arguments[1:])
        else:
            run_parser().parse_args(arguments)


@pytest.fixture
def downloads(tmp_path, monkeypatch):
    """What the first two steps bring, on a small scale, in the current folder."""
    for part in ("raw", "mitochondria"):
        (tmp_path / "stack1" / part).mkdir(parents=True)
    truth = np.zeros((120, 130), np.uint8)
    truth[30:70, 40:90] = 255
    tifffile.imwrite(tmp_path / "stack1" / "raw" / "00.tif", truth // 2 + 60)
    Image.fromarray(truth).save(tmp_path / "stack1" / "mitochondria" / "00.png")
    shutil.copy(MICRO, tmp_path / "piclick_base448.pth")
    monkeypatch.setenv("PICLICK_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def test_the_commands_lead_to_the_row_of_table_2(downloads, capsys):
    page = commands()
    end = next(k for k, line in enumerate(page) if "compare base-trm.json base.json" in line)
    steps = [line for line in page[: end + 1] if line.startswith("python -m ")]
    assert [line.split()[2:4] for line in steps] == [
        ["napari_piclick.weights", "add"],
        ["napari_piclick.eval", "--dataset"],
        ["napari_piclick.eval", "--dataset"],
        ["napari_piclick.eval", "compare"],
    ]
    for line in steps:
        program, arguments = line.split()[2], shlex.split(line)[3:]
        assert (weights if program.endswith("weights") else main)(arguments) == 0
    printed = capsys.readouterr().out
    published = printed[printed.index("piclick-base448 on sstem") :]
    assert re.search(r"mIoU@1 .* 0\.396 ", published)
    assert re.search(r"NoC80 .* 2\.21 ", published)
    assert "the ground truth picked the best proposal" in " ".join(published.split())
    assert "B against A on sstem (1 objects on 1 images)" in published
