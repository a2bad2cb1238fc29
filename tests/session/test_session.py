from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from napari_piclick.clicks import Click
from napari_piclick.proposals import Proposals
from napari_piclick.region import Region
from napari_piclick.session import LabelEdit, LabelsError, Prompt, Session
from napari_piclick.session.ledger import KEPT_ANSWERS

if TYPE_CHECKING:
    from tests.conftest import FloodPredictor

SHAPE = (40, 50)


def answer_to(prompt: Prompt, shape: tuple[int, int] = SHAPE) -> Proposals:
    """Seven proposals that tell by their size how many clicks they answer."""
    masks = np.zeros((7, *shape), np.float32)
    for k in range(7):
        masks[k, : len(prompt.clicks), : 3 + 4 * k] = 1
    iou = np.linspace(0.9, 0.3, 7, dtype=np.float32)
    return Proposals(masks, Region.whole(shape), shape, iou, np.ones(7, np.float32))


@pytest.fixture
def asking() -> Session:
    """A session without a predictor, on a plane."""
    session = Session()
    session.show("plane", SHAPE)
    return session


class TestWithAPredictor:
    @pytest.fixture
    def session(self, predictor: FloodPredictor, blocks: np.ndarray) -> Session:
        session = Session(predictor)
        session.set_image(blocks[5], key="five")
        return session

    def test_a_click_gives_the_object(self, session: Session, blocks: np.ndarray) -> None:
        session.click(10, 10)
        np.testing.assert_array_equal(session.mask(), blocks[5] == 60)

    def test_a_choice_gives_another_mask(self, session: Session, blocks: np.ndarray) -> None:
        session.click(10, 10)
        assert session.choose(2)
        assert session.mask().sum() > (blocks[5] == 60).sum()
        assert session.proposals is not None
        assert session.proposals.chosen_by == "user"

    def test_every_click_so_far_is_asked_with_the_chosen_mask(
        self, session: Session, predictor: FloodPredictor
    ) -> None:
        session.click(10, 10)
        session.choose(3)
        chosen = session.mask()
        session.click(6, 6, positive=False)
        assert predictor.questions[-1] == (Click(10, 10), Click(6, 6, False))
        previous = predictor.previous[-1]
        assert len(previous) == 1
        np.testing.assert_array_equal(previous.plane_mask(), chosen)

    def test_undo_and_redo_walk_through_clicks_and_choices(self, session: Session) -> None:
        masks = [session.mask()]
        session.click(10, 10)
        masks.append(session.mask())
        session.choose(4)
        masks.append(session.mask())
        session.click(6, 6, positive=False)
        masks.append(session.mask())
        assert not session.redo()
        for mask in reversed(masks[:-1]):
            assert session.undo()
            np.testing.assert_array_equal(session.mask(), mask)
        assert not session.undo()
        for mask in masks[1:]:
            assert session.redo()
            np.testing.assert_array_equal(session.mask(), mask)

    def test_a_choice_outlives_answers_that_were_let_go(self, session: Session) -> None:
        session.click(10, 10)
        session.choose(4)
        mask = session.mask()
        for column in range(8, 8 + 2 * KEPT_ANSWERS):
            session.click(8, column)
        for _ in range(2 * KEPT_ANSWERS):
            session.undo()
        np.testing.assert_array_equal(session.mask(), mask)

    def test_only_a_few_answers_are_kept_whole(self, session: Session) -> None:
        for column in range(8, 20):
            session.click(8, column)
        earlier = session.ledger.earlier("five")
        assert len(earlier) == 12
        kept = [draft for draft in earlier if draft.proposals is not None]
        assert len(kept) < KEPT_ANSWERS

    def test_accept_hands_over_the_object_and_starts_afresh(
        self, session: Session, blocks: np.ndarray
    ) -> None:
        session.click(10, 10)
        accepted = session.accept()
        assert accepted is not None
        assert accepted.mask.sum() == (blocks[5] == 60).sum()
        assert accepted.prompt.clicks == (Click(10, 10),)
        assert (accepted.prompt.model, accepted.prompt.weights_hash) == ("flood", "0" * 64)
        assert session.clicks == ()
        assert not session.mask().any()

    def test_cancel_can_be_undone(self, session: Session) -> None:
        session.click(10, 10)
        mask = session.mask()
        assert session.cancel()
        assert not session.mask().any()
        assert not session.cancel()
        assert session.undo()
        np.testing.assert_array_equal(session.mask(), mask)

    def test_an_image_without_a_key_starts_afresh(
        self, session: Session, blocks: np.ndarray
    ) -> None:
        session.set_image(blocks[5])
        session.click(10, 10)
        session.set_image(blocks[5])
        assert session.clicks == ()
        assert session.unfinished == ()

    def test_an_unfinished_object_waits_for_its_image(
        self, session: Session, blocks: np.ndarray
    ) -> None:
        session.click(10, 10)
        mask = session.mask()
        session.set_image(blocks[6], key="six")
        assert not session.mask().any()
        assert session.unfinished == ("five",)
        session.set_image(blocks[5], key="five")
        np.testing.assert_array_equal(session.mask(), mask)
        assert session.can_undo

    def test_a_moved_click_is_predicted_afresh(
        self, session: Session, predictor: FloodPredictor, blocks: np.ndarray
    ) -> None:
        session.click(10, 10)
        session.set_clicks([Click(30, 12)])
        assert predictor.previous[-1] is None
        np.testing.assert_array_equal(session.mask(), blocks[5] == 120)
        session.undo()
        np.testing.assert_array_equal(session.mask(), blocks[5] == 60)


