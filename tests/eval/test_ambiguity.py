"""Ambiguity: how many different proposals a click has, and whether both of a pair are there."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from napari_piclick.eval import (
    ClickProtocol,
    Journal,
    Results,
    Sample,
    evaluate,
    open_dataset,
)
from napari_piclick.eval.metrics import count_different
from napari_piclick.eval.nesting import NestedObjects
from napari_piclick.eval.report import format_report

SHAPE = (40, 50)


def box(row0, row1, col0, col1):
    mask = np.zeros(SHAPE, bool)
    mask[row0:row1, col0:col1] = True
    return mask


CELL = box(5, 35, 5, 35)
NUCLEUS = box(15, 25, 15, 25)


def names_around(*masks):
    samples = [Sample("a", str(k), np.zeros(SHAPE), mask) for k, mask in enumerate(masks)]
    nested = NestedObjects(samples)
    return [[each.name for each in nested.around(sample)] for sample in samples]


def test_an_object_lies_inside_a_larger_one():
    assert names_around(NUCLEUS, CELL, box(17, 20, 17, 20)) == [["1"], [], ["0", "1"]]


def test_what_leaks_out_or_is_nearly_as_large_is_not_inside():
    # 100 pixels: 4 of them outside are let pass, 10 are not.
    one = NUCLEUS.copy()
    one[15:19, 15], one[:4, 49] = False, True
    assert names_around(one, CELL)[0] == ["1"]
    assert names_around(box(15, 25, 26, 36), CELL)[0] == []
    assert names_around(box(5, 35, 5, 27), CELL)[0] == ["1"]
    assert names_around(box(5, 35, 5, 28), CELL)[0] == []
    assert names_around(CELL, CELL) == [[], []]


def test_different_proposals_are_counted():
    tenth = box(5, 35, 5, 32)  # nine tenths of the cell
    assert count_different(np.stack([CELL, tenth, NUCLEUS])) == 2
    assert count_different(np.stack([CELL, box(5, 35, 5, 31), NUCLEUS])) == 3
    nothing = np.zeros(SHAPE, bool)
    assert count_different(np.stack([nothing, nothing, CELL])) == 2
    # A row of alike ones, whose ends differ: the ends count.
    chain = np.stack([box(5, 35, 5, 35 - k) for k in (0, 2, 4)])
    assert count_different(chain) == 2


@pytest.fixture
def cells(tmp_path):
    """Two pictures of a cell with a nucleus; on the second one it fills nearly all of the cell."""
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    for name, nucleus in (("a", NUCLEUS), ("b", box(6, 35, 5, 35))):
        labels = CELL.astype(np.uint8)
        labels[nucleus] = 2
        Image.fromarray(labels).save(tmp_path / "labels" / f"{name}.png")
        Image.fromarray(labels * 100).save(tmp_path / "images" / f"{name}.png")
    (tmp_path / "targets.json").write_text(json.dumps({"*": [[2], [1, 2]]}))
    return open_dataset("folder", tmp_path)


PROTOCOL = ClickProtocol(max_clicks=2)


def test_the_report_says_how_often_a_part_was_best(cells, scripted_predictor):
    class Parts(scripted_predictor):
        """Says that the second of the proposals is a part of a mask, not one of the network's."""

        def predict(self, clicks, previous=None):
            return replace(super().predict(clicks, previous), part=1)

    # the part is best for the nucleus of the first picture only
    found = evaluate(cells, Parts([CELL, NUCLEUS]), PROTOCOL)
    assert found.summary()["part_best@1"] == 0.25
    assert "25.0 % of the objects" in format_report(found)
    for other in (Parts([NUCLEUS, NUCLEUS]), scripted_predictor([CELL, NUCLEUS])):
        nothing = evaluate(cells, other, PROTOCOL)
        assert nothing.summary()["part_best@1"] == 0
        assert "a part, no mask" not in format_report(nothing)


def test_both_of_a_nested_pair_must_be_proposed(cells, scripted_predictor):
    middle = box(12, 28, 12, 28)

    def summary(*proposals):
        return evaluate(cells, scripted_predictor(proposals), PROTOCOL).summary()

    both = summary(middle, CELL, NUCLEUS)
    assert (both["nested"], both["inner@1"], both["outer@1"], both["both@1"]) == (1, 1, 1, 1)
    assert both["different@1"] == 3
    # own pick: 100 / 256 and 256 / 900; on the second picture 256 / 870 and 256 / 900
    gaps = (1 - 100 / 256, 1 - 256 / 900, 870 / 900 - 256 / 870, 1 - 256 / 900)
    assert both["gap@1"] == pytest.approx(np.mean(gaps))
    # The same is measured when the ground truth picks.
    oracle = evaluate(
        cells, scripted_predictor([middle, CELL, NUCLEUS]), ClickProtocol(pick="oracle")
    ).summary()
    assert oracle["gap@1"] == both["gap@1"]
    inner = summary(middle, NUCLEUS)
    assert (inner["inner@1"], inner["outer@1"], inner["both@1"]) == (1, 0, 0)
    assert summary(middle, CELL)["outer@1"] == 1


def test_pairs_survive_a_kill(cells, scripted_predictor, tmp_path):
    whole = evaluate(cells, scripted_predictor([CELL, NUCLEUS]), PROTOCOL)
    with Journal(tmp_path / "journal", {}) as journal:
        journal.add(evaluate(cells, scripted_predictor([CELL, NUCLEUS]), PROTOCOL).objects[1])
    with Journal(tmp_path / "journal", {}) as journal:
        results = evaluate(cells, scripted_predictor([CELL, NUCLEUS]), PROTOCOL, record=journal)
        assert [r.around for r in results.objects] == [r.around for r in whole.objects]
        assert results.intervals() == whole.intervals()
        assert results.intervals()["both@1"] == (1, 1)


def test_the_report_tells_of_pairs_only_where_there_are_any(cells, scripted_predictor):
    results = evaluate(cells, scripted_predictor([CELL, NUCLEUS]), PROTOCOL)
    report = format_report(results)
    assert "1 pairs" not in report
    assert "1 pair: one click on the inner object proposes" in report
    assert "both 100.0 %" in report
    alone = Results(results.dataset, results.model, PROTOCOL, results.objects[2:])
    assert alone.summary()["both@1"] is None
    assert "nested" not in format_report(alone).lower()
