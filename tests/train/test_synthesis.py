from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import ndimage

from napari_piclick.train.mixture import Mixture
from napari_piclick.train.scene import Scene
from napari_piclick.train.synthesis import cells as cell_source
from napari_piclick.train.synthesis import lesion_canvas
from napari_piclick.train.synthesis.contrast import LesionLook, TissueContrast, vessels
from napari_piclick.train.synthesis.lesion_canvas import LesionCanvas
from napari_piclick.train.synthesis.noise import smooth_noise
from napari_piclick.train.synthesis.painted import PaintedLabels

if TYPE_CHECKING:
    from napari_piclick.train.synthesis.cell_stain import Anatomy

NAMES = ("lesions", "synthetic", "synthetic_em", "synthetic_cells")


def layer_of(scene, group: str) -> np.ndarray:
    """The label map that holds the targets of a group; all zero where there are none."""
    for target in scene.targets:
        if target.group == group:
            return scene.layers[target.layer]
    return np.zeros(scene.shape, np.uint16)


@pytest.mark.parametrize("name", NAMES)
def test_scenes_are_sound_and_repeat(name: str, synthetic_sources) -> None:
    for seed in range(6):
        scene = synthetic_sources[name].draw(np.random.default_rng(seed))
        again = synthetic_sources[name].draw(np.random.default_rng(seed))
        np.testing.assert_array_equal(scene.image, again.image)
        assert scene.targets == again.targets
        assert 0 <= scene.image.min() < scene.image.max() <= 255
        assert np.isfinite(scene.image).all()
        for layer in scene.layers:
            assert layer.shape == scene.shape
            assert layer.dtype == np.uint16
        for target in scene.targets:
            assert np.isin(target.values, scene.layers[target.layer]).any()


@pytest.mark.parametrize("name", NAMES)
def test_a_click_mostly_has_several_meanings(name: str, synthetic_sources) -> None:
    mixture = Mixture({name: (synthetic_sources[name], 1)}, 128)
    rng = np.random.default_rng(0)
    counts = []
    for _ in range(12):
        sample = mixture.draw(rng)
        for _ in range(5):
            rows, cols = np.nonzero(
                sample.masks[rng.choice(len(sample.weights), p=_unit(sample.weights))]
            )
            point = rng.integers(rows.size)
            counts.append(int(sample.masks[:, rows[point], cols[point]].sum()))
    assert np.mean(np.array(counts) >= 2) > 0.6


def test_parts_of_lesions_lie_in_their_lesion(synthetic_sources) -> None:
    cores = 0
    for seed in range(12):
        scene = synthetic_sources["lesions"].draw(np.random.default_rng(seed))
        whole, core = layer_of(scene, "lesion"), layer_of(scene, "lesion core")
        rim, necrosis = layer_of(scene, "lesion rim"), layer_of(scene, "necrosis")
        cores += bool(core.any())
        np.testing.assert_array_equal(whole[core > 0], core[core > 0])
        assert not (rim[core == 0] > 0).any()
        assert not ((rim > 0) & (necrosis > 0)).any()
        for number in np.unique(necrosis)[1:] if core.any() else ():
            together = (rim == number) | (necrosis == number)
            np.testing.assert_array_equal(together, core == number)
    assert cores >= 4


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_a_core_may_come_in_two_pieces_of_one_object(
    disc, monkeypatch: pytest.MonkeyPatch, chance: float
) -> None:
    monkeypatch.setattr(lesion_canvas, "PIECES", chance)
    brain = disc((160, 160), (80, 80), 75)
    pieces = []
    for seed in range(12):
        canvas = LesionCanvas.empty(np.where(brain, 200, 0).astype(np.float32), brain)
        canvas.add_lesion(40, np.random.default_rng(seed))
        if canvas.core.any():
            assert set(np.unique(canvas.core)) == {0, 1}
            assert canvas.whole[canvas.core > 0].all()
            pieces.append(ndimage.label(canvas.core, np.ones((3, 3)))[1])
    assert len(pieces) > 6
    assert (max(pieces) > 1) == bool(chance)


def test_lesions_can_be_seen(synthetic_sources) -> None:
    """The lesion differs from what is around it in most pictures, though it may be dim."""
    contrast = []
    for seed in range(20):
        scene = synthetic_sources["lesions"].draw(np.random.default_rng(seed))
        whole = layer_of(scene, "lesion") > 0
        brain = (layer_of(scene, "brain") > 0) & ~whole
        if whole.sum() > 60:
            noise = scene.image[brain].std()
            difference = np.abs(scene.image[whole] - np.median(scene.image[brain])).mean()
            contrast.append(difference / max(noise, 1))
    assert len(contrast) > 10
    assert np.median(contrast) > 0.8


