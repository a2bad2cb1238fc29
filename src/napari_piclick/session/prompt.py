"""The prompt: all that is needed to repeat a prediction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy as np

    from napari_piclick.clicks import Click
    from napari_piclick.proposals import Proposals

    Previous = Proposals | np.ndarray | None


@dataclass(frozen=True, eq=False)
class Prompt:
    """A question to a predictor.

    Parameters
    ----------
    plane : hashable
        Which plane of which image.
    clicks : tuple of Click
        All clicks on the object, in the order they were made.
    previous : Proposals or (H, W) array, optional
        The mask that the last click refines: the proposal chosen then, or a mask or
        probability map to start from.
    model : str
        Name of the model that answered; empty as long as none has.
    weights_hash : str
        SHA-256 of its weights.
    """

    plane: Hashable
    clicks: tuple[Click, ...]
    previous: Previous = None
    model: str = ""
    weights_hash: str = ""

    def answered_by(self, model: str, weights_hash: str) -> Prompt:
        """The same prompt, signed by the model that answered it."""
        return replace(self, model=model, weights_hash=weights_hash)

    def same_as(self, other: Prompt) -> bool:
        """Tell whether both ask the same, whoever answers."""
        return (
            self.plane == other.plane
            and self.clicks == other.clicks
            and self.previous is other.previous
        )
