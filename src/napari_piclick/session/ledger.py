"""The ledger: what there is now, and how it came to be, so that any of it can be undone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from psygnal import Signal

from napari_piclick.session.drafts import Drafts
from napari_piclick.session.label_edit import LabelEdit
from napari_piclick.session.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from napari_piclick.proposals import Proposals
    from napari_piclick.session.draft import Draft
    from napari_piclick.session.label_map import LabelMap
    from napari_piclick.session.prompt import Prompt
    from napari_piclick.session.record import Record
    from napari_piclick.session.step import Step

#: So many answers around the present are kept whole; further ones are asked again when needed.
KEPT_ANSWERS = 4


class Ledger:
    """Unfinished objects, records of finished ones, and one timeline for all of it.

    Parameters
    ----------
    moved : callable
        Called after every step, forwards or back.

    Attributes
    ----------
    drafts : Drafts
    timeline : Timeline of Step
    edited : psygnal.Signal
        Emitted with (labels, edit) for every change of labels as it was made, undo included.
    drafted : psygnal.Signal
        Emitted with (plane, draft) for every change of an unfinished object.
    recorded : psygnal.Signal
        Emitted with (labels, id, record) for every change of what is known about an object.
    """

    edited = Signal(object, object)
    drafted = Signal(object, object)
    recorded = Signal(object, int, object)

    def __init__(self, moved: Callable[[], None]) -> None:
        self._moved = moved
        self.drafts = Drafts()
        self.timeline: Timeline[Step] = Timeline()
        self._records: WeakKeyDictionary[LabelMap, dict[int, Record]] = WeakKeyDictionary()

    def records(self, labels: LabelMap | None) -> Mapping[int, Record]:
        """What is known about the objects in labels, by id."""
        return {} if labels is None else self._records.get(labels, {})

    def do(self, step: Step, into: Step | None = None) -> Step:
        """Do a step, and remember it.

        Parameters
        ----------
        step : Step
        into : Step, optional
            An earlier step that this one is to be undone together with. If it is not the last
            one any more, this one stands for itself.

        Returns
        -------
        Step
            The step as it is remembered: its edits are those that could be made.

        Raises
        ------
        LabelsError
            If labels cannot be changed; then nothing is.
        """
        done = replace(step, edits=self._make(step))
        self._take(done, back=False)
        return self._remember(done, into)

    def note(self, step: Step) -> Step:
        """Remember a step whose edits somebody else has made already."""
        for edit in step.edits:
            self.edited.emit(step.labels, edit)
        self._take(step, back=False)
        return self._remember(step)

    def undo(self) -> Step | None:
        """Take the last step back that still changes anything; None if there is none.

        Raises
        ------
        LabelsError
            If labels cannot be changed; then nothing is.
        """
        while (step := self.timeline.last) is not None:
            now = self._as_it_is(step, back=True)
            changed = self._walk(step, back=True)
            self.timeline = self.timeline.amend(now).undo()
            self._lighten()
            if changed:
                self._moved()
                return step
        return None

    def redo(self) -> Step | None:
        """Do the next undone step again that still changes anything; see `undo`."""
        while (step := self.timeline.next) is not None:
            now = self._as_it_is(step, back=False)
            changed = self._walk(step, back=False)
            self.timeline = self.timeline.redo().amend(now)
            self._lighten()
            if changed:
                self._moved()
                return step
        return None

    def earlier(self, plane: Hashable) -> tuple[Draft, ...]:
        """The drafts that a plane had before, the latest first."""
        steps = (step for step in reversed(self.timeline.past) if plane in step.drafts)
        return tuple(step.drafts[plane][0] for step in steps)

    def fill(self, prompt: Prompt, proposals: Proposals) -> bool:
        """Give an answer to all drafts, present, past or undone, that wait for it."""
        before = self.timeline
        self.timeline = before.map(
            lambda step: step.map_drafts(
                lambda draft: draft.answer_if_asked(prompt, proposals), prompt.plane
            )
        )
        filled = self.drafts.fill(prompt, proposals)
        filled |= any(
            new is not old
            for new, old in zip(
                (*self.timeline.past, *self.timeline.future),
                (*before.past, *before.future),
                strict=True,
            )
        )
        self._lighten()
        return filled

    def rest(self, plane: Hashable) -> None:
        """Let go of the earlier answers of a plane that is left."""
        self.timeline = self.timeline.map(
            lambda step: step.map_drafts(lambda draft: draft.unanswered(), plane)
        )

    def forget_plane(self, plane: Hashable) -> bool:
        """Let go of all that happened on a plane; False if that was nothing."""
        known = not self.drafts.on(plane).blank or plane in self.planes
        self.drafts.forget(plane)
        self.timeline = self.timeline.map(lambda step: step.without_plane(plane))
        return known

    def forget_labels(self, labels: LabelMap) -> None:
        """Let go of all that happened to labels that are gone."""
        self._records.pop(labels, None)
        self.timeline = self.timeline.map(lambda step: step.without_labels(labels))
        self.timeline = self.timeline.map(
            lambda step: step.map_drafts(lambda draft: draft.without_labels(labels))
        )
        for plane, draft in self.drafts:
            self._put(plane, draft.without_labels(labels))

    @property
    def planes(self) -> tuple[Hashable, ...]:
        """The planes on which there is anything, even if only to undo."""
        steps = (*self.timeline.past, *self.timeline.future)
        places = (plane for step in steps for plane in (*step.drafts, step.place))
        present = (plane for plane, _ in self.drafts)
        return tuple(dict.fromkeys(p for p in (*present, *places) if p is not None))

    # -- inside ---------------------------------------------------------------------------

    def _remember(self, step: Step, into: Step | None = None) -> Step:
        last = self.timeline.last
        if into is not None and into is last and step.labels is into.labels:
            step = replace(
                into,
                edits=(*into.edits, *step.edits),
                drafts=_over(into.drafts, step.drafts),
                records=_over(into.records, step.records),
            )
            self.timeline = self.timeline.amend(step)
        else:
            self.timeline = self.timeline.push(step)
        self._lighten()
        self._moved()
        return step

    def _as_it_is(self, step: Step, *, back: bool) -> Step:
        """The step with the drafts that are left by it as they are now, answers and all."""
        drafts = {
            plane: (before, self.drafts.on(plane)) if back else (self.drafts.on(plane), after)
            for plane, (before, after) in step.drafts.items()
        }
        return replace(step, drafts=drafts)

    def _make(self, step: Step) -> tuple[LabelEdit, ...]:
        if step.labels is None:
            return ()
        made = []
        for edit in step.edits:
            done = edit.apply(step.labels)
            self.edited.emit(step.labels, done)
            made.append(done)
        return tuple(made)

    def _walk(self, step: Step, *, back: bool) -> bool:
        """Take a step back or do it again; False if nothing changed by it."""
        changed = False
        edits = LabelEdit.side_by_side(step.edits)
        for edit in reversed(edits) if back else edits:
            if step.labels is not None:
                done = edit.revert(step.labels) if back else edit.apply(step.labels)
                if len(done):
                    changed = True
                    self.edited.emit(step.labels, done)
        return self._take(step, back=back) or changed

    def _take(self, step: Step, *, back: bool) -> bool:
        """Take the drafts and records of a step; False if there are none."""
        side = 0 if back else 1
        for plane, drafts in step.drafts.items():
            self._put(plane, drafts[side])
        if step.labels is not None and step.records:
            known = self._records.setdefault(step.labels, {})
            for label, pair in step.records.items():
                record = pair[side]
                if record is None:
                    known.pop(label, None)
                else:
                    known[label] = record
                self.recorded.emit(step.labels, label, record)
        return bool(step.drafts or step.records)

    def _put(self, plane: Hashable, draft: Draft) -> None:
        if draft is not self.drafts.on(plane):
            self.drafts.put(plane, draft)
            self.drafted.emit(plane, draft)

    def _lighten(self) -> None:
        """Let go of answers some steps from the present."""
        past, future = self.timeline.past, self.timeline.future
        keep = KEPT_ANSWERS - 1
        self.timeline = Timeline(
            (*(_light(step) for step in past[:-keep]), *past[-keep:]),
            (*future[:keep], *(_light(step) for step in future[keep:])),
        )


def _light(step: Step) -> Step:
    return step.map_drafts(lambda draft: draft.unanswered())


def _over(first: Mapping, second: Mapping) -> dict:
    """Pairs of (before, after) of two steps in a row as those of one."""
    joined = dict(first)
    for key, (before, after) in second.items():
        joined[key] = (joined[key][0] if key in joined else before, after)
    return joined
