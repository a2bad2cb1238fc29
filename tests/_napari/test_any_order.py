"""Whatever the user does, in any order: no exception, no wrong plane, no lost label.

Set PICLICK_EXAMPLES to try more than a few: 300 take some ten minutes.
"""

from __future__ import annotations

import itertools
import os
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from napari.components import ViewerModel
from napari.layers import Image, Labels, Points
from scipy import ndimage
from tests._napari.conftest import PatientJobs, click_at
from tests.conftest import FloodPredictor

from napari_piclick._napari.controller import Controller
from napari_piclick.session.engine import Engine
from napari_piclick.session.place import Place
from napari_piclick.session.write_object import mask_on

EXAMPLES = int(os.environ.get("PICLICK_EXAMPLES", "6"))
SHAPE = (5, 12, 14)

ORDERS = list(itertools.permutations(range(3)))
OBJECT_ACTIONS = ("delete", "merge", "fill_holes", "keep_largest", "smooth", "classify", "reopen")
#: What the user does, and how often of a hundred times.
OFTEN = {
    "click": 22,
    "answer": 20,
    "accept": 11,
    "undo": 8,
    "redo": 5,
    "paint": 5,
    "pick": 4,
    "change_object": 4,
    "hover": 4,
    "color": 1,
    "slide": 4,
    "choose": 3,
    "answer_late": 2,
    "roll": 2,
    "cancel": 1,
    "overwrite": 1,
    "naparis_own_undo": 3,
    "take_other_labels": 1,
    "add_labels": 1,
    "look": 1,
    "remove_layer": 1,
    "rename_layer": 1,
    "select_layer": 1,
    "add_image": 1,
    "take_other_image": 1,
    "move_image": 1,
    "propagate": 3,
    "follow_on": 5,
    "change_volume": 2,
}
actions = st.sampled_from([name for name, often in OFTEN.items() for _ in range(often)])
shares = st.tuples(*[st.floats(0, 0.999)] * 3)


def volume() -> np.ndarray:
    """Boxes with values of their own."""
    data = np.zeros(SHAPE, np.uint8)
    data[1:4, 1:6, 2:8] = 60
    data[:, 7:11, 1:5] = 120
    data[2:5, 2:11, 9:13] = 200
    return data


class Snapshot:
    """All that undo must give back."""

    def __init__(self, controller: Controller, viewer: ViewerModel) -> None:
        layers = [layer for layer in viewer.layers if isinstance(layer, Labels)]
        own = controller.overlay.layers
        self.labels = {layer: layer.data.copy() for layer in layers if layer not in own}
        session = controller.session
        self.drafts = {place: (draft.clicks, draft.label) for place, draft in session.ledger.drafts}
        self.records = {
            layer: set(session.ledger.records(target))
            for layer in self.labels
            if (target := target_of(controller, layer)) is not None
        }

    def check(self, now: Snapshot, *, labels: bool = True) -> None:
        if labels:
            for layer in set(self.labels) & set(now.labels):
                assert self.labels[layer].dtype == now.labels[layer].dtype
                np.testing.assert_array_equal(self.labels[layer], now.labels[layer])
        assert self.drafts == now.drafts
        for layer in set(self.records) & set(now.records):
            assert self.records[layer] == now.records[layer]


def target_of(controller: Controller, layer: Labels) -> Any:
    followed = controller.labels.destination._known.get(layer)
    return None if followed is None else followed.target


