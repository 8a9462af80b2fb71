"""The frame: pages are found by themselves, colours can be read, news is told once, and pace is honest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app import page, selection
from app.live import Pace, is_news
from app.states import SIGNS, share
from app.tokens import tokens
from app.top_bar import idle_because

ASSETS = Path(__file__).resolve().parents[2] / "assets"


def _luminance(colour: str) -> float:
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast of two colours #RRGGBB."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_a_contrast_of_four_and_a_half_on_every_ground(theme):
    held = tokens(theme)
    pairs = [
        (ink, ground)
        for ink in ("text", "text2", "text3", "acc", "bad", "warn")
        for ground in ("bg", "panel", "raised")
    ]
    pairs += [(state, f"{state}bg") for state in ("ok", "warn", "bad", "acc")] + [("ok", "panel"), ("ok", "bg")]
    assert min((contrast(held[ink], held[ground]), ink, ground) for ink, ground in pairs)[0] >= 4.5
    assert contrast("#FFFFFF", held["accfill"]) >= 4.5


def test_no_style_sheet_sets_text_below_twelve_pixels():
    small = {
        sheet.name: found
        for sheet in ASSETS.glob("*.css")
        if (found := re.findall(r"font(?:-size)?: [^;}]*?\b(?:[0-9]|1[01])(?:\.\d+)?px", sheet.read_text("utf-8")))
    }
    assert small == {}


def test_pages_are_found_and_stand_in_the_order_of_the_rail():
    titles = [found.title for found in page.pages()]
    assert titles == ["Navigator", "Layers", "Correlation", "Template", "Arena", "Runs"]
    assert all(found.question.endswith(("?", ".")) for found in page.pages())


@pytest.mark.parametrize(
    ("path", "title"), [("/", "Navigator"), (None, "Navigator"), ("/runs", "Runs"), ("/runs/", "Runs")]
)
def test_a_slash_at_the_end_of_an_address_makes_no_difference(path, title):
    assert page.at(selection.below(path)).title == title


def test_an_unknown_address_is_no_page():
    assert page.at("/nothing") is None


def pulse(state="running", scored=0, at=0.0, **more):
    mark = {"steady": 7, "scores": f"{scored}-0-0", "at": at}
    return {"run": "r", "state": state, "scored": scored, "budget": 100, "at": at, "mark": mark, **more}


def test_new_scores_alone_are_told_every_two_seconds_and_all_else_at_once():
    assert not is_news(pulse(scored=5, at=10.0), "7", "5-0-0", 0.0)
    assert not is_news(pulse(scored=6, at=10.0), "7", "5-0-0", 9.0)
    assert is_news(pulse(scored=6, at=10.0), "7", "5-0-0", 8.0)
    assert is_news(pulse(state="paused", scored=6, at=10.0), "7", "5-0-0", 9.9)
    assert is_news(pulse(scored=5, at=10.0), "8", "5-0-0", 9.9)


def test_no_rate_is_told_of_the_first_twenty_candidates():
    pace = Pace()
    assert pace.of(pulse(scored=2, at=0.0)) == {"rate": None, "left": None}
    assert pace.of(pulse(scored=19, at=10.0)) == {"rate": None, "left": None}
    told = pace.of(pulse(scored=42, at=20.0))
    assert told == {"rate": 2.0, "left": pytest.approx(29.0)}


def test_a_rate_forgets_what_is_older_than_a_minute_and_a_run_that_rests():
    pace = Pace()
    for second in range(0, 120, 10):
        told = pace.of(pulse(scored=second if second < 60 else 60 + 3 * (second - 60), at=float(second)))
    assert told["rate"] == pytest.approx(3.0, rel=0.2)
    assert pace.of(pulse(state="paused", scored=240, at=130.0))["rate"] is None


def test_a_command_that_would_do_nothing_says_why():
    assert idle_because("start", "created") == idle_because("pause", "running") == idle_because("stop", "queued") == ""
    for command, state in (("start", "running"), ("pause", "paused"), ("stop", "finished"), ("start", "gone")):
        assert idle_because(command, state).endswith((".", "Runs"))


def test_every_state_has_a_sign_and_a_word():
    assert all(sign and word for sign, word in SIGNS.values())
    assert share({"scored": 3, "failed": 1, "budget": 8}) == 0.5
    assert share({"scored": 3, "budget": 0}) is None
