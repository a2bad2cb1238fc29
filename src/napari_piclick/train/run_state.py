"""The state of a run: from which it goes on at the very step it was saved at."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from napari_piclick.train.recipe import Recipe

FILE = "state.pt"


def describe_settings(
    schedule: Any, seed: int, recipe: Recipe, origin: Mapping[str, Any] | None = None
) -> str:
    """What a run must not change on its way: all but the number of steps.

    Parameters
    ----------
    schedule : dataclass with a field ``steps``
    seed : int
    recipe : Recipe
    origin : mapping of plain values, optional
        What the run begins with and learns from, such as `PicturePlan.origin`.

    Returns
    -------
    str
        As JSON.
    """
    fixed = {name: value for name, value in asdict(schedule).items() if name != "steps"}
    settings = {"seed": seed, "recipe": asdict(recipe), "schedule": fixed}
    if origin is not None:
        settings["origin"] = dict(origin)
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
    differing = _differing(json.loads(state["settings"]), json.loads(settings))
    if differing:
        raise ValueError(
            f"The run in {folder} was begun with other settings ({', '.join(differing)}); "
            "continue it with the same ones, or choose another output."
        )
    return state


def check_not_replaced(output: Path, begun_with: Iterable[Path]) -> None:
    """Make sure that a run does not replace what it begins with, from which it could not go on.

    Raises
    ------
    ValueError
        If the file to write is one of those that the run begins with.
    """
    if output.resolve() in [path.resolve() for path in begun_with]:
        raise ValueError(
            f"The run begins with {output}, which it would replace; choose another output."
        )


def _differing(begun: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Names of the settings that are not the same."""
    if "origin" not in begun:  # older states do not tell what they began with
        now.pop("origin", None)
    old, new = _by_name(begun), _by_name(now)
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _by_name(settings: dict[str, Any]) -> dict[str, Any]:
    named = {"seed": settings["seed"], "recipe": settings["recipe"]}
    return named | settings["schedule"] | settings.get("origin", {})
