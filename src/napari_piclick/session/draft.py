"""The draft: an unfinished object at one moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_piclick.clicks import Click
    from napari_piclick.proposals import Proposals
    from napari_piclick.session.prompt import Previous, Prompt


@dataclass(frozen=True, eq=False)
class Draft:
    """Clicks on an object, and the proposals for them once they are known.

    Parameters
    ----------
    clicks : tuple of Click
        In the order they were made.
    previous : Proposals or (H, W) array, optional
        The mask that the clicks refine.
    proposals : Proposals, optional
        The answer to these clicks; None until it comes, or when it was let go to save memory.
    choice : int, optional
        The proposal that the user chose, if they did.
    prompt : Prompt, optional
        The question that the proposals answer, signed by the model.
    """

    clicks: tuple[Click, ...] = ()
    previous: Previous = None
    proposals: Proposals | None = None
    choice: int | None = None
    prompt: Prompt | None = None

    @property
    def askable(self) -> bool:
        """Whether a predictor can say anything: there is something to start from."""
        positive = any(click.positive for click in self.clicks)
        return bool(self.clicks) and (positive or self.previous is not None)

    def asks(self, prompt: Prompt) -> bool:
        """Tell whether this draft waits for the answer to this question."""
        asked = self.clicks == prompt.clicks and self.previous is prompt.previous
        return asked and self.proposals is None

    def answer(self, prompt: Prompt, proposals: Proposals) -> Draft:
        """The draft with its answer; a choice the user made among the same proposals holds."""
        if self.choice is not None and self.choice < len(proposals):
            proposals = proposals.choose(self.choice)
        return replace(self, proposals=proposals, prompt=prompt)

    def unanswered(self) -> Draft:
        """The draft without its proposals, which take most of the memory."""
        return self if self.proposals is None else replace(self, proposals=None)

    def choose(self, index: int) -> Draft:
        """The draft with another proposal chosen by the user.

        Raises
        ------
        IndexError
            If there is no such proposal.
        """
        if self.proposals is None:
            raise IndexError("There are no proposals to choose from.")
        return replace(self, proposals=self.proposals.choose(index), choice=index)


def only_chosen(proposals: Proposals) -> Proposals:
    """The chosen proposal alone, a seventh of the memory: enough for a previous mask."""
    kept = slice(proposals.chosen, proposals.chosen + 1)
    return replace(
        proposals,
        masks=proposals.masks[kept].copy(),
        iou=proposals.iou[kept],
        confidence=proposals.confidence[kept],
        chosen=0,
    )
