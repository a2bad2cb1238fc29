"""The training loop: steps that follow from a seed, and can stop and go on at any of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from napari_piclick.models.checkpoint import save_tiny
from napari_piclick.models.mask_decoder import ImageEmbedding
from napari_piclick.models.piclick_tiny import PiClickTiny
from napari_piclick.train.distributed import Team
from napari_piclick.train.log import append_row, drop_rows
from napari_piclick.train.losses import PARTS, prompt_loss
from napari_piclick.train.precision import mixed_precision
from napari_piclick.train.prompt_batch import PromptBatch
from napari_piclick.train.run_state import describe_settings, load_state, save_state
from napari_piclick.train.trained_parameters import relative_rate, trained_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from napari_piclick.train.picture_store import PictureStore
    from napari_piclick.train.recipe import Recipe
    from napari_piclick.train.schedule import Schedule


class Trainer:
    """Trains PiClick-Tiny, the parts the recipe and the schedule name, on stored pictures.

    Parameters
    ----------
    model : PiClickTiny
        Trained in place.
    store : PictureStore
    recipe : Recipe
    schedule : Schedule
    folder : Path
        Receives ``state.pt``, from which a run goes on, and ``losses.csv``.
    seed : int
    team : Team, optional
        The processes that train together; this one alone if not given.
    validate : callable, optional
        Scores the averaged weights; asked every ``validate_every`` steps, and the best are kept.
    origin : mapping of plain values, optional
        What the run begins with and learns from (`PicturePlan.origin`), which must stay the same.

    Raises
    ------
    ValueError
        If the encoder is to learn but the store keeps features, or the folder holds a run that
        was begun with other settings.
    """

    def __init__(
        self,
        model: PiClickTiny,
        store: PictureStore,
        recipe: Recipe,
        schedule: Schedule,
        folder: Path,
        seed: int = 0,
        *,
        team: Team | None = None,
        validate: Callable[[PiClickTiny], dict[str, float]] | None = None,
        origin: Mapping[str, Any] | None = None,
    ) -> None:
        if schedule.encoder > 0 and store.encoded:
            raise ValueError(
                "An encoder that learns needs pictures, not features; open the picture store with "
                "encoded=False."
            )
        folder.mkdir(parents=True, exist_ok=True)
        self.model, self.store, self.recipe, self.schedule = model, store, recipe, schedule
        self.folder, self.seed, self.next_step = folder, seed, 0
        self.team, self.validate = team or Team(), validate
        self.device = next(model.parameters()).device
        self.trained = trained_parameters(
            model,
            encoder=schedule.encoder > 0,
            neck=schedule.neck > 0,
            scores_only=recipe.learns == "scores",
        )
        self.parameters = list(self.trained.values())
        self.optimizer = torch.optim.AdamW(
            [
                {
                    "params": [p],
                    "lr": 0.0,
                    "share": relative_rate(name, encoder=schedule.encoder, neck=schedule.neck),
                }
                for name, p in self.trained.items()
            ],
            weight_decay=schedule.weight_decay,
        )
        self.averaged = [p.detach().clone() for p in self.parameters]
        self.best, self.best_step = -1.0, 0
        self._settings = describe_settings(schedule, seed, recipe, origin)
        state = load_state(folder, self._settings, self.device)
        if state is not None:
            self._restore(state)

    def run(
        self,
        seconds: float | None = None,
        report: Callable[[int, dict[str, float]], None] | None = None,
        save_every: float = 120.0,
        until: int | None = None,
    ) -> bool:
        """Train until the schedule ends or time is up.

        Parameters
        ----------
        seconds : float, optional
            Stop after the step during which this time is over.
        report : callable, optional
            Called with the number of the step and its losses.
        save_every : float
            Seconds between two saves; at most this much work is lost when killed.
        until : int, optional
            Stop before this step.

        Returns
        -------
        bool
            Whether the schedule is finished.
        """
        start = saved = time.monotonic()
        last = self.schedule.steps if until is None else min(until, self.schedule.steps)
        while self.next_step < last:
            losses = self.step(self.next_step)
            self._log(self.next_step, losses)
            if report:
                report(self.next_step, losses)
            self.next_step += 1
            if self.next_step % self.schedule.validate_every == 0:
                self._keep_best()
            now = time.monotonic()
            if self.team.agree(seconds is not None and now - start > seconds):
                break
            if now - saved > save_every:
                self.save()
                saved = now
        finished = self.next_step >= self.schedule.steps
        # not where a slice of a run ends: what is kept must not depend on how a run was cut up
        if finished and self.next_step % self.schedule.validate_every:
            self._keep_best()
        self.save()
        return finished

    def step(self, index: int) -> dict[str, float]:
        """One step: B simulated users, from their first click to their last."""
        rng = np.random.default_rng((self.seed, index, 1))
        window = self.schedule.pictures(index)
        sizes = len(self.store.mixtures)
        if sizes > 1:  # the pictures of a step are of one size
            first = window.start + (int(rng.integers(sizes)) - window.start) % sizes
            window = range(first, window.stop, sizes)
        each = self.schedule.prompts_per_picture
        batch = min(self.schedule.batch // each, len(window))
        numbers = np.asarray(window)[rng.choice(len(window), batch, replace=False)]
        weights = np.asarray(self.recipe.rounds)
        rounds = int(rng.choice(len(weights), p=weights / weights.sum()))
        if self.team.size > 1:
            numbers = numbers[self.team.share(batch)]
            rng = np.random.default_rng((self.seed, index, 1, self.team.rank))
        prompts = PromptBatch(
            [self.store.load(int(n)) for n in numbers], self.recipe, rng, self.device, each
        )
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.rate(index) * group["share"]
        scored = 1 + rounds if self.recipe.every_round else 1
        parts = torch.zeros(len(PARTS))
        self.model.train()
        with mixed_precision(self.device):
            encoded = self.store.encoded
            features = prompts.features() if encoded else self.model.features(prompts.pixels())
            embedding = prompts.embedding(self.model.embed(features))
        # The rounds are learned one by one, to save memory; what they want of the embedding
        # adds up here, and goes back through the encoder once.
        kept = ImageEmbedding(
            *(part.detach().requires_grad_(part.requires_grad) for part in embedding)
        )
        for k in range(rounds + 1):
            last = k == rounds
            score = last or self.recipe.every_round
            with torch.set_grad_enabled(score), mixed_precision(self.device):
                prediction = self.model.decode(kept, *prompts.prompt())
            targets = prompts.targets()
            matches = prompts.match(prediction, targets)
            if score:
                loss, found = prompt_loss(prediction, targets, matches, self.recipe)
                (loss / scored).backward()
                parts += found.cpu() / scored
            if not last:
                prompts.answer(prediction, targets, matches)
        learned = [
            (part, used.grad) for part, used in zip(embedding, kept, strict=True) if part.grad_fn
        ]
        torch.autograd.backward([part for part, _ in learned], [grad for _, grad in learned])
        self.team.average(self.parameters)
        norm = nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        decay = min(self.schedule.average, (index + 1) / (index + 10))
        torch._foreach_lerp_(self.averaged, [p.detach() for p in self.parameters], 1 - decay)
        parts = self.team.mean(parts.to(self.device)).cpu()
        names = dict(zip(PARTS, parts.tolist(), strict=True))
        return {**names, "norm": float(norm), "rounds": float(rounds)}

    def averaged_model(self) -> PiClickTiny:
        """A copy of the model with the running average of its weights, ready to predict."""
        copy = PiClickTiny(self.model.config)
        copy.load_state_dict(self.model.state_dict())
        with torch.no_grad():
            for name, value in zip(self.trained, self.averaged, strict=True):
                copy.get_parameter(name).copy_(value)
        return copy.to(self.device).eval()

    def export(self, path: Path, *, forget_confidence: bool = False, **notes: str) -> None:
        """Write the averaged weights, as `load_predictor` reads them.

        They are the best that were validated, or the last of a run that is not validated.

        Parameters
        ----------
        path : Path
        forget_confidence : bool
            Leave out what the confidence head learned, so that the IoU score alone ranks.
        **notes : str
            Further metadata of the file.
        """
        model, step = self.averaged_model(), self.next_step
        if self.validate is not None and (self.folder / "best.safetensors").exists():
            state = load_file(self.folder / "best.safetensors")
            model.load_state_dict(state, strict=False)
            notes["validation_score"], step = f"{self.best:.4f}", self.best_step
        if forget_confidence:
            model.decoder.target_reasoning.forget_confidence()
            notes["confidence"] = "constant"
        save_tiny(model, path, steps=str(step), of=str(self.next_step), **notes)

    def save(self) -> None:
        """Write the state, to a temporary name first."""
        if not self.team.leads:
            return
        save_state(
            self.folder,
            self._settings,
            step=self.next_step,
            best=self.best,
            best_step=self.best_step,
            trained={name: p.detach() for name, p in self.trained.items()},
            averaged=self.averaged,
            optimizer=self.optimizer.state_dict(),
        )

    def _keep_best(self) -> None:
        """Score the averaged weights on held-out pictures; the best are kept in a file."""
        if self.validate is None or not self.team.leads:
            return
        row = self.validate(self.averaged_model())
        append_row(self.folder / "validation.csv", {"step": self.next_step, **row})
        if row["score"] > self.best:
            self.best, self.best_step = row["score"], self.next_step
            partial = self.folder / "best.safetensors.part"
            save_file(
                {n: v.cpu().contiguous() for n, v in zip(self.trained, self.averaged, strict=True)},
                partial,
            )
            partial.replace(self.folder / "best.safetensors")

    def _restore(self, state: dict[str, Any]) -> None:
        self.next_step = state["step"]
        self.best, self.best_step = state["best"], state["best_step"]
        with torch.no_grad():
            for name, value in state["trained"].items():
                self.trained[name].copy_(value)
        self.optimizer.load_state_dict(state["optimizer"])
        self.averaged = [v.to(self.device) for v in state["averaged"]]
        if self.team.leads:
            # what was logged after the state was saved will be logged again
            drop_rows(self.folder / "losses.csv", self.next_step - 1)
            drop_rows(self.folder / "validation.csv", self.next_step)

    def _log(self, step: int, losses: dict[str, float]) -> None:
        if self.team.leads:
            append_row(self.folder / "losses.csv", {"step": step, **losses})
