from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

import numpy as np
import pytest
from tests.conftest import FloodPredictor
from tests.session.label_twenty import SHAPE, volume

from napari_piclick.clicks import Click
from napari_piclick.plane import Plane
from napari_piclick.session import ArrayLabels, LabelEdit, Session, VolumeSession
from napari_piclick.session.codec import (
    edit_from_json,
    edit_to_json,
    mask_from_json,
    mask_to_json,
)
from napari_piclick.session.image_identity import ImageIdentity
from napari_piclick.session.journal import Journal, keep
from napari_piclick.session.journal_folder import (
    clean_up,
    find_unfinished,
    new_journal_path,
    put_away,
)
from napari_piclick.session.place import Place
from napari_piclick.session.recovery import JournalError, read_journal
from napari_piclick.session.restore import restore
from napari_piclick.session.saved_session import SavedSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
IDENTITY = ImageIdentity.of("squares", volume())
#: What ends the journals of a test.
ENDS: list[Callable[[], None]] = []


def place(k: int) -> Place:
    return Place("squares", Plane(SHAPE, (1, 2), (k,)))


def label(session: Session, k: int) -> None:
    session.set_image(volume()[k], key=place(k))
    session.click(5 + k // 2, 6 + k // 2)
    session.click(3 + k // 2, 4 + k // 2, positive=False)
    if k % 3 == 1:
        session.choose(2)


def new_session() -> Session:
    return Session(FloodPredictor(), labels=np.zeros(SHAPE, np.uint8))


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """Close the files of all journals of a test."""
    ENDS.clear()
    yield
    for end in ENDS:
        end()


def journaled(folder: Path, session: Session, program: dict | None = None) -> Journal:
    path = new_journal_path(folder, IDENTITY)
    journal = Journal(path, IDENTITY, program or {}, lambda _: "mine", pytest.fail)
    ENDS.append(keep(session, journal))
    return journal


def restored(path: Path) -> Session:
    session = new_session()
    restore(session, read_journal(path, "squares"), lambda _: session.labels)
    return session


def check_same(one: Session, other: Session) -> None:
    assert one.labels is not None
    assert other.labels is not None
    np.testing.assert_array_equal(one.labels.data, other.labels.data)
    assert one.labels.data.dtype == other.labels.data.dtype
    assert set(one.objects.records) == set(other.objects.records)
    for number, record in one.objects.records.items():
        again = other.objects.records[number]
        assert (again.kind, again.clicks) == (record.kind, record.clicks)
        for at, making in record.makings.items():
            assert again.makings[at].clicks == making.clicks
            assert again.makings[at].choices == making.choices
            assert again.makings[at].weights_hash == making.weights_hash


def test_kill_9_in_the_middle_of_twenty_objects(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    program = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "session" / "label_twenty.py"), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment,
    )
    kept = 0
    assert program.stdout is not None
    for line in program.stdout:
        kept = int(line.split()[1])
        if kept == 11:
            assert find_unfinished(tmp_path, IDENTITY) == [], "it still runs"
            program.send_signal(signal.SIGKILL)
            break
    kept = max([kept, *(int(line.split()[1]) for line in program.stdout)])
    assert program.wait(30) == -signal.SIGKILL
    assert 11 <= kept < 20
    (path,) = find_unfinished(tmp_path, IDENTITY)
    session = restored(path)
    found = len(session.objects.records)
    assert found in (kept, kept + 1), "all that was told of, and perhaps the one in flight"
    expected = new_session()
    for k in range(found):
        label(expected, k)
        expected.accept()
    check_same(expected, session)


@pytest.mark.filterwarnings("ignore:Object ids no longer fit")
def test_all_that_happens_comes_back(tmp_path: Path) -> None:
    session = new_session()
    journal = journaled(tmp_path, session)
    for k in range(6):
        label(session, k)
        session.accept()
    session.objects.classify(2, "cell")
    session.objects.merge(5, 4)
    session.objects.delete(1)
    session.undo()
    session.objects.delete(3)
    session.objects.smooth(6)
    assert session.labels is not None
    painted = LabelEdit.of(session.labels.data, tuple(np.array([[0], [0], [0]])), 300)
    session.apply(painted)
    label(session, 7)
    session.set_image(volume()[2], key=place(2))
    session.objects.reopen(2)
    session.click(7, 8)
    check_same(session, restored(journal.path))
    again = restored(journal.path)
    assert set(again.unfinished) == set(session.unfinished)
    again.set_image(volume()[7], key=place(7))
    assert again.clicks == (Click(8, 9), Click(6, 7, False))
    assert again.proposals is not None
    assert again.proposals.chosen == 2, "the choice is there too"
    again.set_image(volume()[2], key=place(2))
    assert again.draft.label == 2
    again.accept()
    while again.undo():
        pass
    assert again.labels is not None
    assert not again.labels.data.any()


def test_labels_that_are_gone_leave_their_number_to_nobody(tmp_path: Path) -> None:
    session = new_session()
    journal = journaled(tmp_path, session)
    label(session, 2)
    session.accept()
    gone = session.objects.labels
    session.forget_labels(gone)
    session.objects.set_labels(np.zeros(SHAPE, np.uint8))
    seen = ref(gone)
    del gone
    gc.collect()
    assert seen() is None
    label(session, 3)
    session.accept()
    lost = read_journal(journal.path, "squares").labels
    assert [len(one.edits) for one in lost.values()] == [1, 1]


def test_numbers_may_be_numpys(tmp_path: Path) -> None:
    whole = volume()
    session = VolumeSession(FloodPredictor(), whole, np.zeros(SHAPE, np.uint8), name="squares")
    journal = journaled(tmp_path, session)
    for k in np.arange(2):
        session.go_to(k)
        session.click(*np.float32([5, 6]), np.True_)
        session.set_clicks((*session.clicks, Click(np.float32(3), np.int64(4), np.False_)))
        session.choose(np.argmax([0, 0, 1]))
        session.accept()
    first, second = np.unique(session.labels.data[session.labels.data > 0])
    session.objects.classify(first, "cell")
    session.objects.merge(second, first)
    session.undo()
    session.objects.reopen(second)
    session.click(5, 6)
    session.accept()
    session.objects.delete(first)
    session.undo()
    session.go_to(np.uint8(0))
    session.propagate(first)
    check_same(session, restored(journal.path))
    objects = session.objects
    path = tmp_path / "squares.piclick"
    SavedSession(
        IDENTITY, session.labels.data, objects.records, spacing=tuple(np.float32([2, 1, 1]))
    ).save(path)
    saved = SavedSession.open(path, "squares")
    assert set(saved.records) == {1, 2}
    assert saved.spacing == (2, 1, 1)


def test_a_plane_that_was_made_with_numpys_numbers_is_written_down(tmp_path: Path) -> None:
    session = new_session()
    journal = journaled(tmp_path, session)
    plane = Plane(SHAPE, (1, 2), tuple(np.arange(4, 5)))
    session.set_image(volume()[4], key=Place("squares", plane))
    session.click(7, 8)
    assert set(restored(journal.path).unfinished) == set(session.unfinished)


class TestMasksOfAnotherProgram:
    """Of these the journal tells no voxels: they were there before."""

    def masks(self) -> Session:
        labels = np.zeros(SHAPE, np.uint8)
        labels[4, 2:20, 2:20] = 7
        session = Session(FloodPredictor(), labels=labels)
        session.set_image(volume()[4], key=place(4))
        return session

    def again(self, journal: Journal) -> Session:
        session = self.masks()
        found = read_journal(journal.path, "squares")
        self.objects = restore(session, found, lambda _: session.labels)
        return session

    def test_classes_come_back(self, tmp_path: Path) -> None:
        session = self.masks()
        journal = journaled(tmp_path, session)
        session.objects.classify(7, "cell")
        again = self.again(journal)
        assert self.objects == 1
        assert again.objects.records[7].kind == "cell"
        assert list(again.objects.classes) == ["cell"]
        again.undo()
        assert again.objects.records == {}

    def test_an_object_that_was_taken_up_keeps_its_id(self, tmp_path: Path) -> None:
        session = self.masks()
        journal = journaled(tmp_path, session)
        session.objects.reopen(7)
        session.click(6, 7)
        again = self.again(journal)
        assert self.objects == 0
        assert len(again.ledger.timeline.past) == 1, "the clicks; nothing became of the labels"
        assert again.draft.label == 7
        accepted = again.accept()
        assert accepted is not None
        assert accepted.written is not None
        assert accepted.written.label == 7


def test_a_journal_cut_anywhere_gives_all_before(tmp_path: Path) -> None:
    session = new_session()
    journal = journaled(tmp_path, session)
    ends = []
    for k in range(3):
        label(session, k)
        session.accept()
        ends.append(journal.path.stat().st_size)
    whole = journal.path.read_bytes()
    for cut in range(whole.index(b"\n") + 1, len(whole), 97):
        journal.path.write_bytes(whole[:cut])
        done = sum(end <= cut for end in ends)
        found = len(restored(journal.path).objects.records)
        assert found in (done, done + 1)
    journal.path.write_bytes(whole.replace(b'"runs"', b'"ruins"', 1))
    assert read_journal(journal.path, "squares").damaged


def test_only_what_was_cut_short_is_offered(tmp_path: Path) -> None:
    session = new_session()
    journal = journaled(tmp_path, session)
    assert not journal.path.exists(), "nothing has happened yet"
    label(session, 0)
    assert find_unfinished(tmp_path, IDENTITY) == [journal.path]
    other = ImageIdentity.of("squares", volume()[:, ::-1])
    assert find_unfinished(tmp_path, other) == []
    renamed = ImageIdentity.of("another name", volume())
    assert find_unfinished(tmp_path, renamed) == [journal.path]
    lazy = ImageIdentity("squares", IDENTITY.shape, IDENTITY.dtype)
    assert find_unfinished(tmp_path, lazy) == [journal.path]
    ENDS.pop()()
    assert find_unfinished(tmp_path, IDENTITY) == []
    clean_up(tmp_path)
    assert journal.path.exists()
    os.utime(journal.path, (0, 0))
    clean_up(tmp_path)
    assert not journal.path.exists()
    assert find_unfinished(tmp_path / "nowhere", IDENTITY) == []


def test_what_was_put_away_is_offered_no_more_and_is_still_there(tmp_path: Path) -> None:
    session = new_session()
    journal = journaled(tmp_path, session)
    label(session, 0)
    put_away(journal.path)
    assert find_unfinished(tmp_path, IDENTITY) == []
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"[]\n", b"{}\n", b'{"journal": 99}\n', b'{"journal": 1}\n']
)
def test_other_files_are_no_journals(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(content)
    assert find_unfinished(tmp_path, IDENTITY) == []
    with pytest.raises(JournalError, match=r"some\.jsonl"):
        read_journal(path, "squares")


@pytest.mark.parametrize(
    "change",
    [
        {"voxels": 10**9},
        {"runs": 10**12},
        {"starts": "!!"},
        {"lengths": "AAAA"},
        {"dtype": "object"},
        {"dtype": "float64"},
        {"shape": [1, 1]},
        {"values": "eJwDAAAAAAE="},
    ],
)
def test_edits_that_do_not_fit_are_refused(change: dict) -> None:
    labels = np.zeros((4, 5), np.uint8)
    edit = LabelEdit.of(labels, (np.array([0, 0, 3]), np.array([1, 2, 4])), np.array([4, 5, 6]))
    content = json.loads(json.dumps(edit_to_json(edit)))
    index, values = edit_from_json(content)
    assert (index.tolist(), values.tolist()) == ([1, 2, 19], [4, 5, 6])
    with pytest.raises((ValueError, TypeError)):
        edit_from_json({**content, **change})


def test_masks_and_empty_edits_survive() -> None:
    mask = np.random.default_rng(5).random((7, 9)) > 0.5
    again = mask_from_json(json.loads(json.dumps(mask_to_json(mask))))
    np.testing.assert_array_equal(again, mask)
    assert mask_from_json(mask_to_json(None)) is None
    home = ArrayLabels(np.zeros((2, 2), np.uint8))
    empty = LabelEdit.of(home.data, (np.array([], int), np.array([], int)), 4)
    index, values = edit_from_json(edit_to_json(empty))
    assert len(index) == len(values) == 0