class AnyOrder(RuleBasedStateMachine):
    """A user, and the rules that must hold whatever they do."""

    def __init__(self) -> None:
        super().__init__()
        self.viewer = ViewerModel()
        self.predictor = FloodPredictor()
        self.jobs = PatientJobs(Engine(lambda: self.predictor))
        self.late: list[tuple] = []
        self.before: list[Snapshot | None] = []
        self.undone: list[Snapshot | None] = []

    @initialize()
    def open(self) -> None:
        self.viewer.add_image(volume(), name="volume", scale=(3, 1, 1))
        self.viewer.dims.set_current_step(0, 2)
        self.controller = Controller(self.viewer, self.jobs)
        self.session = self.controller.session
        self.start = self.now()

    def now(self) -> Snapshot:
        return Snapshot(self.controller, self.viewer)

    @property
    def level(self) -> int:
        return len(self.session.ledger.timeline.past)

    def done(self, start: Snapshot, level: int) -> None:
        """Remember what was before a step, if there was one."""
        if self.level > level:
            assert self.level == level + 1
            self.before.append(start)
            self.undone.clear()
        elif self.level < level:  # a layer took its steps with it
            self.before = [None] * self.level
            self.undone = [None] * len(self.session.ledger.timeline.future)

    def labels_unchanged(self, start: Snapshot) -> None:
        for layer, data in self.now().labels.items():
            if layer in start.labels:
                np.testing.assert_array_equal(data, start.labels[layer])

    @rule(action=actions, share=shares, number=st.integers(0, 6), flag=st.booleans())
    def act(self, action: str, share: tuple, number: int, flag: bool) -> None:
        self.share, self.number, self.flag = share, number, flag
        getattr(self, action)()

    # -- clicks ---------------------------------------------------------------------------

    def click(self) -> None:
        start, level = self.now(), self.level
        self.controller.start()
        if self.controller.image is not None:
            click_at(self.viewer, self.position(), 2 if self.number == 6 else 1)
        self.labels_unchanged(start)
        self.done(start, level)

    def pick(self) -> None:
        start, level = self.now(), self.level
        self.controller.start()
        if self.controller.image is not None:
            click_at(self.viewer, self.position(), 1, ("Control",))
        self.labels_unchanged(start)
        self.done(start, level)

    def answer(self) -> None:
        start, level = self.now(), self.level
        if self.jobs.waiting is not None:
            self.late.append(self.jobs.waiting)
            waits = self.controller.accept_waits
            self.jobs.work()
            if waits:
                self.check_accept(start, level)
                return
        self.labels_unchanged(start)
        self.done(start, level)

    def answer_late(self) -> None:
        if not self.late:
            return
        start, level = self.now(), self.level
        waits = self.controller.accept_waits
        self.jobs.answer(*self.late[-1 - self.number % len(self.late)])
        if waits and not self.controller.accept_waits:
            self.check_accept(start, level)
            return
        self.labels_unchanged(start)
        self.done(start, level)

    def choose(self) -> None:
        start, level = self.now(), self.level
        self.controller.choose(self.number)
        self.labels_unchanged(start)
        self.done(start, level)

    def cancel(self) -> None:
        start, level = self.now(), self.level
        self.controller.cancel()
        self.labels_unchanged(start)
        self.done(start, level)

    def accept(self) -> None:
        start, level = self.now(), self.level
        self.controller.accept()
        self.check_accept(start, level)

    def check_accept(self, start: Snapshot, level: int) -> None:
        """An object lands on its plane alone, and takes from others only what it may."""
        written = self.controller.written
        if self.level > level:
            target, plane = self.controller.target, self.controller.plane
            data = target.data
            old = start.labels.get(target, np.zeros_like(data))
            changed = np.stack(np.nonzero(data != old), -1)
            assert (changed[:, list(plane.hidden)] == plane.index).all()
            values = data[data != old]
            assert set(values.tolist()) <= {written.label, 0}
            gone = old[(data == 0) & (old != 0)]
            assert set(gone.tolist()) <= {written.label}
            if not self.controller.labels.overwrite:
                others = (old != 0) & (old != written.label)
                np.testing.assert_array_equal(data[others], old[others])
        self.done(start, level)

    def overwrite(self) -> None:
        self.controller.labels.overwrite = self.flag

    # -- undo -----------------------------------------------------------------------------

    def undo(self) -> None:
        for _ in range(1 + self.number % 4):
            start, level = self.now(), self.level
            self.controller.undo()
            self.walked(self.before, self.undone, start, level - self.level)

    def redo(self) -> None:
        for _ in range(1 + self.number % 4):
            start, level = self.now(), self.level
            self.controller.redo()
            self.walked(self.undone, self.before, start, self.level - level)

    def walked(
        self,
        ahead: list[Snapshot | None],
        behind: list[Snapshot | None],
        start: Snapshot,
        steps: int,
    ) -> None:
        expected = None
        assert steps <= len(ahead)
        for step in range(steps):
            expected = ahead.pop()
            behind.append(start if step == 0 and steps == 1 else None)
        if expected is not None and steps == 1:
            expected.check(self.now())
        elif steps == 0:
            self.labels_unchanged(start)

    # -- labels ---------------------------------------------------------------------------

    def paint(self) -> None:
        target = self.controller.target
        if target is None or self.viewer.dims.ndisplay != 2:
            return
        start, level = self.now(), self.level
        target.brush_size = 1 + self.number
        target.n_edit_dimensions = 2
        draft = self.session.draft.label
        label = draft if self.flag and draft is not None else self.number % 5
        target.paint(target.world_to_data(self.position()), label)
        self.done(start, level)

    def naparis_own_undo(self) -> None:
        target = self.controller.target
        if target is not None:
            start, level = self.now(), self.level
            target.redo() if self.flag else target.undo()
            if not np.array_equal(start.labels[target], target.data):
                assert self.level == level + 1, "what napari takes back is a step like any other"
            self.done(start, level)

    def change_object(self) -> None:
        start, level = self.now(), self.level
        actions, target = self.controller.labels, self.controller.target
        label, other = 1 + int(self.share[0] * 3), 1 + int(self.share[1] * 3)
        what = OBJECT_ACTIONS[self.number]
        if what == "merge":
            actions.merge(label, other)
        elif what == "classify":
            actions.classify(label, f"kind {other}")
        elif what in ("delete", "reopen"):
            getattr(actions, what)(label)
        else:
            getattr(actions, what)(label, whole=self.flag)
        if target is not None and target in start.labels:
            old = start.labels[target]
            others = (old != label) & (old != 0)
            np.testing.assert_array_equal(target.data[others], old[others])
        self.done(start, level)

    # -- volumes --------------------------------------------------------------------------

    def propagate(self) -> None:
        """What is unfinished is kept first; slices come later, see `follow_on`."""
        start, level = self.now(), self.level
        self.controller.volume.propagate(((1, -1), (1,), (-1,))[self.number % 3])
        self.done(start, level)

    def change_volume(self) -> None:
        start, level = self.now(), self.level
        volume = self.controller.volume
        what = (volume.interpolate, volume.clear_slice, volume.correct, volume.cancel)
        what[self.number % 4]()
        self.others_unchanged(start)
        self.done(start, level)

    def follow_on(self) -> None:
        """Some slices of an object that is followed; all of them are one step."""
        start, level = self.now(), self.level
        self.jobs.streams[0].work(1 + 2 * self.number)
        self.others_unchanged(start)
        self.done(start, level)
        if self.level == level:  # they may have come to a step that was there already
            self.undone = [None] * len(self.undone)

    def others_unchanged(self, start: Snapshot) -> None:
        """Of all labels, only those of the object that is followed may change."""
        followed = self.controller.volume.selected.known
        mine = None if followed is None else followed.labels.layer
        for layer, data in self.now().labels.items():
            old = start.labels.get(layer, data)
            others = old != data if layer is not mine else (old != 0) & (old != followed.label)
            np.testing.assert_array_equal(data[others], old[others])

    def color(self) -> None:
        start, level = self.now(), self.level
        self.controller.class_colors.switch(self.flag)
        self.jobs.streams[2].work()
        start.check(self.now())
        self.done(start, level)

    def hover(self) -> None:
        """Nothing of a live preview is kept, and it shows what is under the mouse."""
        start, level, live = self.now(), self.level, self.controller.live
        live.switch(self.number < 5)
        if live.on and self.controller.image is not None:
            place = self.position()
            world = np.zeros(self.viewer.dims.ndim)
            world[-len(place) :] = place
            live.look(world, frozenset({"Shift"} if self.flag else ()))
        if self.number != 4:  # else it is still to come, whatever is done next
            self.jobs.streams[3].work()
        start.check(self.now())
        self.done(start, level)

    def take_other_labels(self) -> None:
        layers = [None, *self.controller.labels.offered]
        start, level = self.now(), self.level
        self.controller.labels.set_target(layers[self.number % len(layers)])
        self.labels_unchanged(start)
        self.done(start, level)

    def add_labels(self) -> None:
        image = self.controller.image
        if image is not None and len(self.viewer.layers) < 9:
            data = np.zeros(image.data.shape, np.uint8 if self.flag else np.int32)
            data[..., 2:6, 2:6] = 254
            self.viewer.add_labels(data, scale=image.scale)

    # -- the view -------------------------------------------------------------------------

    def slide(self) -> None:
        start = self.now()
        axis = self.viewer.dims.order[0]
        last = self.viewer.dims.nsteps[axis] - 1
        self.viewer.dims.set_current_step(axis, round(self.share[0] * last))
        start.check(self.now())

    def roll(self) -> None:
        start = self.now()
        if self.viewer.dims.ndim == 3:
            self.viewer.dims.order = ORDERS[self.number % len(ORDERS)]
        start.check(self.now())

    def look(self) -> None:
        start = self.now()
        self.viewer.dims.ndisplay = 3 if self.flag else 2
        start.check(self.now())

    def remove_layer(self) -> None:
        layers = list(self.viewer.layers)
        if layers:
            level = self.level
            start = self.now()
            self.viewer.layers.remove(layers[self.number % len(layers)])
            self.labels_unchanged(start)
            if self.level != level or len(self.undone) != len(self.session.ledger.timeline.future):
                self.before = [None] * self.level
                self.undone = [None] * len(self.session.ledger.timeline.future)
            else:
                self.before = [None] * len(self.before)
                self.undone = [None] * len(self.undone)

    def rename_layer(self) -> None:
        layers = list(self.viewer.layers)
        if layers:
            layers[self.number % len(layers)].name = f"name {self.number}"

    def select_layer(self) -> None:
        layers = list(self.viewer.layers)
        if layers:
            self.viewer.layers.selection.active = layers[self.number % len(layers)]

    def add_image(self) -> None:
        if len(self.viewer.layers) < 9:
            self.viewer.add_image(volume()[2] if self.flag else volume()[:, ::-1].copy())

    def take_other_image(self) -> None:
        images = [layer for layer in self.viewer.layers if isinstance(layer, Image)]
        if images:
            self.controller.set_image(images[self.number % len(images)])

    def move_image(self) -> None:
        image = self.controller.image
        if image is not None:
            scale = (3, 1, 1) if self.flag else (1, 2, 2)
            image.scale = scale[-image.ndim :]

    def position(self) -> np.ndarray:
        """A place in the plane in view, in world coordinates."""
        image = self.controller.image
        size = np.array(image.data.shape[: image.ndim])
        place = np.round(np.array(self.share[-image.ndim :]) * (size - 1))
        plane = self.controller.plane
        if plane is not None:
            place[list(plane.hidden)] = plane.index
        world = np.zeros(self.viewer.dims.ndim)
        world[-image.ndim :] = image.data_to_world(place)
        return world[-image.ndim :]

    # -- what must hold -------------------------------------------------------------------

    @invariant()
    def what_is_shown_belongs_to_this_plane_and_these_clicks(self) -> None:
        if not hasattr(self, "controller") or self.controller.plane is None:
            return
        shown, draft = self.session.proposals, self.session.draft
        if shown is None or self.session.question is not None or draft.painted:
            return
        plane = self.controller.plane
        positive = next((click for click in draft.clicks if click.positive), None)
        if positive is None:
            return
        pixels = np.asarray(plane.cut(self.controller.image.data))
        alike, _ = ndimage.label(pixels == pixels[positive.pixel])
        expected = alike == alike[positive.pixel]
        for click in draft.clicks:
            if not click.positive:
                expected[click.pixel] = False
        np.testing.assert_array_equal(shown.plane_mask(0), expected)

    @invariant()
    def what_is_foreseen_belongs_to_this_plane_and_these_clicks(self) -> None:
        if not hasattr(self, "controller"):
            return
        shown, plane = self.controller.overlay._foreseen, self.controller.plane
        if shown is None:
            assert not any(
                (layer.data > 1).any()
                for layer in self.controller.overlay.layers
                if isinstance(layer, Labels)
            )
            return
        assert self.controller.live.on
        assert plane is not None
        assert shown.plane_shape == plane.shape
        assert self.session.question is None
        asked = self.predictor.glances[-1]
        assert asked[:-1] == self.session.clicks

    @invariant()
    def what_is_drawn_is_what_is_known(self) -> None:
        if not hasattr(self, "controller"):
            return
        names = [layer.name for layer in self.viewer.layers]
        clicks = self.session.clicks if self.controller.plane is not None else ()
        drawn = any(isinstance(layer, Points) for layer in self.controller.overlay.layers)
        if drawn and self.controller.plane is not None:
            shown = self.controller.overlay.read_clicks()
            assert [click.positive for click in clicks] == [click.positive for click in shown]
            if clicks:
                places = [(click.row, click.col) for click in shown]
                np.testing.assert_allclose(places, [(c.row, c.col) for c in clicks])
        elif drawn:
            assert not self.controller.overlay.layers[-1].data.size
        assert len(names) == len(set(names))
        assert self.session.plane is None or isinstance(self.session.plane, Place)

    @invariant()
    def the_table_knows_what_is_there(self) -> None:
        index = self.session.objects.index if hasattr(self, "controller") else None
        if index is not None:
            labels, counts = np.unique(self.session.labels.data, return_counts=True)
            there = {k: n for k, n in zip(labels.tolist(), counts.tolist(), strict=True) if k}
            assert {label: index[label].voxels for label in index} == there

    @invariant()
    def the_object_that_is_refined_is_where_the_labels_have_it(self) -> None:
        if not hasattr(self, "controller"):
            return
        draft, labels = self.session.draft, self.session.labels
        plane = self.controller.plane
        undisturbed = None not in self.before
        if draft.label is not None and draft.labels is labels and plane and undisturbed:
            mask = mask_on(labels.data, plane, draft.label)
            start = np.zeros(plane.shape, bool) if draft.start is None else draft.start
            np.testing.assert_array_equal(start, mask)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
