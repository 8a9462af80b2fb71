"""What a poll, a list and a write cost, however much a store holds. Ratios within one run, as machines differ.

Seconds are the processor's: what else runs on the machine does not count.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

import numpy as np
import pytest

from nas_core import spaces
from nas_core.store import Store
from tests.runs import make_run

SPACE = spaces.get("nb201")
ROUNDS = 9


@pytest.fixture(scope="module")
def texts():
    return [SPACE.format(arch) for arch in SPACE.architectures()]


def filled(url: str, texts: list[str]) -> tuple[Store, str]:
    """A store with one run of the whole space."""
    store = Store(url)
    run = make_run(store, "nb201", {"proxies": ["zico"], "budget": len(texts)}, "whole space")
    for start in range(0, len(texts), 1000):
        asked = store.ask(run, [(text, text) for text in texts[start : start + 1000]], {})
        store.tell(run, [(row.position, {"zico": float(row.position)}, {"zico": 0.01}) for row in asked])
    return store, run


def multiply(store: Store, run: str, times: int) -> None:
    """Copies of a run under other ids: rows as they are, without the minutes that asking for them takes."""
    connection = sqlite3.connect(store.path)
    tables = {"runs": "id", "task_states": "run", "candidates": "run", "evaluations": "run"}
    for number in range(times):
        for table, key in tables.items():
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            quoted = [f'"{name}"' for name in columns]
            values = ["?" if name == key else f'"{name}"' for name in columns]
            connection.execute(
                f"INSERT INTO {table} ({', '.join(quoted)}) SELECT {', '.join(values)} FROM {table} WHERE {key} = ?",
                (f"copy {number}", run),
            )
    connection.commit()
    connection.close()


def seconds(work: Callable[[], object], times: int = 50) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times


def test_a_pulse_costs_the_same_for_one_run_and_for_fifty(tmp_path, texts):
    one, run = filled(f"sqlite:///{tmp_path / 'one.db'}", texts)
    many, other = filled(f"sqlite:///{tmp_path / 'many.db'}", texts)
    multiply(many, other, 49)
    assert len(many.runs()) == 50 and many.check() == []
    pairs = [(seconds(lambda: one.pulse(run)), seconds(lambda: many.pulse(other))) for _ in range(ROUNDS)]
    small, large = np.median(pairs, axis=0)
    ratio = float(np.median([b / a for a, b in pairs]))
    print(
        f"\npulse: {1e3 * small:.2f} ms with 1 run, {1e3 * large:.2f} ms with 50 of {len(texts):,}, ratio {ratio:.2f}"
    )
    well = [(seconds(one.health, 10), seconds(many.health, 10)) for _ in range(ROUNDS)]
    quick, slow = 1e3 * np.median(well, axis=0)
    print(f"health: {quick:.2f} ms with 1 run, {slow:.2f} ms with 50")
    assert ratio < 1.5
    assert np.median([b / a for a, b in well]) < 1.5


def test_two_hundred_runs_are_listed_in_a_tenth_of_a_second(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    config = {"proxies": ["zico", "naswot"], "rank_by": "zico", "settings": {"data": "digits"}, "budget": 500}
    for number in range(200):
        run = make_run(store, "nb201", config, f"run {number}")
        asked = store.ask(run, [(str(k), str(k)) for k in range(200)], {"population": [[[0] * 6, 0.5]] * 500})
        store.tell(run, [(row.position, {"zico": 1.0}, {}) for row in asked])
    taken = float(np.median([seconds(store.runs, 1) for _ in range(ROUNDS)]))
    print(f"\nlist of 200 runs: {1e3 * taken:.1f} ms")
    assert taken < 0.1


def test_what_a_group_costs_hardly_grows_with_the_candidates_before_it(tmp_path, texts):
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    run = make_run(store, "nb201", {"proxies": ["zico"]})

    def group(start: int) -> float:
        began = time.process_time()
        asked = store.ask(run, [(text, text) for text in texts[start : start + 32]], {"told": start})
        store.tell(run, [(row.position, {"zico": 1.0}, {"zico": 0.01}) for row in asked])
        return time.process_time() - began

    taken = np.array([group(start) for start in range(0, len(texts), 32)])
    ratio = float(np.median(taken[-100:]) / np.median(taken[:100]))
    print(f"\nask and tell of 32: {1e3 * np.median(taken):.2f} ms, at the end over at the beginning {ratio:.2f}")
    assert ratio < 3
    last = store.run(run).scored - 32
    some = float(np.median([seconds(lambda: store.candidates(run, after=last), 5) for _ in range(ROUNDS)]))
    whole = seconds(lambda: store.candidates(run), 3)
    print(f"cursor read of 32 of {len(texts):,}: {1e3 * some:.2f} ms; of all {1e3 * whole:.0f} ms")
    assert some < whole / 20
