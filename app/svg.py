"""Charts as static SVG, for documents that stand alone. Pure functions of arrays; colours are those of the document.

Ink, grid and accent are the style sheet's `--ink`, `--grid` and `--accent`, so that a chart follows its theme.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from app.palette import LINES, short

WIDTH, HEIGHT = 720, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 14, 42
_TICKS = 5
_MOST_POINTS = 600
"""Points of a line that a reader can tell apart."""


@dataclass(frozen=True)
class Axes:
    """Names and ranges of the axes of a chart."""

    x: str
    y: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    height: int = HEIGHT

    def across(self, value: float) -> float:
        """Where a value of x stands, in pixels from the left."""
        low, high = self.x_range
        return _LEFT + (value - low) / (high - low or 1) * (WIDTH - _LEFT - _RIGHT)

    def down(self, value: float) -> float:
        """Where a value of y stands, in pixels from the top."""
        low, high = self.y_range
        return self.height - _BOTTOM - (value - low) / (high - low or 1) * (self.height - _TOP - _BOTTOM)


@dataclass(frozen=True)
class Line:
    """A line to draw: its name, and the points it goes through (n,); points that are no numbers are left out."""

    name: str
    x: np.ndarray
    y: np.ndarray


def lines(
    drawn: Sequence[Line], x: str, y: str, title: str, *, steps: bool = False, flags: Sequence[tuple[float, str]] = ()
) -> str:
    """Lines told apart by colour and dash; `steps` where a value holds until the next; `flags` are `(x, text)`."""
    kept = [(line.name, *_thinned(line.x, line.y)) for line in drawn]
    xs = np.concatenate([[0.0], *(x for _, x, _ in kept), [at for at, _ in flags]])
    axes = Axes(x, y, _span(xs, 0.0), _span(np.concatenate([y for _, _, y in kept])))
    parts = []
    for number, (at, text) in enumerate(flags, start=1):
        place = axes.across(at)
        parts.append(
            f'<g><title>{escape(text)}</title><line class="flag" x1="{place:.1f}" x2="{place:.1f}" y1="{_TOP}" '
            f'y2="{axes.height - _BOTTOM}"/><text class="flag" x="{place + 3:.1f}" y="{_TOP + 9}">{number}</text></g>'
        )
    for (name, along, values), (colour, dash) in zip(kept, LINES, strict=False):
        style = f'stroke="{colour}"' + ("" if dash == "solid" else f' stroke-dasharray="{_DASHES[dash]}"')
        parts.append(
            f'<path class="line" {style} d="{_path(axes, along, values, steps)}"><title>{escape(name)}</title></path>'
        )
    if len(kept) > 1:
        parts += _legend([name for name, _, _ in kept], axes.height)
    return _framed(axes, "".join(parts), title)


def intervals(
    names: Sequence[str],
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    colours: Sequence[str],
    x: str,
    title: str,
) -> str:
    """A row a name: its value as a dot, its interval as a bar; all in the units of x."""
    height = 18 * len(names) + _TOP + _BOTTOM
    left = 230
    axes = Axes(x, "", (0.0, 1.0), (0.0, float(len(names))), height)

    def across(value: float) -> float:
        return left + value * (WIDTH - left - _RIGHT)

    parts = [
        f'<line class="grid" x1="{across(t):.1f}" x2="{across(t):.1f}" y1="{_TOP}" y2="{height - _BOTTOM}"/>'
        f'<text x="{across(t):.1f}" y="{height - _BOTTOM + 15}" text-anchor="middle">{t:g}</text>'
        for t in (0, 0.25, 0.5, 0.75, 1)
    ]
    for k, (name, colour) in enumerate(zip(names, colours, strict=True)):
        y = axes.down(len(names) - k - 0.5)
        parts.append(
            f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(name)}</text>'
            f'<line class="interval" x1="{across(low[k]):.1f}" x2="{across(high[k]):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<circle cx="{across(values[k]):.1f}" cy="{y:.1f}" r="4.5" fill="{colour}"/>'
        )
    parts.append(f'<text x="{(left + WIDTH) / 2}" y="{height - 8}" text-anchor="middle">{escape(x)}</text>')
    return _image("".join(parts), height, title)


def dots(groups: Sequence[tuple[np.ndarray, str, float]], x: str, y: str, title: str) -> str:
    """Dots in groups `(places (n, 2), colour, size in pixels)`, the later above the earlier."""
    places = np.concatenate([place for place, _, _ in groups])
    axes = Axes(x, y, _span(places[:, 0]), _span(places[:, 1]), 420)
    parts = []
    for place, colour, size in groups:
        points = "".join(f"M{axes.across(a):.1f} {axes.down(b):.1f}h0" for a, b in place)
        if points:
            parts.append(f'<path class="dots" stroke="{colour}" stroke-width="{size:g}" d="{points}"/>')
    return _framed(axes, "".join(parts), title)


_DASHES = {"dash": "8 5", "dot": "2 4", "dashdot": "8 4 2 4", "longdash": "14 6"}


def _span(values: np.ndarray, least: float | None = None) -> tuple[float, float]:
    """Range with a margin; around nothing, 0 to 1."""
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 0.5
    return (low - margin if least is None else least), high + margin


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    usable = np.isfinite(x) & np.isfinite(y)
    x, y = x[usable], y[usable]
    if len(x) <= _MOST_POINTS:
        return x, y
    kept = np.unique(np.linspace(0, len(x) - 1, _MOST_POINTS).astype(int))
    return x[kept], y[kept]


def _path(axes: Axes, x: np.ndarray, y: np.ndarray, steps: bool) -> str:
    words = []
    for k, (a, b) in enumerate(zip(x, y, strict=True)):
        across, down = axes.across(a), axes.down(b)
        words.append(
            (f"H{across:.1f}V{down:.1f}" if steps else f"L{across:.1f} {down:.1f}")
            if k
            else f"M{across:.1f} {down:.1f}"
        )
    return "".join(words)


def _legend(names: Sequence[str], height: int) -> list[str]:
    """Names beside the way their lines are drawn, left of the name of x."""
    parts = []
    for k, (name, (colour, dash)) in enumerate(zip(names, LINES, strict=False)):
        x, y = _LEFT + 120 * k, height - 10
        dashes = "" if dash == "solid" else f' stroke-dasharray="{_DASHES[dash]}"'
        parts.append(
            f'<line class="line" x1="{x}" x2="{x + 30}" y1="{y}" y2="{y}" stroke="{colour}"{dashes}/>'
            f'<text x="{x + 36}" y="{y + 4}">{escape(name)}</text>'
        )
    return parts


def _framed(axes: Axes, inside: str, title: str) -> str:
    """`inside` with grid, ticks and names of the axes around it."""
    bottom = axes.height - _BOTTOM
    parts = []
    for tick in _ticks(*axes.y_range):
        y = axes.down(tick)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{short(tick)}</text>'
        )
    for tick in _ticks(*axes.x_range):
        x = axes.across(tick)
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}"/>'
            f'<text x="{x:.1f}" y="{bottom + 15}" text-anchor="middle">{short(tick)}</text>'
        )
    middle = (_TOP + bottom) / 2
    parts.append(f'<text x="{(_LEFT + WIDTH) / 2}" y="{axes.height - 6}" text-anchor="middle">{escape(axes.x)}</text>')
    parts.append(
        f'<text transform="translate(13 {middle:.0f}) rotate(-90)" text-anchor="middle">{escape(axes.y)}</text>'
    )
    return _image("".join(parts) + inside, axes.height, title)


def _ticks(low: float, high: float) -> list[float]:
    """About `_TICKS` round numbers in a range."""
    raw = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _image(inside: str, height: int, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}">{inside}</svg>'
    )
