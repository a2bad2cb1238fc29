"""The script that makes the weights that ship: long and rarely run, so its commands are read."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from napari_piclick.train.__main__ import schedule_of, training_arguments
from napari_piclick.train.recipe import RECIPES

SCRIPT = Path(__file__).parents[2] / "scripts" / "train-weights.sh"

# stands in for python: writes down what it is told, and trains nothing
STUB = f"""#!{sys.executable}
import os, sys
with open(os.environ["TOLD"], "a") as told:
    told.write("\\t".join(sys.argv[1:]) + "\\n")
"""


def commands(tmp_path: Path, **environment: str) -> list[list[str]]:
    """What the script tells each of its runs, after ``-m napari_piclick.train``."""
    stub = tmp_path / "python"
    stub.write_text(STUB)
    stub.chmod(0o755)
    told = tmp_path / "told"
    folder = tmp_path / "run"
    folder.mkdir()
    for made in ("third", *(f"{name}-branch{n}" for name in ("first", "third") for n in (1, 2, 3))):
        (folder / f"{made}.safetensors").touch()
    subprocess.run(
        ["bash", str(SCRIPT), "start.safetensors", "data", str(folder)],
        env={**os.environ, "PYTHON": str(stub), "TOLD": str(told), **environment},
        check=True,
        capture_output=True,
    )
    lines = [line.split("\t") for line in told.read_text().splitlines()]
    return [line[line.index("napari_piclick.train") + 1 :] for line in lines]


@pytest.mark.skipif(
    shutil.which("bash") is None or os.name == "nt", reason="the script needs a Unix shell"
)
@pytest.mark.parametrize("environment", [{}, {"BATCH": "32"}, {"TRAINING": "3", "MAKERS": "3"}])
def test_every_run_of_the_script_is_one_that_the_program_accepts(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    told = [training_arguments().parse_args(each) for each in commands(tmp_path, **environment)]

    a_round = ["tiny"] * 4 + ["scores"]
    assert [options.recipe for options in told] == [*a_round, "tiny", "scores", *a_round]
    assert all(options.recipe in RECIPES for options in told)
    for options in told:
        schedule = schedule_of(options)  # which refuses prompts that do not fill their pictures
        assert schedule.batch % schedule.prompts_per_picture == 0
    assert len({options.seed for options in told if options.recipe == "tiny"}) == 9
    made = {"start.safetensors"}
    for options in told:  # each begins with what there is by then
        assert {Path(name).name for name in options.init} <= made
        made.add(options.output.name)
    assert told[-1].output.name == "third.safetensors"
    assert (tmp_path / "run" / "piclick-tiny.safetensors").is_file()