class TestWithoutAPredictor:
    def test_a_click_asks(self, asking: Session) -> None:
        question = asking.click(3, 4)
        assert question is not None
        assert (question.plane, question.clicks) == ("plane", (Click(3, 4),))
        assert asking.proposals is None

    def test_nothing_is_asked_before_a_click_on_the_object(self, asking: Session) -> None:
        assert asking.click(3, 4, positive=False) is None
        question = asking.click(5, 6)
        assert question is not None
        assert question.clicks == (Click(3, 4, False), Click(5, 6))

    def test_clicks_made_in_the_meantime_are_all_asked(self, asking: Session) -> None:
        first = asking.click(3, 4)
        second = asking.click(5, 6)
        assert first is not None
        assert second is not None
        assert second.clicks == (Click(3, 4), Click(5, 6))
        assert asking.receive(first, answer_to(first))
        assert asking.question is not None, "the older answer must not pass for the newer"
        assert asking.proposals is not None
        assert asking.proposals.mask().sum() == 3, "but it is shown until the newer comes"
        assert asking.receive(second, answer_to(second))
        assert asking.question is None
        assert asking.proposals.mask().sum() == 6

    def test_an_older_answer_never_replaces_a_newer(self, asking: Session) -> None:
        first = asking.click(3, 4)
        second = asking.click(5, 6)
        assert first is not None
        assert second is not None
        asking.receive(second, answer_to(second))
        newer = asking.proposals
        asking.receive(first, answer_to(first))
        assert asking.proposals is newer

    def test_an_answer_for_a_plane_that_was_left_is_dropped(self, asking: Session) -> None:
        question = asking.click(3, 4)
        assert question is not None
        asking.show("other", SHAPE)
        assert not asking.receive(question, answer_to(question))
        assert asking.proposals is None
        asking.show("plane", SHAPE)
        assert asking.proposals is None
        assert asking.question is not None, "and asked again on the way back"

    def test_an_answer_to_clicks_that_were_taken_back_is_dropped(self, asking: Session) -> None:
        question = asking.click(3, 4)
        assert question is not None
        asking.undo()
        asking.click(7, 8)
        assert not asking.receive(question, answer_to(question))
        assert asking.proposals is None

    def test_an_answer_to_an_accepted_object_is_dropped(self, asking: Session) -> None:
        question = asking.click(3, 4)
        assert question is not None
        asking.receive(question, answer_to(question))
        asking.accept()
        asking.click(7, 8)
        assert not asking.receive(question, answer_to(question))

    def test_an_answer_of_another_size_is_dropped(self, asking: Session) -> None:
        question = asking.click(3, 4)
        assert question is not None
        assert not asking.receive(question, answer_to(question, (9, 9)))

    def test_nothing_is_accepted_before_its_answer(self, asking: Session) -> None:
        first = asking.click(3, 4)
        assert first is not None
        asking.receive(first, answer_to(first))
        asking.click(5, 6)
        assert asking.accept() is None
        assert asking.clicks == (Click(3, 4), Click(5, 6))

    def test_nothing_is_chosen_that_is_not_there(self, asking: Session) -> None:
        assert not asking.choose(0)
        question = asking.click(3, 4)
        assert question is not None
        assert not asking.choose(0)
        asking.receive(question, answer_to(question))
        assert not asking.choose(7)
        assert not asking.choose(-1)

    def test_the_model_signs_its_answer(self, asking: Session) -> None:
        question = asking.click(3, 4)
        assert question is not None
        asking.receive(question.answered_by("tiny", "abc"), answer_to(question))
        accepted = asking.accept()
        assert accepted is not None
        assert (accepted.prompt.model, accepted.prompt.weights_hash) == ("tiny", "abc")

    @pytest.mark.parametrize("place", [(-1, 3), (3, -1), (40, 3), (3, 50)])
    def test_a_click_outside_is_refused_and_nothing_changes(
        self, asking: Session, place: tuple[float, float]
    ) -> None:
        with pytest.raises(ValueError, match="outside"):
            asking.click(*place)
        assert asking.clicks == ()
        assert not asking.can_undo

    def test_without_an_image_every_request_is_harmless(self) -> None:
        session = Session()
        with pytest.raises(ValueError, match="no image"):
            session.click(1, 1)
        with pytest.raises(ValueError, match="no image"):
            session.mask()
        assert not any([session.undo(), session.redo(), session.cancel(), session.choose(0)])
        assert session.accept() is None

    def test_forget_lets_go(self, asking: Session) -> None:
        asking.click(3, 4)
        asking.forget("plane")
        assert asking.clicks == ()
        assert not asking.can_undo


