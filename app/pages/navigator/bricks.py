"""The bricks of the Navigator: one a choice of a decision, with what is known of it. Drawn once, by the browser."""

from __future__ import annotations

from typing import Any

from app.cockpit import View
from app.palette import block_colour, block_label
from app.presses import press

NOT_SEEN = "unseen"
"""Stands where numbers would, of a choice that no scored network has."""
_UNSEEN = "Not seen yet: no scored network has it"


def bricks_of(view: View, label: str, decisions: tuple[int, ...]) -> dict[str, Any]:
    """The bricks of decisions that belong together, as `assets/bricks.js` draws them; their looks follow by `looks`.

    They are no components: a template has hundreds of bricks, and every update of a page costs the browser a look at
    every component. A decision whether to keep a block is one brick, the block.
    """
    bricks = []
    wordy = all(view.table.space.decisions[d].optional for d in decisions)  # blocks bear their properties in the label
    for d in decisions:
        decision = view.table.space.decisions[d]
        for c, choice in enumerate(decision.choices):
            if decision.optional and not c:
                continue
            name = decision.name if decision.optional else f"{choice} of {decision.name}"
            bricks.append(
                {
                    "at": f"{d}:{c}",
                    "shown": block_label(decision, c),
                    "name": name,
                    "colour": block_colour(decision, c),
                    "pin": press("pin", d, c),
                    "prune": press("prune", d, c),
                }
            )
    return {"label": label, "columns": 3 if wordy else max(len(bricks), 3), "bricks": bricks}


def looks(view: View) -> dict[str, dict[str, Any]]:
    """State, bar and support text of every brick; neither bar nor number of a choice that nothing scored has."""
    found = {}
    for block in view.blocks.itertuples():
        allowed = view.steering.allowed[block.decision]
        state = "pruned" if block.choice not in allowed else ("pinned" if len(allowed) == 1 else "")
        seen = bool(block.n)
        found[f"{block.decision}:{block.choice}"] = {
            "state": state,
            "seen": seen,
            "bar": {
                "--fitness": f"{block.fitness if seen else 0:.0%}",
                "--low": f"{block.low if seen else 0:.0%}",
                "--width": f"{max(block.high - block.low, 0.01) if seen else 0:.0%}",
            },
            "text": f"{block.fitness:.2f} {_count(block.n)}".removeprefix("0") if seen else NOT_SEEN,
            "title": f"Mean rank {block.fitness:.3f} [{block.low:.3f}, {block.high:.3f}], n = {block.n:,}"
            if seen
            else _UNSEEN,
        }
    return found


def _count(n: int) -> str:
    """A count as a brick has room for it; its title tells it whole."""
    return f"{n:,}" if n < 1000 else (f"{n / 1000:.1f}k" if n < 10_000 else f"{n // 1000:,}k")
