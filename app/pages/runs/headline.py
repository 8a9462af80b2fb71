"""The answer of Runs in a sentence: how many there are, and which went furthest."""

from __future__ import annotations

from app.labels import ranking_label
from app.page import Headline, Shown
from app.palette import short


def headline(shown: Shown) -> Headline | None:
    """What stands above Runs: read from counters and summaries, never from candidates."""
    runs = shown.cockpit.store.runs()
    done = sum(run.state == "finished" for run in runs)
    under_way = sum(run.state in ("running", "queued") for run in runs)
    counted = f"{len(runs):,} run{'s' if len(runs) != 1 else ''}, {under_way:,} under way, {done:,} done"
    curve = shown.view.run.summary.get("curve") or []
    if not curve:
        return Headline("Nothing scored in this run yet", counted, "To the Navigator", href="/")
    best = f"best {ranking_label(shown.view.rank_by)} {short(float(curve[-1][1]))}"
    return Headline(f"“{shown.view.run.name}” found {best}", counted, "Open it in the Navigator", href="/")
