"""The accepted object: a mask, how it came about, and what became of it in the labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from napari_piclick.proposals import Proposals
    from napari_piclick.region import Region
    from napari_piclick.session.prompt import Prompt


@dataclass(frozen=True)
class Written:
    """What became of an object in the labels.

    Parameters
    ----------
    label : int
        Its id.
    pixels : int
        How many pixels it has on its plane.
    kept_back : int
        How many of its pixels stayed with objects that were there before.
    """

    label: int
    pixels: int
    kept_back: int


@dataclass(frozen=True, eq=False)
class Accepted:
    """A finished object.

    Parameters
    ----------
    prompt : Prompt
        The question that its proposals answer, signed by the model.
    proposals : Proposals
        Its proposals and the choice among them.
    written : Written, optional
        What became of it in the labels, if the session has labels.
    """

    prompt: Prompt
    proposals: Proposals
    written: Written | None = None

    @property
    def region(self) -> Region:
        """The part of the plane on which the mask is given."""
        return self.proposals.region

    @property
    def mask(self) -> np.ndarray:
        """(h, w) bool mask on the pixels of ``region``."""
        return self.proposals.mask()
