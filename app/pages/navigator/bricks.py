"""The bricks of the Navigator: one a choice of a decision, with what is known of it. Drawn once; their looks follow."""

from __future__ import annotations

from typing import Any

from dash import html

from app.cockpit import View
from app.palette import block_colour, block_label
from app.presses import press

NOT_SEEN = "unseen"
"""Stands where numbers would, of a choice that no scored network has."""
_UNSEEN = "Not seen yet: no scored network has it"


def bricks_of(view: View, label: str, decisions: tuple[int, ...]) -> html.Div:
    """The bricks of decisions that belong together; their looks follow from `looks`, so that none is replaced under
    the pointer. A decision whether to keep a block is one brick, the block."""
    bricks = []
    wordy = all(view.table.space.decisions[d].optional for d in decisions)  # blocks bear their properties in the label
    for d in decisions:
        decision = view.table.space.decisions[d]
        for c, choice in enumerate(decision.choices):
            if decision.optional and not c:
                continue
            name = decision.name if decision.optional else f"{choice} of {decision.name}"
            bricks.append(_brick(f"{d}:{c}", block_label(decision, c), name, block_colour(decision, c)))
    return html.Div(
        [
            html.Div([label, " ", html.Span("pinned", className="pinned-word")], className="decision"),
            html.Div(bricks, className="bricks", style={"--columns": 3 if wordy else max(len(bricks), 3)}),
        ],
        className="decision-group",
    )


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


def _brick(identifier: str, shown: str, name: str, colour: str) -> html.Div:
    d, c = identifier.split(":")
    return html.Div(
        [
            html.Button(shown, className="pin", title=name, **press("pin", d, c), **{"aria-label": f"pin {name}"}),
            html.Button("×", className="prune", **press("prune", d, c), **{"aria-label": f"prune {name}"}),
            html.Div([html.Div(className="fill"), html.Div(className="whisker")], className="bar"),
            html.Div(NOT_SEEN, className="support"),
        ],
        className="brick unseen",
        style={"--op": colour},
        **{"data-brick": identifier},
    )
