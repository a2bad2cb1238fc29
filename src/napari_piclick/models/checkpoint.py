"""Files of weights: reading, writing, and growing the starting weights to seven queries.

A file is data only (safetensors); the network's configuration travels in its metadata.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from napari_piclick.models.piclick_tiny import PiClickTiny, TinyConfig

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

ARCHITECTURE = "piclick-tiny"
#: Spread of the noise that tells a new query from the one it was copied from.
QUERY_NOISE = 0.02


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read tensors and metadata of a safetensors file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a safetensors file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no file of weights at {path}.")
    try:
        with safe_open(path, "pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is not a readable safetensors file ({error}).") from error


def weights_digest(path: Path) -> str:
    """The SHA-256 of the tensors in a safetensors file, as 64 hexadecimal digits.

    That of the file itself may change when the same weights are written again: the notes in it
    come in any order.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_weights` does.
    """
    tensors, _ = read_weights(path)
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def save_tiny(model: PiClickTiny, path: Path, **notes: str) -> None:
    """Write a model in half precision, to a temporary name first.

    Parameters
    ----------
    model : PiClickTiny
    path : Path
        The file to write or replace.
    **notes : str
        Further metadata, such as what the weights were trained on.
    """
    state = {
        k: v.detach().to("cpu", torch.float16).contiguous() for k, v in model.state_dict().items()
    }
    metadata = {"architecture": ARCHITECTURE, "config": json.dumps(model.config.as_dict()), **notes}
    partial = path.with_name(path.name + ".part")
    save_file(state, partial, metadata)
    partial.replace(path)


def load_tiny(path: Path) -> PiClickTiny:
    """Build PiClick-Tiny from a file that `save_tiny` wrote, in float32, ready to predict.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing, or does not hold weights of this network.
    """
    state, metadata = read_weights(path)
    if metadata.get("architecture") != ARCHITECTURE:
        raise ValueError(
            f"{path} does not hold weights of {ARCHITECTURE}; choose a file written by "
            "napari-piclick's training."
        )
    known = {f.name for f in fields(TinyConfig)}
    config = {k: v for k, v in json.loads(metadata["config"]).items() if k in known}
    model = PiClickTiny(TinyConfig(**config))
    try:
        model.load_state_dict({k: v.float() for k, v in state.items()})
    except RuntimeError as error:
        raise ValueError(f"The weights in {path} do not fit {ARCHITECTURE}: {error}") from error
    return model.eval()


def with_evidence(model: PiClickTiny) -> PiClickTiny:
    """The same network with a TRM that also reads the evidence; its answers are the same yet."""
    if model.config.evidence:
        return model
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        grown = PiClickTiny(replace(model.config, evidence=True))
    grown.load_state_dict(model.state_dict(), strict=False)
    return grown.eval()


def from_starting_weights(
    path: Path, config: TinyConfig | None = None, seed: int = 0
) -> PiClickTiny:
    """Build PiClick-Tiny from a promptable model with four mask tokens.

    Queries beyond the fourth begin as slightly disturbed copies of the three that
    answer ambiguous clicks. What the file does not hold is either without effect
    (it ends in zeros) or constant until trained.

    Parameters
    ----------
    path : Path
        Safetensors file of the starting weights.
    config : TinyConfig, optional
        May ask for fewer queries than four: then tokens 1, 2, ... are kept.
    seed : int
        Of the disturbance and of the new layers.
    """
    state, _ = read_weights(path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = PiClickTiny(config)
        _resize_queries(state, model.config.num_queries)
    missing, unexpected = model.load_state_dict(
        {k: v.float() for k, v in state.items()}, strict=False
    )
    new = ("decoder.dense_prompt.", "decoder.skip_", "decoder.target_reasoning.")
    wrong = [*unexpected, *(key for key in missing if not key.startswith(new))]
    if wrong:
        raise ValueError(f"{path} does not hold the starting weights: {wrong[0]} does not fit.")
    return model.eval()


def _resize_queries(state: dict[str, Tensor], count: int) -> None:
    """Make the four mask tokens of ``state``, and all that belongs to each, ``count`` many."""
    source = list(range(1, 1 + count)) if count < 4 else [0, 1, 2, 3]
    source += [1 + k % 3 for k in range(count - len(source))]
    index = torch.tensor(source)
    tokens = state["decoder.mask_tokens.weight"].float()[index]
    noise = torch.randn_like(tokens) * tokens.std() * QUERY_NOISE
    noise[:4] = 0
    state["decoder.mask_tokens.weight"] = tokens + noise
    for part in ("weight", "bias"):
        key = f"decoder.iou_prediction_head.layers.2.{part}"
        state[key] = state[key][index]
    prefix = "decoder.output_hypernetworks_mlps."
    mlps = {key: state.pop(key) for key in list(state) if key.startswith(prefix)}
    for query, old in enumerate(source):
        for key, value in mlps.items():
            token, rest = key.removeprefix(prefix).split(".", 1)
            if int(token) == old:
                state[f"{prefix}{query}.{rest}"] = value.clone()
