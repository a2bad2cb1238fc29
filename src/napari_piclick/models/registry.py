"""The models that can be asked for by name, and where their weights lie."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"

#: The model that comes with the package.
DEFAULT = "piclick-tiny"

#: Added to a published model's name, it asks for the fast mode.
FAST = ":fast"
#: Added to the name or file of an embedded model, it asks for the thorough mode.
THOROUGH = ":thorough"


@dataclass(frozen=True)
class RegisteredModel:
    """A model known by name: its file of weights and the card that describes it."""

    name: str
    weights: Path
    card: Path
    licence: str


MODELS = {
    DEFAULT: RegisteredModel(
        DEFAULT,
        WEIGHTS / "piclick-tiny.safetensors",
        WEIGHTS / "piclick-tiny.md",
        "Apache-2.0 and MIT; see the model card",
    )
}


def split_mode(name: str) -> tuple[str, str]:
    """A model's name or file, and the mode that is asked for with it ("" if none is)."""
    for mode in (FAST, THOROUGH):
        if name.endswith(mode) and not Path(name).exists():
            return name.removesuffix(mode), mode
    return name, ""


def find_weights(name_or_path: str | Path) -> Path:
    """The file of weights for a registered name or a path.

    Raises
    ------
    FileNotFoundError
        If it is neither a registered name nor a file.
    """
    if str(name_or_path) in MODELS:
        return MODELS[str(name_or_path)].weights
    path = Path(name_or_path).expanduser()
    if not path.is_file():
        names = ", ".join(sorted(MODELS))
        raise FileNotFoundError(
            f"{name_or_path!s} is neither a model ({names}) nor a file of weights."
        )
    return path


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
