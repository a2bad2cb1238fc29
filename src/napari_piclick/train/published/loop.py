"""The authors' training of the published network, for fine-tuning one of their checkpoints.

As their released code does it (recipe "code"): clicks are drawn in an object, up to three rounds
follow without gradient, in each of which one of the *matched* proposals becomes the previous mask
and a click is added where it errs, and then the loss of every prediction set is learned from, with
every mask that agrees with all of the clicks as a target. Gradients are not clipped. Every click is
a full pass, so a step takes some seconds on a CPU and a fraction of one on a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_piclick.train.precision import computes_in_bfloat16
from napari_piclick.train.published.prompts import PublishedPrompts
from napari_piclick.train.published_loss import PARTS, published_loss
from napari_piclick.train.recipe import RECIPES
from napari_piclick.train.run_state import describe_settings, load_state, save_state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from napari_piclick.models.piclick import PiClick
    from napari_piclick.train.recipe import Recipe
    from napari_piclick.train.sample import TrainingSample

#: The learning rate falls to a tenth after this share of the steps (50 of 62 epochs).
MILESTONE = 50 / 62


@dataclass(frozen=True)
class PublishedSchedule:
    """How long, how fast, and on how many prompts.

    Parameters
    ----------
    steps : int
    batch : int
        Prompts in a step, each on a picture of its own.
    learning_rate : float
        Of Adam; the authors train ViT-B from its pre-training with 5.15e-5.
    """

    steps: int = 1000
    batch: int = 4
    learning_rate: float = 1e-5

    def rate(self, step: int) -> float:
        """The learning rate at a step."""
        return self.learning_rate * (0.1 if step >= MILESTONE * self.steps else 1.0)


class PublishedTrainer:
    """Trains the published network; a run goes on where it was stopped or killed.

    Parameters
    ----------
    model : PiClick
        Trained in place, all of it.
    draw : callable
        Draws a training sample, at the size of the network's pictures, with a generator.
    schedule : PublishedSchedule
    folder : Path
        Receives ``state.pt``, from which a run goes on.
    seed : int
    recipe : Recipe, optional
        "code" if not given.
    origin : mapping of plain values, optional
        What the run begins with and learns from, which must stay the same.

    Raises
    ------
    ValueError
        If the run in the folder was begun with other settings.
    """

    def __init__(
        self,
        model: PiClick,
        draw: Callable[[np.random.Generator], TrainingSample],
        schedule: PublishedSchedule,
        folder: Path,
        seed: int = 0,
        recipe: Recipe | None = None,
        origin: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model.requires_grad_(requires_grad=True)
        self.schedule, self.next_step = schedule, 0
        self._draw, self._folder, self._seed = draw, folder, seed
        self._recipe = recipe or RECIPES["code"]
        self._device = next(model.parameters()).device
        # What has no effect on the answer has no gradient, and stays as it is.
        self._optimizer = torch.optim.Adam(model.parameters(), schedule.learning_rate)
        folder.mkdir(parents=True, exist_ok=True)
        self._settings = describe_settings(schedule, seed, self._recipe, origin)
        state = load_state(folder, self._settings, self._device)
        if state is not None:
            model.load_state_dict(state["model"])
            self._optimizer.load_state_dict(state["optimizer"])
            self.next_step = state["step"]

    def step(self, index: int) -> dict[str, float]:
        """One step; the losses of the last prediction set, by part, and the ``total`` of all."""
        rng = np.random.default_rng((self._seed, index))
        samples = [self._draw(rng) for _ in range(self.schedule.batch)]
        prompts = PublishedPrompts(samples, self._recipe, rng, self._device)
        weights = np.asarray(self._recipe.rounds)
        # The copies of the weights that autocast keeps of the rounds have no gradient, and versions
        # of torch before the mend of its issue 112583 would use them for what is learned, too.
        with torch.no_grad(), self._mixed_precision():
            for _ in range(int(rng.choice(len(weights), p=weights / weights.sum()))):
                prompts.answer(self.model(*prompts.prompt()))
        with self._mixed_precision():
            sets = self.model.all_sets(*prompts.prompt())
        prompts.judge()
        loss, parts, _ = published_loss(sets, prompts.targets, prompts.primary, self._recipe)
        for group in self._optimizer.param_groups:
            group["lr"] = self.schedule.rate(index)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        last = dict(zip(PARTS, parts[-1].tolist(), strict=True))
        return {**last, "total": float(loss.detach())}

    def _mixed_precision(self) -> torch.autocast:
        mixed = self._device.type == "cuda" and computes_in_bfloat16("cuda")
        return torch.autocast(self._device.type, torch.bfloat16, enabled=mixed)

    def run(self, report: Callable[[int, dict[str, float]], None] | None = None) -> None:
        """Train to the end of the schedule; the state is saved every tenth step and at the end."""
        while self.next_step < self.schedule.steps:
            losses = self.step(self.next_step)
            self.next_step += 1
            if report is not None:
                report(self.next_step, losses)
            if self.next_step % 10 == 0 or self.next_step == self.schedule.steps:
                self.save()

    def save(self) -> None:
        """Write the state, to a temporary name first."""
        save_state(
            self._folder,
            self._settings,
            step=self.next_step,
            model=self.model.state_dict(),
            optimizer=self._optimizer.state_dict(),
        )
