"""The report of a whole session as one HTML document that needs neither network nor scripts. Reads the store only."""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np
from plotly.colors import sample_colorscale

from app import laboratory, page, svg
from app.act_words import words
from app.best_so_far import best_positions
from app.cockpit import Cockpit, View
from app.labels import ranking_label, score_label
from app.palette import OPERATION_NAMES, UNKNOWN_OPERATION, operation_colour, short
from app.preview import preview
from app.truth import Truth
from nas_core import bench
from nas_core.ladder import RUNGS, TRAINED
from nas_core.ranks import rankdata, spearman
from nas_core.spaces import Act, Steering, SteeringConflict
from nas_core.store import LogEntry, RunRow, session_script, twin_of

BEST = 10
_COUNTS = ("live_params", "sum_log_layer_size")
"""What a score may merely repeat."""
_STATISTICS = {
    "score": "score",
    "n": "n",
    "tau": "tau",
    "tau_top_half": "tau, top half",
    "rho": "rho",
    "regret_at_1": "regret at 1",
    "regret": "regret at 10",
    "ndcg": "nDCG at 100",
}
"""What the agreement of a score is told by, with the heads of its columns."""
_BLOCKS = 30
"""Blocks of which the fitness is drawn at most, half from either end."""
_DOTS = (2.2, 4.0)
"""Size on the map of an architecture that is not scored, and of one that is; in pixels."""
_LEVELS = sample_colorscale("Viridis", list(np.linspace(0, 1, 12)))
_STYLE = """
:root { color-scheme: light dark;
  --paper: #FFFFFF; --ink: #212529; --faint: #52585F; --grid: #CED4DA; --accent: #B34700; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #1B1E22; --ink: #E3E6EA; --faint: #A9B0B8; --grid: #42474E; --accent: #FF9A5C; } }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif;
  max-width: 960px; margin: 0 auto; padding: 16px 24px 48px; }
h1 { font-size: 25px; margin-bottom: 0; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin-top: 32px; border-bottom: 1px solid var(--grid); }
p.note, figcaption, caption { color: var(--faint); font-size: 13px; } caption { text-align: left; padding-bottom: 4px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; margin: 8px 0; width: 100%; }
th, td { text-align: left; padding: 3px 10px 3px 0; border-bottom: 1px solid var(--grid); vertical-align: top; }
td { overflow-wrap: anywhere; }
td.code { font: 12px/1.5 ui-monospace, monospace; min-width: 300px; }
.number { text-align: right; } td.number { white-space: nowrap; }
code, pre { font: 12px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; border: 1px solid var(--grid); padding: 8px; max-height: 420px; overflow: auto; }
dl.found dt { color: var(--faint); font-size: 13px; margin-top: 12px; } dl.found dd { margin: 0; font-size: 17px; }
figure { margin: 16px 0; } a { color: inherit; }
svg { width: 100%; height: auto; } svg text { fill: var(--ink); font: 11px system-ui, sans-serif; }
svg .grid { stroke: var(--grid); stroke-width: 1; } svg .flag { stroke: var(--accent); stroke-dasharray: 3 3; }
svg text.flag { fill: var(--accent); stroke: none; font-weight: 700; } svg .line { fill: none; stroke-width: 2; }
svg .interval { stroke: var(--ink); stroke-width: 1.5; } svg .dots { fill: none; stroke-linecap: round; }
@media print {
  @page { margin: 14mm; }
  :root { color-scheme: light; --paper: #FFFFFF; --ink: #000000; --faint: #333333; --grid: #BBBBBB; --accent: #B34700; }
  body { max-width: none; padding: 0; font-size: 12px; } table, td, td.code { font-size: 10px; }
  figure, tr { break-inside: avoid; } h2, caption { break-after: avoid; } figure { max-width: 165mm; }
  th, td { overflow-wrap: anywhere; padding-right: 6px; } td.code { min-width: 40mm; }
  th:first-child { white-space: nowrap; } a[download], details:not([open]) { display: none; }
  .scroll, pre { overflow: visible; max-height: none; } }
"""


