from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path

import numpy as np
import pytest

from napari_piclick.clicks import Click
from napari_piclick.eval import ClickProtocol, Dataset, Sample, evaluate
from napari_piclick.eval.annotation import whole_window
from napari_piclick.eval.protocol import THRESHOLDS
from napari_piclick.eval.report import format_report
from napari_piclick.io.errors import VolumeError

SHAPE = (20, 24)


def box(row0, row1, col0, col1):
    mask = np.zeros(SHAPE, bool)
    mask[row0:row1, col0:col1] = True
    return mask


#: 10 x 10 pixels
TRUTH = box(4, 14, 6, 16)
HALF = box(4, 9, 6, 16)
MOST = box(4, 14, 6, 14)
ALMOST = box(4, 13, 6, 16)
ELSEWHERE = box(15, 20, 0, 5)


class Boxes(Dataset):
    """As many images as asked for, each with the same objects."""

    name = "boxes"
    folder = Path("nowhere")

    def __init__(self, images=1, objects=(TRUTH,)):
        self.count, self.objects = images, objects
        self.made = []

    def images(self):
        return [f"image{number}" for number in range(self.count)]

    def samples(self, image_stem):
        image = np.zeros(SHAPE, np.uint8)
        self.made.append(weakref.ref(image))
        for number, mask in enumerate(self.objects):
            yield Sample(image_stem, str(number), image, mask, contrast_limits=(3.0, 9.0))


def test_the_models_own_pick_counts(scripted_predictor):
    predictor = scripted_predictor([HALF, TRUTH], [MOST, TRUTH], [TRUTH, HALF])
    (result,) = evaluate(Boxes(), predictor).objects
    assert result.ious == (0.5, 0.8, 1.0)
    assert result.picked == (0, 0, 0)
    assert (result.image, result.object) == ("image0", "0")
    assert result.threshold == 0.5


def test_the_oracle_takes_the_first_of_the_best(scripted_predictor):
    predictor = scripted_predictor([ELSEWHERE, HALF, MOST, MOST], [HALF, ALMOST])
    protocol = ClickProtocol(pick="oracle", target_iou=0.9)
    (result,) = evaluate(Boxes(), predictor, protocol).objects
    assert result.ious == (0.8, 0.9)
    assert result.picked == (2, 1)
    # The picked proposal is the previous mask of the next click.
    assert predictor.previous[0] is None
    assert predictor.previous[1].chosen == 2
    assert predictor.previous[1].chosen_by == "oracle"


def test_the_clicks_answer_the_picked_mask(scripted_predictor):
    predictor = scripted_predictor([HALF], [TRUTH | ELSEWHERE], [TRUTH])
    (result,) = evaluate(Boxes(), predictor).objects
    assert result.clicks == (Click(8, 10, True), Click(11, 8, True), Click(17, 2, False))
    assert predictor.clicks == [result.clicks[:1], result.clicks[:2], result.clicks]


def test_clicking_stops_at_the_target_or_is_given_up(scripted_predictor):
    predictor = scripted_predictor([HALF], [MOST], [ALMOST], [TRUTH])

    def clicks(**options):
        (result,) = evaluate(Boxes(), predictor, ClickProtocol(**options)).objects
        return len(result.ious)

    assert clicks(target_iou=0.8) == 2
    assert clicks(target_iou=0.9) == 3
    assert clicks(target_iou=0.95) == 4
    assert clicks(target_iou=1.01) == 20
    assert clicks(max_clicks=1) == 1


def test_an_image_is_set_once_and_known_by_a_key_of_its_own(scripted_predictor):
    predictor = scripted_predictor([TRUTH])
    evaluate(Boxes(images=2, objects=(TRUTH, HALF, MOST)), predictor)
    assert len(predictor.keys) == 2
    assert len(set(predictor.keys)) == 2
    assert predictor.windows == [(3.0, 9.0)] * 2
    assert len(predictor.clicks) > 6


def test_a_picture_of_one_bit_has_its_two_values_for_a_window():
    picture = np.zeros((20, 20), bool)
    picture[:4] = True
    assert whole_window(picture) == (0.0, 1.0)


def test_no_image_is_kept(scripted_predictor):
    dataset = Boxes(images=3)
    alive = []

    class Forgetful(scripted_predictor):
        def set_image(self, image, **options):
            super().set_image(image, **options)
            self.images.clear()
            gc.collect()
            alive.append(sum(ref() is not None for ref in dataset.made))

    results = evaluate(dataset, Forgetful([TRUTH]))
    assert alive == [1, 1, 1]
    gc.collect()
    assert len(results.objects) == 3
    assert [ref() for ref in dataset.made] == [None] * 3


def test_on_a_gpu_the_objects_of_an_image_are_answered_together(scripted_predictor):
    class Together(scripted_predictor):
        batches = True

        def predict_many(self, questions):
            sizes.append(len(questions))
            return [self.predict(*question) for question in questions]

    script = ([HALF], [MOST], [TRUTH])
    objects = tuple(np.roll(TRUTH, k, 1) for k in range(20))
    sizes = []
    alone = evaluate(Boxes(images=2, objects=objects), scripted_predictor(*script))
    together = evaluate(Boxes(images=2, objects=objects), Together(*script))

    def untimed(results):
        return [(r.position, r.ious, r.clicks, r.picked) for r in results.objects]

    assert untimed(together) == untimed(alone)
    assert max(sizes) == 16
    assert sizes[:3] == [16, 16, 16]
    assert min(sizes) > 1  # the last one of an image is answered by itself


