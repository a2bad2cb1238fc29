"""Which unfinished objects an edit of labels changes: what is painted on them is not lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_piclick.session.place import Place

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_piclick.session.draft import Draft
    from napari_piclick.session.drafts import Drafts
    from napari_piclick.session.label_edit import LabelEdit
    from napari_piclick.session.label_map import LabelMap


def touched(
    drafts: Drafts, edit: LabelEdit, labels: LabelMap, but: Hashable = None
) -> dict[Hashable, tuple[Draft, Draft]]:
    """The drafts of objects that an edit changes as well, before and after it, by plane.

    Parameters
    ----------
    drafts : Drafts
    edit : LabelEdit
    labels : LabelMap
        What it changes.
    but : hashable, optional
        A plane to leave out.
    """
    changed = {}
    for place, draft in drafts:
        if draft.label is not None and draft.labels is labels and place != but:
            after = _touch(draft, place, edit)
            if after is not draft:
                changed[place] = (draft, after)
    return changed


def _touch(draft: Draft, place: Hashable, edit: LabelEdit) -> Draft:
    """The draft of an object after an edit of the labels, where that is on its plane."""
    took, gave = edit.after == draft.label, edit.before == draft.label
    which = took | gave
    if not which.any():
        return draft
    voxels = np.stack(edit.voxels, -1)[which]
    if isinstance(place, Place):
        plane = place.plane
        here = (voxels[:, list(plane.hidden)] == plane.index).all(-1)
        rows, cols = voxels[here][:, list(plane.displayed)].T
        shape = plane.shape
    else:
        here = np.ones(len(voxels), bool)
        rows, cols = voxels.T
        shape = (edit.shape[0], edit.shape[1])
    if not len(rows):
        return draft
    return draft.paint((rows, cols), took[which][here], shape)
