"""`watch`: a network into the store, and a `Watcher` that adds a snapshot every so many steps of its training."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from nas_core import proxies
from nas_core.proxies import Batches
from nas_core.proxies.base import Task, unwrapped
from nas_core.store import NetworkRow, Snapshot, Store, Structure
from nas_core.watching._snapshots import take
from nas_core.watching._structure import modules_of

if TYPE_CHECKING:
    from torch import nn

FILM = ("zico",)
"""Scores of every snapshot: ZiCo's table has the gradient statistics of all layers."""
SCORES = (*FILM, "grad_norm", "naswot", "synflow", "params", "live_params", "flops", "sum_log_layer_size")
"""Scores of the first snapshot: what is known without training, and the sizes that it may merely repeat."""
EVERY = 100
_FILM_BATCHES = 2
_FILM_SHARE = 4
"""A snapshot of a film runs on a quarter of two batches: half the images of one training step."""
_FEWEST = 2


def watch(
    model: nn.Module,
    batches: Batches,
    *,
    name: str,
    store: Store | str | None = None,
    every: int | None = EVERY,
    scores: Sequence[str] = SCORES,
    film: Sequence[str] = FILM,
    output: Callable[..., Any] | None = None,
    loss: Callable[..., Any] | None = None,
) -> Watcher:
    """Put a network into the store: scores, statistics of its layers, its modules; the page Layers shows it.

    Call `step` of what is returned once a training step, and a snapshot of the scores in `film` is added every so many
    steps. Model, gradients, optimiser and random generators are left as they were.

    Example:
        watcher = nas_core.watch(model, batches, name="my network")
        for images, labels in loader:
            ...  # your training step
            watcher.step()

    Args:
        model: any network that the scores take; what is inside torch.compile, DataParallel or its distributed kind.
        batches: at least two pairs of inputs (b, ...) and labels, on the device of the model; they are kept.
        name: what people call it; a taken name gets a number.
        store: a store or its SQLAlchemy URL; the default one where it is None.
        every: training steps from one snapshot to the next; None for no film, and then all scores use whole batches.
        scores: scores of the first snapshot; those without a value keep their reason.
        film: scores of every snapshot, computed on a quarter of the first two batches.
        output: picks the tensor to score from what the model returns (default: it returns a tensor).
        loss: of outputs and labels, one number (default: mean cross-entropy).

    Raises:
        ValueError: no network, batches or scores as above, or none of the scores has a value; one line.
        StoreError: the store cannot be opened or written.
    """
    _check(model, batches, every, [*scores, *film])
    records = store if isinstance(store, Store) else Store(store)
    filmed = tuple(film) if every is not None else ()
    short = _quarters(batches)
    given = {score: short if score in filmed else batches for score in dict.fromkeys((*scores, *film))}
    inside, task = unwrapped(model), Task(output, loss)
    modules = modules_of(inside, batches[0][0][:_FEWEST])
    taken = take(inside, given, task, 0)
    first = taken.snapshot
    if all(math.isnan(value) for value in first.values.values()):
        told = "; ".join(f"{score}: {reason}" for score, reason in first.reasons.items())
        raise ValueError(f"no score of this model has a value: {told}")
    about = {"inputs": _shapes(batches), "filmed": _shapes(short) if filmed else []}
    row = records.add_network(name, about, Structure(modules, taken.constant), first)
    again = partial(take, inside, {score: short for score in filmed}, task)
    return Watcher(records, row, first, lambda step: again(step).snapshot, every)


class Watcher:
    """A network that is watched while it trains; made by `watch`.

    Attributes:
        network: the network in the store: its `id` and `name`.
        first: its first snapshot, with every score or the reason why it has none.
    """

    def __init__(
        self,
        store: Store,
        network: NetworkRow,
        first: Snapshot,
        take: Callable[[int], Snapshot],
        every: int | None,
    ) -> None:
        self.network, self.first = network, first
        self._store, self._take, self._every = store, take, every
        self._step = self._shift = 0
        self._next = every or 0
        self._told: set[str] = set()

    def step(self, number: int | None = None) -> bool:
        """Tell that a training step was made; whether a snapshot was taken.

        What goes wrong with a snapshot is a warning and ends no training.

        Args:
            number: the number of the step; left out, calls are counted. Where numbers begin again, as with every
                epoch, they are counted on.
        """
        self._step = self._step + 1 if number is None else self._counted(int(number))
        if self._every is None or self._step < self._next:
            return False
        self._next = self._step + self._every
        return self.snapshot()

    def snapshot(self) -> bool:
        """Take a snapshot now; whether it was kept."""
        try:
            self._store.add_snapshot(self.network.id, self._take(self._step))
        except ValueError as error:  # the store's errors are of this kind
            self._warn(f"no snapshot of {self.network.name!r} at step {self._step}: {error}")
            return False
        return True

    def _counted(self, number: int) -> int:
        step = number + self._shift
        if step < self._step:
            self._shift = self._step + 1 - number
            self._warn("the numbers of steps began again; they are counted on")
            step = self._step + 1
        return step

    def _warn(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            warnings.warn(message, stacklevel=3)


def _check(model: object, batches: Any, every: object, scores: Sequence[str]) -> None:
    """Refuse what cannot be watched.

    Raises:
        ValueError: which input, and what was expected.
    """
    from torch import nn

    if not isinstance(model, nn.Module):
        raise ValueError(f"model: got {type(model).__name__}, expected a torch.nn.Module")
    if not isinstance(batches, Sequence) or len(batches) < _FILM_BATCHES:
        got = f"{len(batches)}" if isinstance(batches, Sequence) else type(batches).__name__
        raise ValueError(f"batches: got {got}, expected a list of at least {_FILM_BATCHES} pairs of inputs and labels")
    for number, batch in enumerate(batches):
        if not isinstance(batch, tuple | list) or len(batch) != 2 or not hasattr(batch[0], "shape"):
            raise ValueError(f"batch {number} is a {type(batch).__name__}; expected a pair of input tensor and labels")
    if every is not None and (not isinstance(every, int) or isinstance(every, bool) or every < 1):
        raise ValueError(f"every: got {every!r}, expected a number of steps of at least 1, or None for no film")
    for score in scores:
        proxies.get(score)
    if not scores:
        raise ValueError("scores: got none, expected at least one")


def _quarters(batches: Batches) -> Batches:
    """The first quarter of the first two batches, two inputs at least."""
    counts = [max(_FEWEST, -(-len(inputs) // _FILM_SHARE)) for inputs, _ in batches[:_FILM_BATCHES]]
    return [(inputs[:n], labels[:n]) for (inputs, labels), n in zip(batches, counts, strict=False)]


def _shapes(batches: Batches) -> list[list[int]]:
    return [list(inputs.shape) for inputs, _ in batches]
