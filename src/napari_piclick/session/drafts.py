"""The drafts: the unfinished objects of all planes, one for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick.session.draft import Draft

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from napari_piclick.proposals import Proposals
    from napari_piclick.session.prompt import Prompt

BLANK = Draft()


class Drafts:
    """The present draft of each plane on which an object was begun."""

    def __init__(self) -> None:
        self._present: dict[Hashable, Draft] = {}

    def __iter__(self) -> Iterator[tuple[Hashable, Draft]]:
        return iter(tuple(self._present.items()))

    @property
    def unfinished(self) -> tuple[Hashable, ...]:
        """The planes on which there are clicks."""
        return tuple(plane for plane, draft in self if draft.clicks)

    def on(self, plane: Hashable) -> Draft:
        """The draft of a plane; a blank one if nothing was begun there."""
        return self._present.get(plane, BLANK)

    def put(self, plane: Hashable, draft: Draft) -> None:
        """Take another draft for a plane."""
        if draft.blank:
            self._present.pop(plane, None)
        else:
            self._present[plane] = draft

    def forget(self, plane: Hashable) -> None:
        """Let go of the draft of a plane."""
        self._present.pop(plane, None)

    def fill(self, prompt: Prompt, proposals: Proposals) -> bool:
        """Give an answer to the draft of its plane; False if it does not wait for it."""
        draft = self.on(prompt.plane)
        answered = draft.answer_if_asked(prompt, proposals)
        self.put(prompt.plane, answered)
        return answered is not draft
