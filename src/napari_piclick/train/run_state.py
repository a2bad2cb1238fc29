"""The state of a run: from which it goes on at the very step it was saved at."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from pathlib import Path

    from napari_piclick.train.recipe import Recipe

FILE = "state.pt"


def describe_settings(schedule: Any, seed: int, recipe: Recipe) -> str:
    """What a run must not change on its way: all but the number of steps.

    Parameters
    ----------
    schedule : dataclass with a field ``steps``
    """
    fixed = {name: value for name, value in asdict(schedule).items() if name != "steps"}
    settings = {"seed": seed, "recipe": asdict(recipe), "schedule": fixed}
    return json.dumps(settings, sort_keys=True)


def save_state(folder: Path, settings: str, **state: Any) -> None:
    """Write the state of a run, to a temporary name first."""
    partial = folder / f"{FILE}.part"
    torch.save({"settings": settings, **state}, partial)
    partial.replace(folder / FILE)


def load_state(folder: Path, settings: str, device: torch.device) -> dict[str, Any] | None:
    """Read the state of a run; None if there is none yet.

    Raises
    ------
    ValueError
        If the run was begun with other settings.
    """
    if not (folder / FILE).exists():
        return None
    state: dict[str, Any] = torch.load(folder / FILE, device, weights_only=True)
    if state["settings"] != settings:
        raise ValueError(
            f"The run in {folder} was begun with other settings; "
            "continue it with the same ones, or choose another output."
        )
    return state
