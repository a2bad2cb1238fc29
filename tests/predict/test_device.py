"""The device: what is there is chosen, what is not is refused in words."""

from __future__ import annotations

import pytest
import torch

from napari_piclick.predict.device import choose_device


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Makes this machine have so many NVIDIA GPUs, and one of Apple's or not."""

    def have(nvidia: int = 0, apple: bool = False) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: nvidia > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: nvidia)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: apple)

    return have


@pytest.mark.parametrize(
    ("nvidia", "apple", "chosen"),
    [(0, False, "cpu"), (1, False, "cuda"), (0, True, "mps"), (2, True, "cuda")],
)
def test_a_gpu_is_taken_if_there_is_one(machine, nvidia, apple, chosen):
    machine(nvidia, apple)
    assert choose_device() == torch.device(chosen)
    assert choose_device("cpu") == torch.device("cpu")


def test_what_is_asked_for_must_be_there(machine):
    machine(nvidia=2)
    assert choose_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ValueError, match="This machine has no cuda:2; use auto or cpu"):
        choose_device("cuda:2")
    with pytest.raises(ValueError, match="This machine has no mps"):
        choose_device("mps")
    with pytest.raises(ValueError, match="There is no device 'gpu'"):
        choose_device("gpu")
    machine(apple=True)
    assert choose_device("mps") == torch.device("mps")
    with pytest.raises(ValueError, match="no cuda"):
        choose_device("cuda")
