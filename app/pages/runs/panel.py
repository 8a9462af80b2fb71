"""What the panel beside the table says of two runs: the verdict in words, what each found, where their best differ."""

from __future__ import annotations

from typing import Any

from dash import html

from app.pages.runs.compare import Comparison, Course, Segment, outcome
from app.presses import press

_MOST_SEGMENTS = 8
"""Decisions of a strip that fit side by side; of more, those in which the two differ come first."""


def summary(found: Comparison) -> list[Any]:
    """The verdict, then a tile a run."""
    said = found.verdict
    evidence = f"{': ' if said.evidence else ''}{said.evidence}"
    return [
        html.P([html.B(said.finding), evidence], className="runs-verdict"),
        *([html.P(said.how, className="runs-how")] if said.how else []),
        html.Div([_tile(course, number) for number, course in enumerate(found.courses)], className="runs-tiles"),
    ]


def _tile(course: Course, number: int) -> html.Div:
    value, told = outcome(course)
    return html.Div(
        [
            html.Div(course.name, className="runs-tile-name", title=course.name),
            html.Div(
                [html.Span(value, className="runs-tile-value"), f" {course.metric}"], className="runs-tile-metric"
            ),
            html.Div(told, className="runs-tile-told"),
        ],
        className=f"runs-tile {'second' if number else 'first'}",
    )


def cells(found: Comparison) -> list[Any]:
    """The best candidates as coloured strips; ringed where they differ."""
    if not found.strips:
        return []
    apart = sum(segment.differs for segment in found.strips[0])
    total = len(found.strips[0])
    told = f"ringed: the {apart} of {total} decisions that differ" if apart else "they are the same network"
    shown = _shown(found.strips[0])
    left = total - len(shown)
    return [
        html.H3(["Best cells ", html.Span(told, className="runs-hint")]),
        *(
            html.Div(
                [
                    html.Span(course.label, className="runs-strip-name", title=course.name),
                    html.Div([_segment(strip[place]) for place in shown], className="runs-strip"),
                ],
                className="runs-strip-row",
            )
            for course, strip in zip(found.courses, found.strips, strict=True)
        ),
        *([html.P(f"{left:,} more decisions are not shown.", className="runs-hint")] if left else []),
    ]


def _shown(strip: tuple[Segment, ...]) -> list[int]:
    """Places of the decisions that are shown, in their order."""
    places = sorted(range(len(strip)), key=lambda place: not strip[place].differs)[:_MOST_SEGMENTS]
    return sorted(places)


def _segment(segment: Segment) -> html.Span:
    said = f"{segment.decision}: {segment.choice}" + (" (differs)" if segment.differs else "")
    return html.Span(
        segment.choice,
        title=said,
        className="runs-segment differs" if segment.differs else "runs-segment",
        style={"--op": segment.colour},
    )


def acts(found: Comparison) -> list[Any]:
    """What can be done with the two."""
    first = found.courses[0]
    return [
        html.Button(
            "Write the report",
            type="button",
            className="runs-button runs-filled",
            title=f"Download the report of “{first.name}”" + (", with its twin" if found.twins else ""),
            **press("report", first.run),
        )
    ]
