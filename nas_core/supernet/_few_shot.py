"""Few-shot: one sub-supernet a choice of a decision, going on from inherited weights. Needs torch."""

from __future__ import annotations

import copy
from dataclasses import replace

from nas_core.spaces import Act, SteeringConflict
from nas_core.supernet._train import Trainer


def few_shot(
    trainer: Trainer, decision: str, *, epochs: float | None = None, seconds: float | None = None
) -> dict[str, Trainer]:
    """A trainer for each choice that the steering leaves in `decision`, pinned to it, by the choice's name.

    Each inherits the weights of `trainer` bit for bit, which itself goes on unharmed, and has a budget of its own:
    `seconds`, `epochs`, or else that of `trainer`. Source: Zhao et al., Few-Shot NAS, ICML 2021.

    Raises:
        SteeringConflict: no such decision, or a choice that cannot be sampled alone.
    """
    positions = [k for k, known in enumerate(trainer.space.decisions) if known.name == decision]
    if not positions:
        expected = ", ".join(known.name for known in trainer.space.decisions)
        raise SteeringConflict(f"unknown decision {decision!r}; expected one of: {expected}")
    settings = trainer.settings
    if epochs is not None or seconds is not None:
        settings = replace(settings, epochs=settings.epochs if epochs is None else epochs, seconds=seconds)
    parts = {}
    for choice in trainer.steering.allowed[positions[0]]:
        name = trainer.space.decisions[positions[0]].choices[choice]
        pin = Act("pin", decision, (name,), note="few-shot")
        parts[name] = Trainer(settings, acts=[*trainer.acts, pin], images=trainer.images)
        parts[name].supernet.load_state_dict(copy.deepcopy(trainer.supernet.state_dict()))
    return parts
