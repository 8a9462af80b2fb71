"""Parts of the Correlation page that are neither tables nor charts: the weights, and what to label next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from app import selection
from app.cockpit import turned
from app.pages.correlation.label_next import LabelPlan
from app.palette import short

LARGEST_WEIGHT = 10


def weight_inputs(weights: Mapping[str, float]) -> list[Any]:
    """A number a score that the aggregate may sum."""
    return [
        dmc.NumberInput(
            id={"type": "weight", "score": name},
            label=turned(name),
            value=weight,
            min=0,
            max=LARGEST_WEIGHT,
            step=0.5,
            size="xs",
            debounce=300,
        )
        for name, weight in weights.items()
    ]


def suggestions(found: LabelPlan, run: str, data_set: str, arch: str | None) -> list[Any]:
    """The next to label, each a link that selects it, and how far the prediction can be trusted."""
    head = ["architecture", "predicted, %", "95 % interval", *(["truth, %"] if found.held_out else [])]
    rows = [
        html.Tr(
            [
                html.Td(
                    dcc.Link(
                        f"#{one.index} {one.arch}",
                        href=f"/correlation{selection.write(run, one.arch)}",
                        title=one.arch,
                        className="arch",
                    )
                ),
                html.Td(short(one.predicted)),
                html.Td(f"{short(one.low)} to {short(one.high)}"),
                *([html.Td(short(one.truth))] if found.held_out else []),
            ],
            className="selected" if one.arch == arch else "",
            **({"aria-current": "true"} if one.arch == arch else {}),
        )
        for one in found.next
    ]
    table = html.Table(
        [html.Thead(html.Tr([html.Th(name, scope="col") for name in head])), html.Tbody(rows)],
        className="suggested",
        **{"aria-label": "Architectures to label next"},
    )
    return [html.P(_source(found, data_set), className="support"), table, html.P(_trust(found), className="support")]


def _source(found: LabelPlan, data_set: str) -> str:
    if found.simulated:
        taken = f"Simulated: {found.labels} labels are read from the truth of {data_set}, evenly over the aggregate"
    else:
        taken = f"{found.labels} labels: candidates trained alone for this run"
    return f"{taken}. Next of {found.pool:,}: where the prediction is least sure, given those above."


def _trust(found: LabelPlan) -> str:
    if not found.held_out:
        return "How far to trust it is not known: no other truth to hold it against."
    taus = f"prediction {found.tau:.3f}, aggregate alone {found.tau_aggregate:.3f}"
    return f"Tau over the {found.held_out:,} others: {taus}."