def test_vessels_are_few_and_lie_in_and_beside_the_fluid() -> None:
    t1 = np.full((128, 128), 232, np.float32)
    t1[:, 60:68] = 70
    shares = []
    for seed in range(20):
        share = vessels(t1, np.random.default_rng(seed))
        assert share.min() >= 0
        assert share.max() <= 1
        assert not share[:, :52].any()
        assert not share[:, 76:].any()
        shares.append(float((share > 0.5).mean()))
    assert 0.001 < np.mean(shares) < 0.05


def test_contrast_agent_is_the_only_reason_for_vessels() -> None:
    t1 = np.full((128, 128), 178, np.float32)
    t1[:, 60:68] = 70
    nothing = np.zeros(t1.shape, np.int64)
    brightest = {}
    for sequence in ("t1", "t1ce"):
        contrast = TissueContrast(sequence, (0.2, 0.2, 0.2, 0.5, 0.5, 0.5))
        images = [contrast.apply(t1, nothing, np.random.default_rng(seed)) for seed in range(20)]
        brightest[sequence] = max(float(image.max()) for image in images)
    assert brightest["t1ce"] > 1 > brightest["t1"]


def test_mitochondria_lie_in_cells_and_their_insides_in_them(synthetic_sources) -> None:
    found = 0
    for seed in range(6):
        scene = synthetic_sources["synthetic_em"].draw(np.random.default_rng(seed))
        bodies, insides = (
            layer_of(scene, group) for group in ("mitochondrion", "inside of a mitochondrion")
        )
        cells = layer_of(scene, "cell")
        np.testing.assert_array_equal(bodies[insides > 0], insides[insides > 0])
        for number in np.unique(bodies)[1:]:
            assert len(np.unique(cells[bodies == number])) == 1
            assert cells[bodies == number].all()
            found += 1
    assert found >= 10


def test_nuclei_lie_in_their_cells_and_some_have_lobes_apart(synthetic_sources) -> None:
    lobed = found = 0
    for seed in range(20):
        scene = synthetic_sources["synthetic_cells"].draw(np.random.default_rng(seed))
        whole, nuclei = layer_of(scene, "cell"), layer_of(scene, "nucleus")
        found += len(np.unique(nuclei)) - 1
        if whole.any():  # else the cytoplasm is not stained
            np.testing.assert_array_equal(whole[nuclei > 0], nuclei[nuclei > 0])
            cytoplasm = layer_of(scene, "cytoplasm")
            np.testing.assert_array_equal(cytoplasm, np.where(nuclei > 0, 0, whole))
        lobes = layer_of(scene, "lobe")
        lobed += bool(lobes.any())
        for lobe in np.unique(lobes)[1:]:
            assert len(np.unique(nuclei[lobes == lobe])) == 1
    assert found > 60
    assert 5 <= lobed < 20


def test_nuclei_can_be_told_from_their_cells(synthetic_sources) -> None:
    clear = []
    for seed in range(30):
        scene = synthetic_sources["synthetic_cells"].draw(np.random.default_rng(seed))
        nuclei, cytoplasm = layer_of(scene, "nucleus") > 0, layer_of(scene, "cytoplasm") > 0
        if nuclei.any() and cytoplasm.any():
            image = scene.image.reshape(*scene.shape, -1)
            apart = np.abs(np.median(image[nuclei], 0) - np.median(image[cytoplasm], 0)).max()
            clear.append(apart > 20)
    assert len(clear) > 15
    assert np.mean(clear) > 0.9


def test_cells_without_stained_cytoplasm_are_no_targets(
    synthetic_sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cell_source, "transmitted_light", _unseen)
    monkeypatch.setattr(cell_source, "fluorescence", _unseen)
    scene = synthetic_sources["synthetic_cells"].draw(np.random.default_rng(0))
    assert "nucleus" in {target.group for target in scene.targets}
    assert not {"cell", "cytoplasm"} & {target.group for target in scene.targets}


