"""The accepted object: a mask, and how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from napari_piclick.proposals import Proposals
    from napari_piclick.region import Region
    from napari_piclick.session.prompt import Prompt


@dataclass(frozen=True, eq=False)
class Accepted:
    """A finished object.

    Parameters
    ----------
    prompt : Prompt
        The question that its proposals answer, signed by the model.
    proposals : Proposals
        Its proposals and the choice among them.
    """

    prompt: Prompt
    proposals: Proposals

    @property
    def region(self) -> Region:
        """The part of the plane on which the mask is given."""
        return self.proposals.region

    @property
    def mask(self) -> np.ndarray:
        """(h, w) bool mask on the pixels of ``region``."""
        return self.proposals.mask()
