"""Restoring: what a journal or a file tells, brought back into a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_piclick.session.draft import Draft
from napari_piclick.session.step import Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.recovery import Recovered, RecoveredLabels
    from napari_piclick.session.session import Session


def restore(
    session: Session,
    found: Recovered,
    labels_for: Callable[[RecoveredLabels], LabelMap | None],
) -> int:
    """Bring back what a journal tells; one undo for each label map takes it away again.

    Parameters
    ----------
    session : Session
    found : Recovered
    labels_for : callable
        Gives the labels to restore into; None to leave them out. It is asked about all labels
        of which anything is told, be it only classes, or that one of their objects was taken up.

    Returns
    -------
    int
        How many finished objects came back.

    Raises
    ------
    LabelsError
        If labels cannot be written.
    """
    refined = {kept.labels for kept in found.drafts.values()}
    homes: dict[int, LabelMap] = {}
    objects = 0
    for number, lost in found.labels.items():
        wanted = lost.edits or lost.records or number in refined
        labels = labels_for(lost) if wanted else None
        if labels is None:
            continue
        homes[number] = labels
        for record in lost.records.values():
            session.objects.classes.add(record.kind)
        if lost.edits or lost.records:
            known = session.ledger.records(labels)
            records = {label: (known.get(label), record) for label, record in lost.records.items()}
            edits = (lost.edit_of(labels.data),) if lost.edits else ()
            session.ledger.do(
                Step("recovered objects", edits=edits, records=records, labels=labels)
            )
        objects += len(lost.records)
    drafts = {}
    for place, kept in found.drafts.items():
        home = None if kept.labels is None else homes.get(kept.labels)
        label = None if home is None else kept.label
        draft = Draft(
            kept.clicks,
            kept.start,
            choice=next((k for after, k in kept.choices if after == len(kept.clicks)), None),
            label=label,
            labels=home,
            start=kept.start,
            choices=kept.choices,
        )
        drafts[place] = (session.ledger.drafts.on(place), draft)
    if drafts:
        session.ledger.do(Step("recovered clicks", next(iter(drafts)), drafts))
    return objects