def report(cockpit: Cockpit, run: str, choice: str | None = None) -> str:
    """The report of the run with id `run`: what was searched, done and found, how far to trust it, how to repeat it.

    It holds the scores against the known results called `choice`, and others of their table that measure the same.

    Raises:
        StoreError: there is no such run.
    """
    view = cockpit.view(run)
    truth = cockpit.truths(view.run.space, choice)
    sections = (
        ("The run", _run(view)),
        ("What was done", _acts(view)),
        ("What came of it", _outcome(view, truth)),
        ("Figures", _figures(view)),
        ("What the score measures", _measures(cockpit, view, truth)),
        ("Did steering help?", _twin(cockpit, view)),
        ("Training", _training(cockpit, view)),
        ("How to repeat it", _repeat(cockpit, view)),
    )
    found = _found(cockpit, view, truth[0] if truth else None)
    body = found + "".join(f"<section><h2>{escape(title)}</h2>{text}</section>" for title, text in sections if text)
    name = escape(view.run.name)
    written = escape(f"NAS Helm, report of {_moment(time.time())}")
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{name}: report</title><style>{_STYLE}</style></head>'
        f'<body><main><h1>{name}</h1><p class="note">{written}</p>{body}</main></body></html>\n'
    )


def _found(cockpit: Cockpit, view: View, truth: Truth | None) -> str:
    """What the pages about this run answer, each to its question: the same sentences as stand above them."""
    rows = []
    for one in page.pages():
        answer = one.headline(page.Shown(cockpit, view, truth)) if one.about_run else None
        if answer is not None:
            evidence = f": {escape(answer.evidence)}" if answer.evidence else ""
            rows.append(f"<dt>{escape(one.question)}</dt><dd><strong>{escape(answer.finding)}</strong>{evidence}.</dd>")
    return f'<dl class="found">{"".join(rows)}</dl>' if rows else ""


def _run(view: View) -> str:
    run, config = view.run, view.run.config
    settings = config.settings
    rows = [
        ("id", run.id),
        ("state", f"{run.state}{f': {run.message}' if run.message else ''}"),
        ("created", _moment(run.created)),
        ("space", f"{run.space}, {view.table.space.size:,} architectures"),
        ("strategy", config.strategy),
        ("scores", f"{', '.join(map(score_label, config.scores))}; ranked by {ranking_label(view.rank_by)}"),
        ("data", str(settings.data)),
        ("settings", ", ".join(f"{name} {value}" for name, value in settings.to_dict().items())),
        ("seed", str(config.seed)),
        ("candidates", f"{run.scored:,} of {config.budget or run.asked:,} scored in {run.busy_seconds:.0f} s"),
    ]
    return _table("Configuration and extent of the run", ("what", "value"), rows)


def _acts(view: View) -> str:
    if not view.acts:
        return "<p>No act: the search was not steered.</p>"
    undone = {entry.body.get("target") for entry in view.acts if entry.body.get("kind") == "undo"}
    rows = []
    for number, entry in enumerate(view.acts):
        act = Act.from_dict(entry.body)
        state = "refused" if number in view.refused else "undone" if number in undone else "in force"
        note = " / ".join(filter(None, (act.author, act.note)))
        scored = int(entry.body.get("scored", 0))
        left = view.refused.get(number) or _left(view, view.acts[:number], act, scored)
        state = "" if act.kind == "undo" and state == "in force" else state
        rows.append((number + 1, _moment(entry.time), f"{scored:,}", words(act), left, note, state))
    head = ("act", "time", "scored then", "what", "what it did, as it looked then", "author, note", "now")
    caption = f"Steering acts in order; {_count(view, view.steering)} architectures are left now"
    return _table(caption, head, rows, numbers={0, 2})


