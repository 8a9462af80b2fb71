"""Parts of the Correlation page that are neither tables nor charts: the weights, and what to label next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from app import selection
from app.labels import explanation, ranking_label
from app.pages.correlation.label_next import LabelPlan
from app.palette import short
from app.truth import Truth

LARGEST_WEIGHT = 10


def weight_inputs(weights: Mapping[str, float]) -> list[Any]:
    """A number a score that the aggregate may sum."""
    return [
        html.Div(
            dmc.NumberInput(
                id={"type": "weight", "score": name},
                label=ranking_label(name),
                value=weight,
                min=0,
                max=LARGEST_WEIGHT,
                step=0.5,
                size="xs",
                debounce=300,
            ),
            title=explanation(name),
        )
        for name, weight in weights.items()
    ]


def suggestions(found: LabelPlan, run: str, truth: Truth | None, arch: str | None) -> list[Any]:
    """The next to label, each a link that selects it, and how far the prediction can be trusted."""
    known, recorded = ("", 1) if truth is None else (truth.unit, truth.column.sign)
    predicted, sign = (known, recorded) if found.simulated else (" %", 1)  # what was trained is an accuracy
    heads = ["architecture", f"predicted,{predicted}", "95 % interval", f"truth,{known}"]
    head = [name.removesuffix(",") for name in heads[: 4 if found.held_out else 3]]
    rows = [
        html.Tr(
            [
                html.Td(
                    dcc.Link(
                        f"#{one.index} {one.arch}",
                        href=selection.path_of("/correlation")
                        + selection.write(run, one.arch, None if truth is None else truth.choice),
                        title=one.arch,
                        className="arch",
                    )
                ),
                html.Td(short(sign * one.predicted)),
                html.Td(" to ".join(short(end) for end in sorted((sign * one.low, sign * one.high)))),
                *([html.Td(short(recorded * one.truth))] if found.held_out else []),
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
    return [html.P(_source(found, truth), className="support"), table, html.P(_trust(found), className="support")]


def _source(found: LabelPlan, truth: Truth | None) -> str:
    if found.simulated and truth is not None:
        taken = f"Simulated: {found.labels} labels are read from the known {truth.title}, evenly over the aggregate"
    else:
        taken = f"{found.labels} labels: candidates trained alone for this run"
    return f"{taken}. Next of {found.pool:,}: where the prediction is least sure, given those above."


def _trust(found: LabelPlan) -> str:
    if not found.held_out:
        return "Reliability unknown: no further known results to compare with."
    taus = f"prediction {found.tau:.3f}, aggregate alone {found.tau_aggregate:.3f}"
    return f"Tau over the {found.held_out:,} others: {taus}."
