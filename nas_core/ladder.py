"""The evaluation ladder: how a value was obtained, from closed forms to the truth. Names only; no torch."""

from __future__ import annotations

ONE_SHOT = ("one_shot", "hits")
"""Scores of a path on shared weights: minus its cross-entropy in nats, and its share of hits on held-out images."""

WEIGHTS_STEP = "weights_step"
"""Updates that the weights had seen when they scored a path; kept beside its scores."""

TRAINED = "trained"
"""Held-out accuracy, in percent, of a network trained alone."""

AGGREGATE = "aggregate"
"""The log-rank sum of all scores of a run over its candidates so far; a run may rank by it."""

RUNGS = ("closed form", "zero-cost", "one-shot", "trained")
"""From the lowest."""


def rung(score: str) -> str:
    """The rung of a measured score; closed forms are known by their space."""
    if score in ONE_SHOT:
        return "one-shot"
    return "trained" if score == TRAINED else "zero-cost"