def _left(view: View, before: Sequence[LogEntry], act: Act, scored: int) -> str:
    """What an act removed or gave back, judged by the candidates scored when it was made."""
    acts = [Act.from_dict(entry.body) for entry in before]
    try:
        earlier, _ = Steering.fold_compatible(view.table.space, acts)
        later, _ = Steering.fold_compatible(view.table.space, [*acts, act])
    except SteeringConflict as conflict:
        return str(conflict)
    left = f"{_count(view, later)} left"
    if act.kind == "undo":
        return left
    seen = preview(earlier, later, view.table.archs, view.indices[:scored], view.ranked[:scored])
    return f"{'of the sample shown, ' if view.table.sampled else ''}{seen.sentence()}; {left}"


def _count(view: View, steering: Steering) -> str:
    if not view.table.sampled:
        return f"{int(steering.mask(view.table.archs).sum()):,}"
    found = view.table.space.count(steering)
    return f"{found.value:,}" if found.exact else f"about {found.value:,}"


def _outcome(view: View, truth: Sequence[Truth]) -> str:
    if not np.isfinite(view.ranked).any():
        return "<p>Nothing is scored yet.</p>"
    order = np.argsort(-np.nan_to_num(view.ranked, nan=-np.inf), kind="stable")[:BEST]
    counts = [name for name in _COUNTS if name in view.table.closed and name != view.rank_by]
    head = ["rank", "architecture", f"{score_label(view.rank_by)} ({view.rung(view.rank_by)})"]
    head += [f"{score_label(count)} (count)" for count in counts]
    columns = [view.over_space(name)[view.indices] for name in (view.rank_by, *counts)]
    if TRAINED in view.values and view.rank_by != TRAINED:
        head.append("held-out accuracy, % (trained alone)")
        columns.append(view.values[TRAINED])
    head += [f"{one.axis} (truth)" for one in truth]
    columns += [one.over(view.table)[view.indices] for one in truth]
    rows = []
    for rank, k in enumerate(order, start=1):
        arch = view.table.texts[view.indices[k]]
        rows.append((rank, arch, *(short(float(column[k])) for column in columns)))
    caption = (
        f"The {len(rows)} best of {len(view.indices):,} candidates by {ranking_label(view.rank_by)}, with the rung of "
        f"the evaluation ladder that every value stands on ({', '.join(RUNGS)}, truth), and the counts that the score "
        "may merely repeat. Only what was trained and a truth that says so are accuracies."
    )
    return _table(caption, head, rows, numbers=set(range(2, len(head))) | {0}, code=1)


def _figures(view: View) -> str:
    if not np.isfinite(view.ranked).any():
        return ""
    return _best_so_far(view) + _fitness(view) + _map(view)


def _best_so_far(view: View) -> str:
    best = best_positions(view.ranked)
    turns = np.unique(np.append(best, len(best) - 1)) if len(best) else best
    line = svg.Line(ranking_label(view.rank_by), turns + 1.0, view.ranked[best[turns]])
    flags = [(float(entry.body.get("scored", 0)), words(Act.from_dict(entry.body))) for entry in view.acts]
    title = f"Best {ranking_label(view.rank_by)} so far"
    drawn = svg.lines([line], "candidates scored", ranking_label(view.rank_by), title, steps=True, flags=flags)
    said = f"{title}, by candidates scored; n = {len(best):,}."
    return _figure(drawn, said + (" Dashed: the acts, by their number in the table above." if flags else ""))