def _unseen(anatomy: Anatomy, _rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    return 255.0 * (anatomy.nuclei > 0), False


def test_inner_parts_lie_in_their_objects(synthetic_sources) -> None:
    for seed in range(10):
        scene = synthetic_sources["synthetic"].draw(np.random.default_rng(seed))
        outer, inner = layer_of(scene, "object"), layer_of(scene, "inner")
        core = layer_of(scene, "core")
        np.testing.assert_array_equal(outer[inner > 0], inner[inner > 0])
        assert not core[inner == 0].any()


def test_some_parts_have_several_pieces_which_may_be_meant_one_by_one(synthetic_sources) -> None:
    seen = 0
    for seed in range(20):
        scene = synthetic_sources["synthetic"].draw(np.random.default_rng(seed))
        inner, pieces = layer_of(scene, "inner"), layer_of(scene, "piece")
        if not pieces.any():
            continue
        seen += 1
        np.testing.assert_array_equal(pieces > 0, inner > 0)
        parts = len(np.unique(pieces)) - 1
        assert parts > len(np.unique(inner)) - 1
        for piece in range(1, parts + 1):
            assert len(np.unique(inner[pieces == piece])) == 1
    assert 2 <= seen < 20


def test_a_part_that_is_not_painted_is_no_target(
    synthetic_sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where core and rim look like the oedema around them, a click cannot mean them."""
    look = LesionLook(oedema=0.9, opacity=1.0, core=None, rim=None, necrosis=0.2)
    monkeypatch.setattr(TissueContrast, "lesion", lambda _self, _rng: look)
    groups = set()
    for seed in range(8):
        scene = synthetic_sources["lesions"].draw(np.random.default_rng(seed))
        groups |= {target.group for target in scene.targets}
    assert {"lesion", "necrosis"} <= groups
    assert not {"lesion core", "lesion rim"} & groups


@pytest.mark.parametrize("reach", [True, False])
def test_a_lesion_may_reach_the_surface_of_the_brain_and_shows_there(
    disc, monkeypatch: pytest.MonkeyPatch, reach: bool
) -> None:
    """A real one presses the fluid away; kept off the edge, it would teach a rim left out."""
    monkeypatch.setattr(lesion_canvas, "SURFACE", float(reach))
    brain = disc((120, 120), (60, 60), 50)
    t1 = np.where(disc((120, 120), (60, 60), 46), 200, 60 * brain).astype(np.float32)
    look = LesionLook(oedema=0.9, opacity=1.0, core=None, rim=None, necrosis=None)
    surface = brain & ~ndimage.binary_erosion(brain)
    touched, shown = 0, []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        canvas = LesionCanvas.empty(t1, brain)
        canvas.add_lesion(40, rng, parts=False)
        there = surface & (canvas.whole > 0)
        touched += there.sum()
        image = canvas.paint(np.where(brain, 0.2, 0).astype(np.float32), look, rng)
        shown += [image[there].mean()] if there.any() else []
    assert (touched > 40) == reach
    assert len(shown) == 0 or np.mean(shown) > 0.6


def test_painted_scenes_keep_the_outlines_and_lose_the_contrast(nested_scene) -> None:
    class Sometimes:
        def draw(self, rng: np.random.Generator) -> Scene:
            return nested_scene() if rng.random() < 0.5 else Scene(np.zeros((9, 9)), "bare")

    original = nested_scene()
    source = PaintedLabels([Sometimes()])
    brighter = []
    for seed in range(20):
        scene = source.draw(np.random.default_rng(seed))
        assert scene.source == "painted"
        assert scene.targets == original.targets
        np.testing.assert_array_equal(scene.layers[0], original.layers[0])
        cell, ground = scene.layers[0] > 0, scene.layers[0] == 0
        brighter.append(scene.image[cell].mean() > scene.image[ground].mean())
    assert 2 < sum(brighter) < 20
    with pytest.raises(ValueError, match="no label maps"):
        PaintedLabels([])
    with pytest.raises(ValueError, match="has labels"):
        PaintedLabels([Bare()]).draw(np.random.default_rng(0))


class Bare:
    def draw(self, rng: np.random.Generator) -> Scene:
        return Scene(np.zeros((9, 9)), "bare")


@pytest.mark.parametrize("scale", [1, 3, 12, 60])
def test_noise_has_unit_variance_and_the_scale_asked_for(scale: float) -> None:
    rng = np.random.default_rng(0)
    fields = np.stack([smooth_noise((96, 130), scale, rng) for _ in range(40)])
    assert fields.shape == (40, 96, 130)
    assert fields.std() == pytest.approx(1, abs=0.1)
    assert fields.mean() == pytest.approx(0, abs=0.15)
    far = 3 * int(np.ceil(scale)) if scale < 40 else 96
    near = max(int(scale / 6), 0)
    assert np.mean(fields[..., : 130 - far] * fields[..., far:]) == pytest.approx(0, abs=0.25)
    if near:
        assert np.mean(fields[..., :-near] * fields[..., near:]) > 0.6


def _unit(weights: np.ndarray) -> np.ndarray:
    return weights.astype(np.float64) / weights.astype(np.float64).sum()
