"""Training on several devices: every process answers its share of a step's prompts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, distributed

from napari_piclick.predict.device import choose_device

if TYPE_CHECKING:
    from collections.abc import Sequence


def device_of_process(name: str = "auto") -> torch.device:
    """The device that this process trains on: of several GPUs each process takes its own.

    Which of the processes on a machine this is, ``torchrun`` says in ``LOCAL_RANK``. The device
    becomes torch's current one, which NCCL and tensors without an index go by.

    Parameters
    ----------
    name : str
        See `choose_device`. A GPU named with its number is taken by every process.

    Raises
    ------
    ValueError
        If this machine has no such device, or fewer GPUs than processes.
    """
    device = choose_device(name)
    local = os.environ.get("LOCAL_RANK")
    if device.type != "cuda":
        return device
    if str(device) == "cuda" and local is not None:
        if int(local) >= (count := torch.cuda.device_count()):
            raise ValueError(
                f"There are more processes than GPUs here; start {count} of them "
                f"(torchrun --nproc-per-node {count}), or let them share one (--device cuda:0)."
            )
        device = torch.device("cuda", int(local))
    if str(device) != "cuda":
        torch.cuda.set_device(device)
    return device


@dataclass(frozen=True)
class Team:
    """The processes that train together.

    Parameters
    ----------
    rank, size : int
        Which of how many this process is.
    """

    rank: int = 0
    size: int = 1

    @classmethod
    def from_environment(cls, device: torch.device, *, shared: bool = False) -> Team:
        """Join the team that ``torchrun`` started, or be one alone.

        Parameters
        ----------
        device : torch.device
            That this process trains on.
        shared : bool
            Whether all processes train on the same GPU, over which NCCL would not talk.
        """
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        if not distributed.is_initialized():
            apart = device.type == "cuda" and not shared
            distributed.init_process_group("nccl" if apart else "gloo")
        return cls(distributed.get_rank(), size)

    @property
    def leads(self) -> bool:
        """Whether this process writes the files and shows the progress."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """Which of ``count`` prompts are this process's.

        Raises
        ------
        ValueError
            If there are not enough for everybody.
        """
        if count < self.size:
            raise ValueError(
                f"{self.size} processes cannot share {count} prompts; give a larger --batch."
            )
        return slice(self.rank, None, self.size)

    def average(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Replace every gradient by its mean over the team.

        Whose prompts did not use a parameter (the layers that read a previous mask, say) has
        no gradient of it, which counts as zero where another process has one; what nobody
        used keeps none, as in a single process.
        """
        if self.size == 1:
            return
        used = torch.tensor([float(p.grad is not None) for p in parameters])
        used = used.to(parameters[0].device)
        distributed.all_reduce(used)
        shared = [p for p, count in zip(parameters, used.tolist(), strict=True) if count]
        flat = torch.cat(
            [(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in shared]
        )
        distributed.all_reduce(flat)
        flat /= self.size
        for p, mean in zip(shared, flat.split([p.numel() for p in shared]), strict=True):
            p.grad = mean.view_as(p).clone()

    def mean(self, values: Tensor) -> Tensor:
        """The mean of a tensor over the team."""
        if self.size > 1:
            distributed.all_reduce(values)
            values /= self.size
        return values

    def part(self) -> None:
        """Wait until everybody is here, and leave the team.

        One that ends while another still writes would have ``torchrun`` stop that one.
        """
        if self.size > 1:
            distributed.barrier()
            distributed.destroy_process_group()

    def agree(self, stop: bool) -> bool:
        """Whether anybody wants to stop; all get the same answer."""
        if self.size == 1:
            return stop
        wish = torch.tensor([float(stop)])
        if distributed.get_backend() == "nccl":
            wish = wish.cuda()
        distributed.all_reduce(wish)
        return bool(wish.item() > 0)