def _fitness(view: View) -> str:
    blocks = view.blocks.sort_values("fitness", ascending=False, kind="stable")
    blocks = blocks[blocks["n"] > 0]
    total = len(blocks)
    if total > _BLOCKS:
        blocks = blocks.iloc[np.r_[: _BLOCKS // 2, total - _BLOCKS // 2 : total]]
    decisions = view.table.space.decisions
    pairs = [(decisions[d], decisions[d].choices[c]) for d, c in zip(blocks["decision"], blocks["choice"], strict=True)]
    names = [
        f"{decision.name} {OPERATION_NAMES.get(choice, choice)}, n = {n:,}"
        for (decision, choice), n in zip(pairs, blocks["n"], strict=True)
    ]
    fitness, low, high = (blocks[name].to_numpy() for name in ("fitness", "low", "high"))
    colours = [operation_colour(choice) for _, choice in pairs]
    drawn = svg.intervals(names, fitness, low, high, colours, "fitness (mean rank)", "Block fitness")
    shown = f"the {len(blocks)} highest and lowest of {total}" if total > len(blocks) else f"all {total}"
    said = (
        f"Block fitness by {ranking_label(view.rank_by)}: mean rank, 0 to 1, of the candidates that hold a block, "
        f"shrunk towards the overall mean, with 95 % intervals; n candidates hold it; {shown}."
    )
    return _figure(drawn, said)


def _map(view: View) -> str:
    values = view.over_space(view.rank_by)
    known = np.isfinite(values) & np.isin(view.table.canonical, view.networks)  # closed forms are known everywhere
    groups = [(view.table.projection[~known], UNKNOWN_OPERATION, _DOTS[0])]
    levels = np.ceil(len(_LEVELS) * rankdata(values[known]) / max(known.sum(), 1)).astype(int) - 1
    places = view.table.projection[known]
    groups += [(places[levels == level], colour, _DOTS[1]) for level, colour in enumerate(_LEVELS)]
    drawn = svg.dots(groups, "projection 1", "projection 2", "Map of the space")
    shown = "a sample of the space" if view.table.sampled else "the space"
    said = (
        f"Map of {shown}, {len(values):,} architectures, by principal components (trustworthiness "
        f"{view.table.trustworthiness:.2f}). Large dots are the {int(known.sum()):,} whose network is scored, the "
        f"brighter (yellow) the higher their rank by {ranking_label(view.rank_by)}; small grey ones are not scored."
    )
    return _figure(drawn, said)


def _measures(cockpit: Cockpit, view: View, truth: Sequence[Truth]) -> str:
    everything = np.arange(len(view.indices))
    if np.isfinite(view.ranked).sum() < laboratory.LEAST:
        return f"<p>At least {laboratory.LEAST} scored candidates are needed to say.</p>"
    if not truth:
        rows = [
            (score_label(name), f"{_spearman(view.ranked, view.over_space(name)[view.indices]):.2f}")
            for name in _COUNTS
            if name in view.table.closed and name != view.rank_by
        ]
        lack = "<p>No truth is known for this space, so nothing says how well the score ranks.</p>"
        return lack + _table(
            f"Spearman correlation of {ranking_label(view.rank_by)}", ("with", "rho"), rows, numbers={1}
        )
    text, bars = "", {}
    summed = laboratory.aggregate(view)
    seeds = {name: laboratory.single_seeds(cockpit, view, name) for name in view.values}
    for one in truth:
        known = one.oriented(one.over(view.table)[view.indices])
        board = laboratory.leader_board(view, known, everything, summed, by_seed=seeds)
        if not board:
            continue
        rows = [tuple(row[key] for key in _STATISTICS) for row in board]
        caption = (
            f"Agreement with the truth of {one.axis}; 95 % intervals; n distinct networks; baselines count and know "
            "nothing of the data; regret: how far the best of the 1 or 10 highest scores falls short of the best"
        )
        text += _table(caption, list(_STATISTICS.values()), rows, numbers={1})
        bars[one.title] = laboratory.measured(view, view.ranked, known, everything)
    what = dict.fromkeys(row for column in bars.values() for row in column)
    said = [(row, *(_digits(column.get(row, math.nan)) for column in bars.values())) for row in what]
    caption = f"Spearman correlation of {ranking_label(view.rank_by)}, by the truth that it is held against"
    if said:
        text += _table(caption, ("of the score", *bars), said, numbers=set(range(1, len(bars) + 1)))
    return text


def _digits(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"


def _spearman(values: np.ndarray, others: np.ndarray) -> float:
    usable = np.isfinite(values) & np.isfinite(others)
    return spearman(values[usable], others[usable])


def _twin(cockpit: Cockpit, view: View) -> str:
    """The comparison of this run with its twin, or where this is the twin, of the steered one with this."""
    other = view.run.config.twin_of
    held = {run.id: run for run in cockpit.store.runs()}
    pair: tuple[RunRow | None, RunRow | None] = (held.get(str(other)), view.run) if other else (view.run, None)
    if pair[1] is None:
        pair = (view.run, twin_of(cockpit.store, view.run))
    steered, unsteered = pair
    if steered is None or unsteered is None:
        return ""
    views = [cockpit.view(run.id) for run in (steered, unsteered)]
    try:
        found = bench.compare_twins(*(one.ranked for one in views))
    except ValueError as error:
        return f"<p>No comparison of the twins yet: {escape(str(error))}.</p>"
    metric, gain = ranking_label(view.rank_by), found.difference
    rows = [
        (f"steered: {steered.name}", short(found.steered)),
        (f"unsteered twin: {unsteered.name}", short(found.unsteered)),
        ("difference", f"{gain.value:+.3g} [{gain.low:+.3g}, {gain.high:+.3g}]"),
        ("reached after", "never" if found.reached is None else f"{found.reached:,} ({found.reached / found.n:.0%})"),
    ]
    caption = (
        f"Mean {metric} of the {found.best} best after {found.n:,} evaluations, same seed and budget; the interval "
        "(95 %) is over candidates, not over seeds; reached: evaluations until the steered run was as good as its twin "
        "at the end"
    )
    lines = []
    for name, one in zip(("steered", "unsteered"), views, strict=True):
        best = best_positions(one.ranked)
        lines.append(svg.Line(name, np.arange(1.0, len(best) + 1), one.ranked[best]))
    drawn = svg.lines(lines, "candidates scored", metric, "Best so far, steered and not", steps=True)
    return _table(caption, ("run", metric), rows, numbers={1}) + _figure(drawn, f"Best {metric} so far of both runs.")


def _training(cockpit: Cockpit, view: View) -> str:
    points = [entry.body for entry in cockpit.store.log(view.run.id, kind="loss")]
    if not points:
        return ""

    def column(name: str) -> np.ndarray:
        return np.array([float(value) if (value := point.get(name)) is not None else np.nan for point in points])

    epochs = column("epoch")
    drawn = svg.lines(
        [svg.Line(name, epochs, column(name)) for name in ("train", "validation")],
        "epoch",
        "cross-entropy, nats",
        "Loss of the training",
    )
    said = f"Loss by epoch, {len(points):,} points; after {epochs[-1]:.3g} epochs and {short(column('seconds')[-1])} s"
    hits = column("accuracy")[-1]
    said += f" the validation loss is {short(column('validation')[-1])}"
    return _figure(drawn, said + ("." if math.isnan(hits) else f", hits on held-out images {hits:.1%}."))


def _repeat(cockpit: Cockpit, view: View) -> str:
    script = json.dumps(session_script(cockpit.store, view.run.id), indent=1, ensure_ascii=False)
    name = f"session-{view.run.id}.json"
    link = base64.b64encode(script.encode()).decode()
    return (
        "<p>The script below holds configuration, seed and acts. Save it and repeat the session: the same "
        "candidates are asked under the same acts.</p>"
        f"<pre><code>python -m nas_core replay {escape(name)}</code></pre>"
        f'<p><a download="{escape(name)}" href="data:application/json;base64,{link}">Save {escape(name)}</a></p>'
        f'<details><summary>The script</summary><pre id="session">{escape(script)}</pre></details>'
    )


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def _figure(drawn: str, caption: str) -> str:
    return f"<figure>{drawn}<figcaption>{escape(caption)}</figcaption></figure>"


def _table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    numbers: frozenset[int] | set[int] = frozenset(),
    code: int = -1,
) -> str:
    """A table of escaped texts; `numbers` are the columns aligned to the right, `code` is one of notations."""

    def cells(tag: str, row: Sequence[Any]) -> str:
        shape = {k: ' class="number"' for k in numbers} | {code: ' class="code"'}
        scope = ' scope="col"' if tag == "th" else ""
        return "".join(f"<{tag}{scope}{shape.get(k, '')}>{escape(str(cell))}</{tag}>" for k, cell in enumerate(row))

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption><thead><tr>{cells("th", head)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
