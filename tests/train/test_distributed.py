"""Training in several processes: they share the prompts and end with the same weights."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file
from torch import distributed

from napari_piclick.train.distributed import Team, device_of_process
from napari_piclick.train.log import read_rows

if TYPE_CHECKING:
    from pathlib import Path


def test_one_process_is_a_team_too() -> None:
    team = Team.from_environment(torch.device("cpu"))
    assert team == Team(0, 1)
    assert team.leads
    assert list(range(4))[team.share(4)] == [0, 1, 2, 3]
    team.part()
    assert team.agree(stop=True)
    assert not team.agree(stop=False)


def _gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> list[torch.device]:
    """Pretend that there are GPUs; returns what becomes the current one."""
    current: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    return current


def test_every_process_of_a_machine_takes_a_gpu_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    current = _gpus(monkeypatch, 2)
    assert device_of_process() == torch.device("cuda")
    assert current == []
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert device_of_process() == device_of_process("cuda") == torch.device("cuda:1")
    assert current == [torch.device("cuda:1")] * 2
    assert device_of_process("cuda:0") == torch.device("cuda:0")
    assert device_of_process("cpu") == torch.device("cpu")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(
        ValueError, match=r"more processes than GPUs.*--nproc-per-node 2.*--device cuda:0"
    ):
        device_of_process()


@pytest.mark.parametrize(
    ("device", "shared", "backend"),
    [("cuda:1", False, "nccl"), ("cuda:0", True, "gloo"), ("cpu", False, "gloo")],
)
def test_processes_that_share_a_gpu_do_not_talk_over_nccl(
    monkeypatch: pytest.MonkeyPatch, device: str, shared: bool, backend: str
) -> None:
    asked: list[str] = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(distributed, "init_process_group", asked.append)
    monkeypatch.setattr(distributed, "get_rank", lambda: 1)
    assert Team.from_environment(torch.device(device), shared=shared) == Team(1, 2)
    assert asked == [backend]


@pytest.mark.parametrize("command", ["train", "train.published"])
def test_the_commands_ask_which_gpu_is_theirs(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    micro_file: Path,
    command: str,
) -> None:
    monkeypatch.setenv("PICLICK_WEIGHTS_DIR", str(tmp_path / "weights"))
    main = importlib.import_module(f"napari_piclick.{command}.__main__").main
    _gpus(monkeypatch, 2)
    monkeypatch.setenv("LOCAL_RANK", "2")
    options = ["--output", str(tmp_path / "mine.safetensors"), "--data", str(tmp_path)]
    options += ["--init", str(micro_file)] if command == "train.published" else []
    assert main(options) == 2
    assert "more processes than GPUs" in capsys.readouterr().err


def test_prompts_are_shared_out_and_nobody_is_left_without() -> None:
    shares = [list(range(5))[Team(rank, 2).share(5)] for rank in range(2)]
    assert shares == [[0, 2, 4], [1, 3]]
    with pytest.raises(ValueError, match="larger --batch"):
        Team(0, 4).share(3)


TWO = """
import sys
from pathlib import Path
import torch
from safetensors.torch import save_file
from napari_piclick.train.distributed import Team
torch.set_num_threads(1)
team = Team.from_environment(torch.device("cpu"))
p = torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(4))
p[0].grad, p[1].grad = torch.full((2, 3), float(team.rank)), torch.arange(4.0) * (1 + team.rank)
only, nobody = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(3))
if team.rank == 1:
    only.grad = torch.tensor([2.0, 4.0])
team.average([p[0], only, nobody, p[1]])
assert nobody.grad is None
mean = team.mean(torch.tensor([float(team.rank)]))
save_file({"only": only.grad, "a": p[0].grad, "b": p[1].grad, "mean": mean},
          Path(sys.argv[1]) / f"{team.rank}.safetensors")
assert team.agree(team.rank == 1) and not team.agree(False)
from napari_piclick.train.__main__ import main
sys.exit(main(["--output", str(Path(sys.argv[1]) / "mine.safetensors"), "--size", "64", "--batch",
               "4", "--workers", "0", "--threads", "1", "--device", "cpu", "--steps", "2",
               "--validate", "0"]))
"""


def test_two_processes_train_together(tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(TWO)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", str(tmp_path / "two.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    for rank in range(2):
        found = load_file(tmp_path / f"{rank}.safetensors")
        torch.testing.assert_close(found["a"], torch.full((2, 3), 0.5))
        torch.testing.assert_close(found["b"], torch.arange(4.0) * 1.5)
        torch.testing.assert_close(found["only"], torch.tensor([1.0, 2.0]))
        assert found["mean"].item() == 0.5
    assert (tmp_path / "mine.safetensors").exists()
    rows = read_rows(tmp_path / "mine.run" / "losses.csv")
    assert [row["step"] for row in rows] == [0, 1]  # logged by one of them only