class AnyOrder(RuleBasedStateMachine):
    """Clicks, choices, undo, planes and answers in any order; answers may come late or never."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session()
        self.session.show(0, SHAPE)
        self.asked: list[Prompt] = []

    @rule(row=st.integers(0, 39), col=st.integers(0, 49), positive=st.booleans())
    def click(self, row: int, col: int, positive: bool) -> None:
        before = self.session.clicks
        self.session.click(row, col, positive)
        assert self.session.clicks == (*before, Click(row, col, positive))
        self._ask()

    @rule(index=st.integers(-1, 8))
    def choose(self, index: int) -> None:
        if self.session.choose(index):
            assert self.session.proposals is not None
            assert self.session.proposals.chosen == index

    @rule()
    def undo_and_redo(self) -> None:
        clicks, question = self.session.clicks, self.session.question is None
        if self.session.undo():
            assert self.session.redo()
        assert self.session.clicks == clicks
        assert (self.session.question is None) == question

    @rule(forward=st.booleans())
    def move(self, forward: bool) -> None:
        possible = self.session.can_redo if forward else self.session.can_undo
        moved = self.session.redo() if forward else self.session.undo()
        assert (moved is not None) == possible
        self._ask()

    @rule()
    def cancel(self) -> None:
        self.session.cancel()
        assert self.session.clicks == ()
        assert self.session.proposals is None

    @rule(plane=st.integers(0, 2))
    def go(self, plane: int) -> None:
        self.session.show(plane, SHAPE)
        self._ask()

    @rule()
    def accept(self) -> None:
        clicks, answered = self.session.clicks, self.session.question is None
        accepted = self.session.accept()
        assert (accepted is not None) == (answered and any(c.positive for c in clicks))
        if accepted is not None:
            assert accepted.prompt.clicks == clicks
            assert accepted.prompt.plane == self.session.plane
            assert accepted.mask.any()

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        prompt = data.draw(st.sampled_from(self.asked))
        if prompt.plane != self.session.plane:
            assert not self.session.receive(prompt, answer_to(prompt))
        else:
            self.session.receive(prompt, answer_to(prompt))

    @invariant()
    def what_is_shown_answers_clicks_that_were_made(self) -> None:
        shown, clicks = self.session.proposals, self.session.clicks
        if shown is None:
            return
        answered = int(shown.mask(0)[:, 0].sum())
        if self.session.question is None and any(click.positive for click in clicks):
            assert answered == len(clicks)

    @invariant()
    def the_question_holds_all_clicks(self) -> None:
        question = self.session.question
        if question is not None:
            assert question.clicks == self.session.clicks
            assert question.plane == self.session.plane

    def _ask(self) -> None:
        if self.session.question is not None:
            self.asked.append(self.session.question)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_prompt_is_a_value_that_can_be_signed() -> None:
    prompt = Prompt("plane", (Click(1, 2),))
    signed = prompt.answered_by("tiny", "abc")
    assert (signed.plane, signed.clicks, signed.model) == ("plane", (Click(1, 2),), "tiny")
    assert replace(signed, model="").clicks == prompt.clicks


class TestWithLabels:
    """One undo for clicks, choices and labels, across planes."""

    @pytest.fixture
    def session(self, predictor: FloodPredictor, blocks: np.ndarray) -> Session:
        session = Session(predictor, labels=np.zeros(blocks.shape[1:], np.uint8))
        session.set_image(blocks[5], key="five")
        return session

    def test_accept_writes_and_undo_brings_labels_and_clicks_back(self, session: Session) -> None:
        session.click(10, 10)
        session.choose(2)
        mask = session.mask()
        accepted = session.accept()
        assert accepted is not None
        assert accepted.written is not None
        assert session.labels is not None
        labels = session.labels.data
        np.testing.assert_array_equal(labels, mask)
        assert session.objects.records[1].clicks == 1
        assert session.objects.records[1].makings["five"].choices == ((1, 2),)
        step = session.undo()
        assert step is not None
        assert (step.what, step.place) == ("object 1", "five")
        assert not labels.any()
        assert session.objects.records == {}
        np.testing.assert_array_equal(session.mask(), mask)
        assert session.redo()
        np.testing.assert_array_equal(labels, mask)
        assert session.clicks == ()

    def test_undo_goes_back_in_the_order_things_were_done(
        self, session: Session, blocks: np.ndarray
    ) -> None:
        session.click(10, 10)
        session.set_image(blocks[6], key="six")
        session.click(30, 12)
        session.set_image(blocks[5], key="five")
        session.choose(3)
        steps = [session.undo(), session.undo(), session.undo()]
        assert [(step.what, step.place) for step in steps if step] == [
            ("choice", "five"),
            ("click", "six"),
            ("click", "five"),
        ]
        assert session.undo() is None
        assert session.unfinished == ()
        while session.redo():
            pass
        assert set(session.unfinished) == {"five", "six"}
        assert session.proposals is not None
        assert session.proposals.chosen == 3

    def test_edits_can_be_one_step(self, session: Session) -> None:
        assert session.labels is not None
        data, step = session.labels.data, None
        for row in range(3):
            edit = LabelEdit.of(data, (np.array([row]), np.array([0])), 5)
            step = session.apply(edit, "propagation", into=step)
        assert (data == 5).sum() == 3
        session.click(10, 10)
        edit = LabelEdit.of(data, (np.array([3]), np.array([0])), 5)
        session.apply(edit, "propagation", into=step)
        session.undo()
        assert (data == 5).sum() == 3, "a click came in between"
        session.undo()
        session.undo()
        assert not data.any()
        assert session.undo() is None
        session.redo()
        assert (data == 5).sum() == 3

    def test_a_step_that_has_nothing_left_is_passed_over(self, session: Session) -> None:
        assert session.labels is not None
        data = session.labels.data
        session.click(10, 10)
        session.apply(LabelEdit.of(data, (np.array([0]), np.array([0])), 5))
        data[0, 0] = 8
        step = session.undo()
        assert step is not None
        assert step.what == "click"
        assert data[0, 0] == 8

    def test_labels_that_became_read_only_are_told_and_nothing_is_lost(
        self, session: Session
    ) -> None:
        session.click(10, 10)
        assert session.labels is not None
        session.labels.data.flags.writeable = False
        with pytest.raises(LabelsError, match="read-only"):
            session.accept()
        assert session.clicks
        session.labels.data.flags.writeable = True
        session.accept()
        session.labels.data.flags.writeable = False
        with pytest.raises(LabelsError, match="read-only"):
            session.undo()
        session.labels.data.flags.writeable = True
        assert session.undo()
        assert not session.labels.data.any()

    def test_labels_that_are_gone_take_their_steps_with_them(self, session: Session) -> None:
        session.click(10, 10)
        session.accept()
        assert session.labels is not None
        session.forget_labels(session.labels)
        assert session.labels is None
        step = session.undo()
        assert step is not None
        assert step.edits == ()
        assert session.clicks, "the clicks are still there"

    def test_there_must_be_labels_to_change(self, asking: Session) -> None:
        edit = LabelEdit.of(np.zeros(SHAPE, np.uint8), (np.array([0]), np.array([0])), 5)
        with pytest.raises(LabelsError, match="no labels"):
            asking.apply(edit)
