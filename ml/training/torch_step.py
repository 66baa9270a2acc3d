"""Training steps on torch that cost a GPU no waiting: teacher, slopes, momentum and weights in one recorded piece.

Called layer by layer, a small network keeps a GPU waiting for Python most of the time. On CUDA the first step of each
kind is therefore recorded, and from then on replayed as a whole ("CUDA graphs"). On a processor the same code runs as
it is. What it does is what `keras.optimizers.SGD` with Nesterov momentum and weight decay does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import keras
import torch  # type: ignore[import-not-found]

from ml.training.recipe import Recipe
from ml.training.sharpness import statistics_kept
from ml.training.teacher import Teachers

Tensor: TypeAlias = Any
PlainStep: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Of faces, targets and learning rate; the loss."""

WARM_UP = 3
"""Steps before one is recorded, in which torch chooses its kernels and takes the memory that it needs."""


class TorchStep:
    """Steps of the compiled model (see `Step`)."""

    def __init__(self, model: keras.Model, teachers: Teachers, recipe: Recipe) -> None:
        self._model, self._teachers, self._recipe = model, teachers, recipe
        self._weights = [variable.value for variable in model.trainable_variables]
        self._speeds = [variable.value for variable in model.optimizer.momentums]
        self._decayed = [weight for weight in self._weights if weight.ndim > 1]
        self._recorded: dict[tuple[bool, int, int], PlainStep] = {}
        # One for all recorded steps, which are never replayed at once.
        self._memory = torch.cuda.graph_pool_handle() if torch.cuda.is_available() else None

    def __call__(self, faces: Tensor, targets: Tensor, rate: Tensor, *, sharp: bool, turn: int) -> Tensor:
        """`faces`: (n, side, side, 1), `targets`: (n, 7), `rate`: the learning rate, a tensor without axes; `turn`:
        whose of the teachers it is. The loss, before the step, stays on the device."""
        turn %= max(1, len(self._teachers))

        def step(faces: Tensor, targets: Tensor, rate: Tensor) -> Tensor:
            return self._step(faces, targets, rate, sharp, turn)

        if faces.device.type != "cuda":
            return step(faces, targets, rate)
        kind = sharp, turn, faces.shape[1]
        if kind not in self._recorded:
            self._recorded[kind] = self._record(step, (faces, targets, rate))
        return self._recorded[kind](faces, targets, rate)

    def _step(self, faces: Tensor, targets: Tensor, rate: Tensor, sharp: bool, turn: int) -> Tensor:
        with torch.no_grad():
            targets = self._teachers.join(faces, targets, self._recipe.teacher_weight, turn)
        loss, slopes = self._slopes(faces, targets)
        if sharp:
            slopes = self._slopes_uphill(slopes, faces, targets)
        self._descend(slopes, rate)
        return loss

    def _slopes(self, faces: Tensor, targets: Tensor) -> tuple[Tensor, list[Tensor]]:
        answers = self._model(faces, training=True)
        loss = -(targets * (answers + 1e-7).log()).sum(dim=1).mean()
        return loss.detach(), list(torch.autograd.grad(loss, self._weights))

    @torch.no_grad()
    def _slopes_uphill(self, slopes: list[Tensor], faces: Tensor, targets: Tensor) -> list[Tensor]:
        """See `ml.training.sharpness`."""
        steepness = torch.stack(torch._foreach_norm(slopes)).norm() + 1e-12
        moves = torch._foreach_mul(slopes, self._recipe.reach / steepness)
        torch._foreach_add_(self._weights, moves)
        with statistics_kept(self._model), torch.enable_grad():
            slopes = self._slopes(faces, targets)[1]
        torch._foreach_sub_(self._weights, moves)
        return slopes

    @torch.no_grad()
    def _descend(self, slopes: list[Tensor], rate: Tensor) -> None:
        momentum = self._recipe.momentum
        torch._foreach_mul_(self._decayed, 1 - self._recipe.weight_decay * rate)
        moves = torch._foreach_mul(slopes, -rate)
        torch._foreach_mul_(self._speeds, momentum)
        torch._foreach_add_(self._speeds, moves)
        torch._foreach_add_(self._weights, moves)
        torch._foreach_add_(self._weights, self._speeds, alpha=momentum)

    def _record(self, step: PlainStep, given: tuple[Tensor, Tensor, Tensor]) -> PlainStep:
        """The step, recorded over inputs of this shape. Weights, momentum and chance are left as they were."""
        places = [each.clone() for each in given]
        with self._state_kept():
            _warm_up(step, places)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._memory):
                loss = step(*places)

        def replay(*inputs: Tensor) -> Tensor:
            for place, value in zip(places, inputs, strict=True):
                place.copy_(value)
            graph.replay()
            return loss.clone()

        return replay

    @contextmanager
    def _state_kept(self) -> Iterator[None]:
        state = [*self._speeds, *(variable.value for variable in self._model.variables)]
        before, chance = [each.detach().clone() for each in state], torch.cuda.get_rng_state()
        yield
        torch.cuda.set_rng_state(chance)
        with torch.no_grad():
            for each, value in zip(state, before, strict=True):
                each.copy_(value)


def _warm_up(step: PlainStep, places: list[Tensor]) -> None:
    """Some steps on a stream of their own, as recording asks for."""
    torch.backends.cudnn.benchmark = True
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM_UP):
            step(*places)
    torch.cuda.current_stream().wait_stream(aside)
