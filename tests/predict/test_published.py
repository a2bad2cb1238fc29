"""The published predictor: exact in its compatible mode, mended in its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from napari_piclick import Click, load_predictor
from napari_piclick.eval.clicker import next_click
from napari_piclick.models.authors_checkpoint import build, read_authors_checkpoint
from napari_piclick.predict.compat import CompatPredictor
from napari_piclick.predict.flip import Sorted, flip_columns, merge, merge_published
from napari_piclick.predict.full_pass import FullPass
from napari_piclick.predict.published import PublishedPredictor
from napari_piclick.predict.zoom_in import ZoomIn, overlap, square
from napari_piclick.region import Region

if TYPE_CHECKING:
    from napari_piclick.proposals import Proposals

MICRO = Path(__file__).parents[1] / "data" / "published" / "piclick_micro_random.pth"
CPU = torch.device("cpu")


@pytest.fixture
def reference() -> Path:
    folder = Path(__file__).parents[3] / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip("the reference files are not here")
    return folder


def predictor(weights: Path, kind: type[PublishedPredictor]) -> PublishedPredictor:
    model = build(*read_authors_checkpoint(weights))
    return kind(FullPass(model, "test", CPU, exact=kind is CompatPredictor), "test", "0" * 64)


def inclusive(region: Region | None) -> list[int]:
    assert region is not None
    return [region.row0, region.row1 - 1, region.col0, region.col1 - 1]


@pytest.mark.parametrize("mode", ["gtpick", "maxscore"])
def test_five_clicks_agree_with_the_authors_predictor(mode: str, reference: Path) -> None:
    model = predictor(reference / "piclick_tiny_trained.pth", CompatPredictor)
    assert isinstance(model, CompatPredictor)
    with np.load(reference / f"pred_tiny_trained_P2_300x500_{mode}.npz") as file:
        want = {key: file[key] for key in file.files}
    model.set_image(want["image"])
    clicks: list[Click] = []
    answer: Proposals | None = None
    for k, (positive, row, col) in enumerate(want["clicks"]):
        clicks.append(Click(int(row), int(col), bool(positive)))
        answer = model.predict(clicks, answer)
        assert inclusive(answer.view) == want[f"c{k}_roi"].tolist()
        assert model.assigned is not None
        assert model.assigned.tolist() == want[f"c{k}_assigned"].tolist()
        assert answer.code_score is not None
        own = int(answer.code_score.argmax())
        assert own == want[f"c{k}_maxscore_idx"]
        pick = int(want[f"c{k}_picked"]) if mode == "gtpick" else own
        compared = answer.masks if mode == "gtpick" else answer.masks[[own]]
        full = np.stack([answer.region.paste(mask, answer.plane_shape) for mask in compared])
        np.testing.assert_allclose(full[:, ::4, ::4], want[f"c{k}_probs_s4"], atol=1e-4, rtol=0)
        answer = answer.choose(pick)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["gtpick", "maxscore"])
def test_the_evaluation_loop_agrees_click_by_click(mode: str, reference: Path) -> None:
    model = predictor(reference / "piclick_tiny_trained.pth", CompatPredictor)
    assert isinstance(model, CompatPredictor)
    run = json.loads((reference / "eval_loop.json").read_text())[f"tiny_trained|synth|{mode}"]
    with np.load(reference / "eval_synth_samples.npz") as file:
        samples = [(file[f"image{k}"], file[f"gt{k}"] == 1) for k in range(len(run["samples"]))]
    for (image, truth), steps in zip(samples, run["samples"], strict=True):
        model.set_image(image)
        mask = np.zeros_like(truth)
        clicks: list[Click] = []
        answer: Proposals | None = None
        for step in steps:
            clicks.append(next_click(truth, mask, clicks))
            assert [clicks[-1].positive, *clicks[-1].pixel] == step["click"]
            answer = model.predict(clicks, answer)
            assert inclusive(answer.view) == step["roi"]
            assert model.assigned is not None
            assert model.assigned.tolist() == step["assigned"]
            found = [answer.plane_mask(k) for k in range(len(answer))]
            ious = [(m & truth).sum() / (m | truth).sum() for m in found]
            assert answer.code_score is not None
            pick = int(np.argmax(ious if mode == "gtpick" else answer.code_score))
            if mode == "gtpick":
                assert pick == step["picked"]
            assert ious[pick] == pytest.approx(step["iou"], abs=3e-3)
            answer, mask = answer.choose(pick), found[pick]


def two_views(order: list[int]) -> tuple[Sorted, Sorted]:
    """Four bars, and the same bars mirrored in another order."""
    plain = torch.full((4, 16, 16), -6.0)
    for k in range(4):
        plain[k, :, 4 * k : 4 * k + 3] = 6.0
    scores = torch.linspace(0.9, 0.6, 4)
    same = torch.full((4,), 0.5)
    mirrored = plain[order].flip(-1)
    return Sorted(plain, scores, same, same), Sorted(mirrored, scores, same, same)


def test_matched_proposals_of_the_flip_pair_are_averaged() -> None:
    order = [1, 2, 0, 3]  # not its own inverse
    plain, mirrored = two_views(order)
    torch.testing.assert_close(merge(plain, mirrored).logits, plain.logits[order])


def test_the_published_merge_applies_the_permutation_the_wrong_way() -> None:
    order = [1, 2, 0, 3]
    plain, mirrored = two_views(order)
    merged, assigned = merge_published(plain, mirrored)
    assert assigned.tolist() == [2, 0, 1, 3]
    wrong = 0.5 * (plain.logits[assigned] + plain.logits[order])
    torch.testing.assert_close(merged.logits, wrong)
    assert not torch.equal(merged.logits, plain.logits[order])
    swap = two_views([1, 0, 2, 3])  # its own inverse: then it does not matter
    torch.testing.assert_close(merge_published(*swap)[0].logits, merge(*swap).logits)
    assert linear_sum_assignment(np.eye(2))[1].tolist() == [1, 0]


def test_mirrored_points_stay_on_their_pixels() -> None:
    points = torch.tensor([[10.0, 0.0, 0.0], [5.5, 100.25, 3.0], [-1.0, -1.0, -1.0]])
    assert flip_columns(points, 448)[:, 1].tolist() == [447.0, 346.75, -1.0]
    assert torch.equal(flip_columns(flip_columns(points, 448), 448), points)


def test_zoom_in_looks_at_the_mask_and_a_margin() -> None:
    zoom, shape = ZoomIn(), (1000, 1200)
    mask = np.zeros((300, 300), bool)
    mask[10:20, 100:250] = True
    offset = Region(400, 700, 500, 800)
    # rows: 200 about 414.5 -> 314.5 and 514.5, both rounded to even; columns: 1.4 x 150
    assert zoom.wanted(mask, offset, [], shape) == Region(314, 515, 570, 781)
    with_click = zoom.wanted(mask, offset, [Click(650, 600)], shape)
    assert with_click.contains(650, 600)
    assert zoom.wanted(mask, offset, [Click(650, 600, False)], shape) == Region(314, 515, 570, 781)
    assert zoom.wanted(np.zeros((5, 5), bool), offset, [], shape) == Region.whole(shape)
    assert zoom.wanted(None, offset, [], shape) == Region.whole(shape)


def test_the_zoomed_region_stays_until_it_no_longer_fits() -> None:
    zoom = ZoomIn()
    stored, near, far = Region(100, 300, 100, 300), Region(120, 320, 90, 290), Region(0, 90, 0, 90)
    assert zoom.follow(stored, near, [Click(200, 200)]) == stored
    assert zoom.follow(stored, far, []) == far
    assert zoom.follow(None, near, []) == near
    # the last row counts as outside, and only positive clicks count
    assert zoom.follow(stored, near, [Click(299, 200)]) == near
    assert zoom.follow(stored, near, [Click(50, 50, False)]) == stored
    assert overlap(stored, Region(200, 400, 100, 300)) == pytest.approx(1 / 3)
    assert square(Region(10, 20, 50, 250), (600, 600)).shape == (200, 200)
    assert square(Region(0, 100, 0, 500), (100, 500)) == Region(0, 100, 0, 500)


@pytest.mark.parametrize("shape", [(300, 500), (120, 90), (700, 700)])
def test_interactive_answers_are_ranked_and_lie_on_the_plane(shape: tuple[int, int]) -> None:
    model = predictor(MICRO, PublishedPredictor)
    image = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    model.set_image(image)
    clicks = [Click(40, 50)]
    answer = model.predict(clicks)
    assert answer.plane_shape == shape
    assert answer.chosen == 0
    assert np.all(np.diff(answer.score) <= 0)
    assert Region.whole(shape).covers(answer.region)
    again = model.predict([*clicks, Click(80, 60, False)], answer)
    assert again.view is not None
    assert again.view.contains(40, 50)


def test_both_modes_find_the_trained_model_s_object(reference: Path) -> None:
    with np.load(reference / "pred_tiny_trained_P2_300x500_gtpick.npz") as file:
        image, truth = file["image"], file["gt"] > 0
    best = {}
    for kind in (PublishedPredictor, CompatPredictor):
        model = predictor(reference / "piclick_tiny_trained.pth", kind)
        model.set_image(image, contrast_limits=(0, 255))
        answer = model.predict([Click(44, 162)])
        masks = [answer.plane_mask(k) for k in range(7)]
        best[kind] = max((m & truth).sum() / (m | truth).sum() for m in masks)
    assert best[PublishedPredictor] > 0.7
    assert best[CompatPredictor] > 0.7


def test_a_mask_from_elsewhere_is_refined_without_a_click() -> None:
    model = predictor(MICRO, PublishedPredictor)
    model.set_image(np.zeros((300, 320), np.uint16))
    mask = np.zeros((300, 320), bool)
    mask[100:140, 200:260] = True
    answer = model.predict([], mask)
    assert answer.view is not None
    assert answer.view.covers(Region(100, 140, 200, 260))
    assert answer.view.shape == (201, 201)
    with pytest.raises(ValueError, match="click on the object first"):
        model.predict([])
    with pytest.raises(ValueError, match="outside the image"):
        model.predict([Click(300, 0)])


def test_only_a_window_of_a_large_lazy_plane_is_read() -> None:
    class Lazy:
        shape, dtype = (40_000, 30_000), np.dtype(np.uint16)
        read = 0

        def __getitem__(self, index: tuple[slice, slice]) -> np.ndarray:
            part = tuple(s.stop - s.start for s in index)
            self.read += part[0] * part[1]
            return np.zeros(part, np.uint16)

    image = Lazy()
    model = predictor(MICRO, PublishedPredictor)
    model.set_image(image)
    assert model.predict([Click(20_000, 12_000)]).plane_shape == Lazy.shape
    assert 0 < image.read < 2_000_000


def test_the_fast_mode_says_nearly_the_same() -> None:
    state = read_authors_checkpoint(MICRO)
    torch.manual_seed(0)
    picture, points = torch.rand(4, 224, 224), torch.tensor([[100.0, 90, 0], [-1, -1, -1]])
    exact = FullPass(build(*state), "micro", CPU)(picture, points)
    fast = FullPass(build(*state), "micro", CPU, fast=True)(picture, points)
    assert (len(exact), len(fast)) == (2, 1)
    assert (exact[0].iou - fast[0].iou).abs().max() < 0.05
    with pytest.raises(ValueError, match="fast mode is for the CPU"):
        FullPass(build(*state), "micro", torch.device("meta"), fast=True)


def test_a_full_gpu_is_left_for_the_cpu_with_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    run = FullPass(build(*read_authors_checkpoint(MICRO)), "micro", CPU)
    picture, points = torch.rand(4, 224, 224), torch.tensor([[100.0, 90, 0], [-1, -1, -1]])
    want = run(picture, points)
    run.device, run.mixed = torch.device("cuda"), True
    real = run._run
    calls = []

    def first_fails(*arguments: torch.Tensor) -> list[Sorted]:
        calls.append(run.device.type)
        if len(calls) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(*arguments)

    monkeypatch.setattr(run, "_run", first_fails)
    with pytest.warns(UserWarning, match="memory of cuda is not enough for micro; it goes on on"):
        found = run(picture, points)
    assert calls == ["cuda", "cpu"]
    assert run.device.type == "cpu"
    assert not run.mixed
    torch.testing.assert_close(found[0].logits, want[0].logits)


def test_a_gpu_that_cannot_even_hold_the_model_is_left_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = read_authors_checkpoint(MICRO)
    real, asked = torch.nn.Module.to, []

    def full(self: torch.nn.Module, *arguments: object, **options: object) -> torch.nn.Module:
        if arguments and arguments[0] == torch.device("mps"):
            asked.append(arguments[0])
            raise RuntimeError("MPS backend out of memory (MPS allocated: 9.07 GB)")
        return real(self, *arguments, **options)  # type: ignore[no-any-return, call-overload]

    monkeypatch.setattr(torch.nn.Module, "to", full)
    with pytest.warns(UserWarning, match="memory of mps is not enough for micro"):
        run = FullPass(build(*state), "micro", torch.device("mps"))
    assert len(asked) == 1
    assert run.device.type == "cpu"
    assert len(run(torch.rand(4, 224, 224), torch.full((2, 3), -1.0))) == 2


def test_mixed_precision_is_for_nvidia_gpus_and_leaves_masks_nearly_as_they_are(
    monkeypatch: pytest.MonkeyPatch, reference: Path
) -> None:
    state = read_authors_checkpoint(reference / "piclick_tiny_trained.pth")
    with np.load(reference / "raw_tiny_trained_A_448_1pos.npz") as file:
        image = torch.from_numpy(file["image"].astype(np.float32) / 255)
        points = torch.from_numpy(file["points"])[0]
    picture = torch.cat([image.reshape(448, 448, 3).permute(2, 0, 1), torch.zeros(1, 448, 448)])
    exact = FullPass(build(*state), "tiny", CPU)(picture, points)[0]
    # No GPU is needed to see that every step takes the smaller type: the CPU has bfloat16.
    run = FullPass(build(*state), "tiny", CPU)
    run.mixed = True
    close = run(picture, points)[0]
    assert close.logits.dtype == close.iou.dtype == torch.float32
    assert not torch.equal(close.logits, exact.logits)
    one, two = exact.logits > 0, close.logits > 0
    # The views are sorted by IoU score, so a near tie may change places: compare the best match.
    ious = [max(float((a & b).sum() / (a | b).sum().clamp(min=1)) for b in two) for a in one]
    assert np.mean(ious) > 0.95
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, *_, **__: self)
    chosen = {
        (device, exact): FullPass(build(*state), "t", torch.device(device), exact=exact).mixed
        for device in ("cuda", "mps", "cpu")
        for exact in (False, True)
    }
    assert [key for key, mixed in chosen.items() if mixed] == [("cuda", False)]


def test_other_errors_of_the_network_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    run = FullPass(build(*read_authors_checkpoint(MICRO)), "micro", CPU)

    def fails(*_: torch.Tensor) -> list[Sorted]:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(run, "_run", fails)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        run(torch.rand(4, 224, 224), torch.zeros(2, 3))


def test_an_authors_file_can_be_given_by_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICLICK_WEIGHTS_DIR", str(tmp_path))
    first = load_predictor(MICRO, device="cpu")
    assert isinstance(first, PublishedPredictor)
    assert (first.name, first.device) == ("piclick_micro_random", "cpu")
    made = (tmp_path / "piclick_micro_random.safetensors").stat().st_mtime_ns
    exact = load_predictor("piclick_micro_random", "cpu", compat="published")
    assert isinstance(exact, CompatPredictor)
    assert exact.weights_hash == first.weights_hash
    assert load_predictor("piclick_micro_random:fast").name.endswith(":fast")
    load_predictor(MICRO, device="cpu")
    assert (tmp_path / "piclick_micro_random.safetensors").stat().st_mtime_ns == made
    with pytest.raises(ValueError, match="not the published network"):
        load_predictor("piclick-tiny", compat="published")
    with pytest.raises(ValueError, match="leave out one"):
        load_predictor(MICRO, compat="published", fast=True)
    with pytest.raises(ValueError, match="no thorough mode"):
        load_predictor("piclick_micro_random:thorough")
