"""SimpleClick's files of weights (.pth), read without running what they pickle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from napari_piclick.models.authors_checkpoint import compare_tensors, read_checkpoint, stand_in
from napari_piclick.models.simpleclick import SimpleClick, SimpleClickConfig

if TYPE_CHECKING:
    from pathlib import Path

#: Beside tensors and plain values, these files hold the loss that their head was made with.
_LOSS = "isegm.model.modeling.transformer_helper.cross_entropy_loss"
_ALLOWED = [
    stand_in(name)
    for name in ("easydict.EasyDict", f"{_LOSS}.CrossEntropyLoss", f"{_LOSS}.cross_entropy")
]


def load_simpleclick(path: Path) -> SimpleClick:
    """Build the network from one of its authors' checkpoints, ready to predict.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it holds anything but tensors, plain values and the loss of its head, is damaged, or is
        not a SimpleClick; nothing of it has been run.
    """
    state, config = read_checkpoint(
        path, "SimpleClick", SimpleClickConfig.from_authors, _check, _ALLOWED
    )
    with torch.device("meta"):
        model = SimpleClick(config)
    model.load_state_dict(state, strict=True, assign=True)
    return model.requires_grad_(False).eval()


def _check(state: dict[str, Any], config: SimpleClickConfig) -> None:
    with torch.device("meta"):
        expected = SimpleClick(config).state_dict()
    compare_tensors(state, expected)