def test_a_limit_counts_images(scripted_predictor):
    seen = []
    dataset = Boxes(images=5, objects=(TRUTH, TRUTH))
    results = evaluate(dataset, scripted_predictor([TRUTH]), limit=2, on_object=seen.append)
    assert [r.image for r in results.objects] == ["image0", "image0", "image1", "image1"]
    assert seen == results.objects
    assert len(dataset.made) == 2


def test_summary(scripted_predictor):
    dataset = Boxes(objects=(TRUTH, MOST, ELSEWHERE))
    protocol = ClickProtocol(max_clicks=5)
    results = evaluate(dataset, scripted_predictor([HALF], [MOST], [TRUTH]), protocol)
    # IoUs: 0.5 0.8 1 | 0.44 1 | 0 0 0 0 0
    summary = results.summary()
    assert set(summary) == {
        "objects", "images", *(f"miou@{k}" for k in range(1, 6)), "best_miou@1", "selections",
        "clear_selections", "gap@1", "different@1", "part_best@1", "nested", "inner@1", "outer@1",
        "both@1",
        *(
            f"{name}{at}"
            for name in ("noc", "selections", "failures", "at_limit")
            for at in (80, 85, 90)
        ),
        "seconds_per_click",
    }  # fmt: skip
    assert (summary["objects"], summary["images"]) == (3, 1)
    assert summary["miou@1"] == pytest.approx((0.5 + 4 / 9) / 3)
    assert summary["noc80"] == pytest.approx((2 + 2 + 5) / 3)
    assert summary["noc85"] == summary["noc90"] == pytest.approx((3 + 2 + 5) / 3)
    assert summary["miou@5"] == pytest.approx((1 + 1 + 0) / 3)
    assert [summary[f"failures{at}"] for at in (80, 85, 90)] == [1, 1, 1]
    assert summary["seconds_per_click"] > 0


def test_what_was_not_measured_is_not_reported(scripted_predictor):
    protocol = ClickProtocol(target_iou=0.8)
    results = evaluate(Boxes(), scripted_predictor([HALF], [MOST], [TRUTH]), protocol)
    summary = results.summary()
    assert summary["noc80"] == 2
    assert summary["noc85"] is summary["selections85"] is None
    assert summary["selections80"] == 0
    assert summary["noc90"] is None
    assert "not measured" in format_report(results)


def test_nothing_cannot_be_summarised(scripted_predictor):
    results = evaluate(Boxes(images=0), scripted_predictor([TRUTH]))
    with pytest.raises(ValueError, match="No object"):
        results.summary()


def test_results_are_written_whole_or_not_at_all(scripted_predictor, tmp_path):
    results = evaluate(Boxes(), scripted_predictor([HALF], [TRUTH]))
    path = tmp_path / "out.json"
    path.write_text("older results")
    results.write_json(path)
    written = json.loads(path.read_text())
    assert [written[key] for key in ("dataset", "model", "pick")] == ["boxes", "scripted", "trm"]
    assert written["protocol"] == {
        "pick": "trm", "max_clicks": 20, "target_iou": 0.9, "compat": None,
        "volume": False,
    }  # fmt: skip
    assert written["samples"] == [
        {
            "image": "image0", "object": "0", "ious": [0.5, 1.0], "picked": [0, 0],
            "proposed": [0, 0], "best_ious": [0.5, 1.0], "clicks": [[8, 10, 1], [11, 8, 1]],
            "different": 1, "around": [],
        }
    ]  # fmt: skip
    assert written["summary"] == results.summary()
    results.objects.clear()
    with pytest.raises(ValueError, match="No object"):
        results.write_json(path)
    assert json.loads(path.read_text()) == written
    with pytest.raises(VolumeError, match="missing"):
        evaluate(Boxes(), scripted_predictor([TRUTH])).write_json(tmp_path / "missing" / "o.json")
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.json"]


@pytest.mark.parametrize("pick", ["trm", "oracle"])
def test_the_report_says_who_picked(scripted_predictor, pick):
    protocol = ClickProtocol(pick=pick)
    report = format_report(evaluate(Boxes(), scripted_predictor([HALF], [TRUTH]), protocol))
    assert ("the model itself picked" in report) == (pick == "trm")
    assert ("the ground truth picked" in report) == (pick == "oracle")
    assert "1 on 1 image" in report
    assert "above probability 0.5" in report
    assert max(map(len, report.splitlines())) < 80


@pytest.mark.parametrize(
    "options", [{"pick": "user"}, {"max_clicks": 0}, {"target_iou": 0}, {"target_iou": np.nan}]
)
def test_a_protocol_without_sense_is_refused(options):
    with pytest.raises(ValueError, match=str(next(iter(options.values())))):
        ClickProtocol(**options)


def test_the_default_protocol_measures_every_threshold():
    assert ClickProtocol().target_iou == max(THRESHOLDS)
