from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from napari_piclick.clicks import Click
from napari_piclick.eval import evaluate, open_dataset
from napari_piclick.eval.journal import Journal, JournalError
from napari_piclick.eval.object_result import ImageDone, ObjectResult

RUN = {"dataset": "boxes", "target_iou": 0.9, "weights": (None,)}


def result(image, number, iou=1 / 3):
    return ObjectResult(
        f"image{image}",
        str(number),
        (image, number),
        (0.1, iou),
        (Click(3, 4, True), Click(5, 6, False)),
        (0, 2),
        (0, 1),
        ((0.1, 0.05, 0.2), (0.3, iou, iou)),
        (0.25, 0.125),
        0.5,
        part=1,
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal"


def test_results_come_back_exactly_and_in_the_order_of_the_dataset(path):
    given = [result(1, 0), result(0, 1), result(1, 1), result(0, 0, iou=0.1 + 0.2)]
    with Journal(path, RUN) as journal:
        for each in given:
            journal.add(each)
        journal.finish(ImageDone(1, "image1", 2, 0.5))
        assert list(journal.objects) == [given[3], given[1], given[0], given[2]]
    with Journal(path, RUN) as journal:
        assert list(journal.objects) == [given[3], given[1], given[0], given[2]]
        assert journal.objects[-1] == given[2]
        assert list(journal.objects[1:3]) == [given[1], given[0]]
        assert len(journal.objects) == 4
        assert journal.finished == {1}
        assert journal.done(0) == {0, 1}
        assert journal.encoding_seconds == 0.5


def test_a_line_cut_short_is_dropped(path):
    with Journal(path, RUN) as journal:
        journal.add(result(0, 0))
        journal.add(result(0, 1))
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    second = whole.index(b"\n", first) + 1
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with Journal(path, RUN) as journal:
            kept = sum(end >= place for place in (second, len(whole)))
            assert len(journal.objects) == kept
            journal.add(result(0, 0))
            journal.add(result(0, 1))
            assert list(journal.objects) == [result(0, 0), result(0, 1)]
        assert path.read_bytes() == whole


def test_nothing_is_written_twice(path):
    with Journal(path, RUN) as journal:
        for _ in range(2):
            journal.add(result(0, 0))
            journal.finish(ImageDone(0, "image0", 1, 0.5))
        assert len(journal.objects) == 1
        assert journal.encoding_seconds == 0.5
    assert len(path.read_bytes().splitlines()) == 3


def test_another_run_is_refused_and_kept(path):
    with Journal(path, RUN) as journal:
        journal.add(result(0, 0))
    before = path.read_bytes()
    with pytest.raises(JournalError, match=r"a run with target_iou 0\.9, not 0\.8"):
        Journal(path, RUN | {"target_iou": 0.8})
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["some notes of mine\n", "[1, 2]\n", '{"samples": []}\n'])
def test_what_is_no_journal_is_kept(path, text):
    path.write_text(text)
    with pytest.raises(JournalError, match="not the journal of an evaluation"):
        Journal(path, RUN)
    assert path.read_text() == text


def finished(journal):
    journal.finish(ImageDone(1, "c", 1, 0.5))


def half_done(journal):
    journal.add(replace(result(1, 0), image="c"))


@pytest.mark.parametrize("end", [finished, half_done])
@pytest.mark.parametrize("now", ["abcd", "abd", "b", "bd"])
def test_a_run_does_not_go_on_with_other_images(path, tmp_path, scripted_predictor, end, now):
    square = np.zeros((20, 24), np.uint8)
    square[4:15, 5:16] = 200
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
        for stem in now:
            Image.fromarray(square).save(tmp_path / part / f"{stem}.png")
    with Journal(path, RUN) as journal:
        journal.add(replace(result(0, 0), image="b"))
        journal.finish(ImageDone(0, "b", 1, 0.5))
        end(journal)
    predictor = scripted_predictor([square > 0])
    with (
        Journal(path, RUN) as journal,
        pytest.raises(JournalError, match="The images have changed since this run began"),
    ):
        evaluate(open_dataset("folder", tmp_path), predictor, record=journal)


def test_selections_are_the_clicks_with_a_better_proposal():
    # After the first click proposal 2 is better than the model's own; after the second, none is.
    assert result(0, 0).selections == 1
    assert result(0, 0).best_ious == (0.2, 1 / 3)


def test_selections_on_the_way_end_where_the_iou_is_reached():
    # the own pick: 0.5, 0.7, 0.9, 0.5; what was picked reached 0.8 with the third click
    run = replace(
        result(0, 0),
        ious=(0.5, 0.7, 0.9, 0.5),
        proposed=(0, 0, 0, 0),
        picked=(0, 0, 0, 0),
        proposal_ious=((0.5, 0.6), (0.7, 0.72), (0.9, 1.0), (0.5, 0.9)),
    )
    assert run.clear_selections == 3
    assert run.selections_to(0.8) == 1
    assert run.selections_to(0.95) == 3
    # a person who takes the better one at once is done with it
    assert replace(run, ious=(0.9, 0.7, 0.9, 0.5)).selections_to(0.8) == 1
