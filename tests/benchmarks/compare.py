"""Measures two trees side by side: figures of an old one and of this one, in interleaved pairs. A script, no test.

`python tests/benchmarks/compare.py OLD` runs everything in turns, old then new, each as a process of its own in its
tree. A ratio above 1 says that the new tree takes longer. Processor seconds stand beside, which other programs disturb
less; so do the load of the machine and how long a fixed piece of work took just before.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parents[2]
NETWORKS = 1200
CANDIDATES = 600
EPOCHS = {"train": 12, "engine": 6}
LONGEST_SECONDS = 1800


@dataclass(frozen=True)
class Tree:
    """A checkout, and the name by which its figures are told apart."""

    name: str
    path: Path

    def run(self, *arguments: str, may_fail: bool = False, **environment: str) -> tuple[str, float, float]:
        """Run Python on arguments in this tree: what it wrote, its seconds, and its processor seconds.

        Raises:
            SystemExit: it failed where it may not, with the end of what it wrote.
        """
        own = {**os.environ, "PYTHONPATH": str(self.path), **environment}
        before, began = _processor_seconds(), time.perf_counter()
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.path,
            env=own,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
        took, used = time.perf_counter() - began, _processor_seconds() - before
        if done.returncode and not may_fail:
            raise SystemExit(f"{self.name}: {' '.join(arguments)[:200]}\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout, took, used

    def check(self) -> None:
        """Raises SystemExit: Python started here imports another tree."""
        found = Path(self.run("-c", "import nas_core; print(nas_core.__file__)")[0].strip())
        if not found.is_relative_to(self.path):
            raise SystemExit(f"{self.path} is imported from {found}; expected a checkout of nas_core")


@dataclass(frozen=True)
class Figure:
    """One measured number. `processor` is its like by processor seconds, where there is one."""

    value: float
    unit: str
    processor: float | None = None

    @property
    def higher_is_better(self) -> bool:
        """Whether this is a rate."""
        return self.unit.endswith("/s")


Measurement = Callable[[Tree, Path], Mapping[str, Figure]]


def scan(tree: Tree, folder: Path) -> dict[str, Figure]:
    """Networks a second of `scan`, start of the program included."""
    arguments = ["--space", "nb201", "--proxy", "zico", "--limit", str(NETWORKS), "--out", str(folder / "scan.csv")]
    _, took, used = tree.run("-m", "nas_core", "scan", *arguments)
    return {"scan": Figure(NETWORKS / took, "networks/s", NETWORKS / used)}


def step(tree: Tree, folder: Path) -> dict[str, Figure]:
    """Milliseconds a training step of `supernet train`, and seconds of a run that trains weights and ranks by them."""
    out = ["--out", str(folder / "weights.supernet"), "--epochs", str(EPOCHS["train"])]
    told, _, used = tree.run(
        *["-m", "nas_core", "supernet", "train", "--space", "nb201", "--seed", "1", *out, "--json"],
        OMP_NUM_THREADS="1",
    )
    found = json.loads(told)
    in_a_run = ["--space", "nb201", "--one-shot", str(EPOCHS["engine"]), "--budget", "16", "--seed", "1"]
    _, took, processor = tree.run("-m", "nas_core", "search", *in_a_run, *_store(folder), "--json")
    return {
        "supernet step": Figure(1000 * found["seconds"] / found["steps"], "ms", 1000 * used / found["steps"]),
        "supernet run": Figure(took, "s", processor),
    }


def engine(tree: Tree, folder: Path) -> dict[str, Figure]:
    """Candidates a second of a run that the engine carries to its end, start of the program included."""
    arguments = ["--space", "nb201", "--strategy", "random", "--proxy", "zico", "--budget", str(CANDIDATES)]
    _, took, used = tree.run("-m", "nas_core", "search", *arguments, "--seed", "1", *_store(folder), "--json")
    return {"engine": Figure(CANDIDATES / took, "candidates/s", CANDIDATES / used)}


def steering(tree: Tree, folder: Path) -> dict[str, Figure]:
    """Seconds from an act to every view in a real browser, at rest and while two workers score."""
    test = ["-m", "pytest", "tests/benchmarks/test_steering_latency.py", "-s", "-q", f"--basetemp={folder / 'pytest'}"]
    told, _, _ = tree.run(*test, may_fail=True)  # a bound of its own that is missed is no reason to stop comparing
    found = dict(re.findall(r"steering act to updated views, (.+?): median ([\d.]+) s", told))
    if len(found) != 2:
        raise SystemExit(f"{tree.name}: no latencies in what the benchmark printed:\n{told[-2000:]}")
    at_rest, scoring = found.values()
    return {"act at rest": Figure(float(at_rest), "s"), "act while scoring": Figure(float(scoring), "s")}


MEASUREMENTS: dict[str, Measurement] = {"scan": scan, "step": step, "steering": steering, "engine": engine}


def calibration() -> float:
    """Seconds of a fixed piece of work: how fast the machine is at this moment."""
    matrix = np.random.default_rng(0).standard_normal((300, 300))
    began = time.perf_counter()
    for _ in range(20):
        matrix = np.tanh(matrix @ matrix / 300)
    sum(k * k for k in range(1_500_000))
    return time.perf_counter() - began


def compared(trees: tuple[Tree, Tree], names: list[str], pairs: int) -> list[dict[str, Any]]:
    """Every measurement `pairs` times in either tree, in turns; one row a figure."""
    values: dict[str, dict[str, list[Figure]]] = {}
    machine: dict[str, list[tuple[float, float]]] = {}
    for name in names:
        for pair in range(pairs):
            for tree in trees:
                around = (os.getloadavg()[0], calibration())
                with tempfile.TemporaryDirectory(prefix="compare-") as folder:
                    found = MEASUREMENTS[name](tree, Path(folder))
                for title, figure in found.items():
                    values.setdefault(title, {}).setdefault(tree.name, []).append(figure)
                    machine.setdefault(title, []).append(around)
                    _say(f"{pair + 1}/{pairs} {tree.name:3} {title}: {figure.value:.4g} {figure.unit}", around)
    return [_row(title, *found.values(), machine[title]) for title, found in values.items()]


def _row(title: str, old: list[Figure], new: list[Figure], machine: list[tuple[float, float]]) -> dict[str, Any]:
    ratios = [_slower(a.value, b.value, a.higher_is_better) for a, b in zip(old, new, strict=True)]
    processor = [
        _slower(a.processor, b.processor, a.higher_is_better)
        for a, b in zip(old, new, strict=True)
        if a.processor and b.processor
    ]
    return {
        "figure": title,
        "unit": old[0].unit,
        "old": median(one.value for one in old),
        "new": median(one.value for one in new),
        "ratio": median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
        "processor_ratio": median(processor) if processor else None,
        "pairs": len(ratios),
        "load": median(load for load, _ in machine),
        "calibration_ms": [1000 * pick([seconds for _, seconds in machine]) for pick in (min, median, max)],
    }


def _slower(old: float, new: float, higher_is_better: bool) -> float:
    """How many times longer the new tree takes."""
    return old / new if higher_is_better else new / old


def _store(folder: Path) -> list[str]:
    return ["--store", f"sqlite:///{folder / 'store.db'}"]


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _say(text: str, around: tuple[float, float]) -> None:
    print(f"{text}; load {around[0]:.1f}, calibration {1000 * around[1]:.0f} ms", file=sys.stderr, flush=True)


def _print(rows: list[dict[str, Any]]) -> None:
    print("ratio above 1: the new tree takes longer; median of ratios, lowest to highest\n")
    for row in rows:
        beside = "" if row["processor_ratio"] is None else f", by processor seconds {row['processor_ratio']:.3f}"
        low, middle, high = row["calibration_ms"]
        print(
            f"{row['figure']:18} old {row['old']:9.4g}  new {row['new']:9.4g} {row['unit']:12} "
            f"ratio {row['ratio']:.3f} ({row['lowest']:.3f} to {row['highest']:.3f}){beside}; n = {row['pairs']}, "
            f"load {row['load']:.1f}, calibration {middle:.0f} ms ({low:.0f} to {high:.0f})"
        )


def main() -> None:
    """Compare, print, and end with 1 where a figure is worse by more than allowed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, help="checkout of the old tree")
    parser.add_argument("--new", type=Path, default=HERE, help="checkout of the new tree (default: this one)")
    parser.add_argument("--only", default=",".join(MEASUREMENTS), help="measurements, joined by commas")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--most", type=float, default=1.05, help="ratio that is still well")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    names = [name.strip() for name in chosen.only.split(",")]
    if unknown := [name for name in names if name not in MEASUREMENTS]:
        parser.error(f"--only: unknown measurement {unknown[0]!r}; expected some of: {', '.join(MEASUREMENTS)}")
    if chosen.pairs < 1:
        parser.error(f"--pairs: got {chosen.pairs}, expected at least 1")
    trees = (Tree("old", chosen.old.resolve()), Tree("new", chosen.new.resolve()))
    for tree in trees:
        tree.check()
    rows = compared(trees, names, chosen.pairs)
    if chosen.json:
        print(json.dumps(rows))
    else:
        _print(rows)
    raise SystemExit(any(row["ratio"] > chosen.most for row in rows))


if __name__ == "__main__":
    main()
