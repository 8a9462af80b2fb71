"""What NAS-Bench-201 and NATS-Bench keep of an architecture: trials of training by data set and seed.

Structure, after `ArchResults.state_dict` and `ResultsCount.state_dict` in nats_bench/api_utils.py of D-X-Y/NATS-Bench:
`{"arch_index", "arch_str", "all_results": {(data set, seed): trial}, "dataset_seed", "clear_net_done"}`, and a trial is
`{"epochs", "flop" (millions), "params" (millions), "latency" (list of seconds), "train_acc1es", "train_losses",
"train_times" ({epoch: value}), "eval_names", "eval_acc1es", "eval_losses" ({"x-valid@199": value}), ...}`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nas_core.bench._columns import Column, Kind, inferred

_EVALUATIONS = {
    "x-valid": Kind.VALIDATION_ACCURACY,
    "x-test": Kind.TEST_ACCURACY,
    "ori-test": Kind.TEST_ACCURACY,
    "train": Kind.TRAINING_ACCURACY,
}
"""What the benchmarks call the images that they measured on."""
_UNITS = {"params": "M", "flops": "M", "latency": "s"}


def metrics(results: Any, epochs: str) -> dict[str, float]:
    """Metrics after the last epoch, mean over the seeds: `data set/x-valid/accuracy@epochs` and the like.

    Args:
        results: the state of an `ArchResults`.
        epochs: length of training, as the benchmark names it.

    Raises:
        ValueError: `results` has another structure.
    """
    trials = results.get("all_results") if isinstance(results, Mapping) else None
    if not isinstance(trials, Mapping):
        raise ValueError("an architecture has no dictionary 'all_results'")
    seeds: defaultdict[str, list[float]] = defaultdict(list)
    for key, trial in trials.items():
        if not (isinstance(key, tuple) and len(key) == 2 and isinstance(trial, Mapping)):
            raise ValueError(f"'all_results' has an entry {key!r}; expected (data set, seed) and a trial")
        for name, value in _last_epoch(trial).items():
            seeds[f"{key[0]}/{name}@{epochs}"].append(value)
    return {name: _mean(values) for name, values in seeds.items()}


def columns(rows: Sequence[Mapping[str, float]]) -> dict[str, np.ndarray]:
    """Rows of metrics as columns, NaN where a row lacks one."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: np.array([row.get(name, math.nan) for row in rows], dtype=float) for name in names}


def described(name: str, values: np.ndarray) -> Column:
    """What a metric named by `metrics` is about: accuracies in percent, sizes in millions, latency in seconds."""
    data_set, *middle, last = name.partition("@")[0].split("/")
    found = inferred(last)
    if last == "accuracy":
        kind = _EVALUATIONS.get(middle[-1] if middle else "", Kind.VALIDATION_ACCURACY)
        return Column(name, kind, "%", True, data_set)
    return Column(name, found.kind, _UNITS.get(last, found.unit), found.higher_is_better, data_set)


def number(value: Any) -> float:
    """`value` as a number, NaN for anything else."""
    return float(value) if isinstance(value, int | float) else math.nan


def _last_epoch(trial: Mapping[str, Any]) -> dict[str, float]:
    epochs = trial.get("epochs")
    if not isinstance(epochs, int) or epochs < 1:
        raise ValueError(f"a trial has {epochs!r} epochs; expected a positive number")
    latency, times = trial.get("latency"), trial.get("train_times")
    found = {
        "params": number(trial.get("params")),
        "flops": number(trial.get("flop")),
        "latency": _mean([number(value) for value in latency]) if isinstance(latency, list) else math.nan,
        "train/accuracy": _at(trial.get("train_acc1es"), epochs - 1),
        "train/loss": _at(trial.get("train_losses"), epochs - 1),
        "train/seconds": sum(map(number, times.values())) if isinstance(times, Mapping) else math.nan,
    }
    for name in trial.get("eval_names") or ():
        found[f"{name}/accuracy"] = _at(trial.get("eval_acc1es"), f"{name}@{epochs - 1}")
        found[f"{name}/loss"] = _at(trial.get("eval_losses"), f"{name}@{epochs - 1}")
    return found


def _at(values: Any, key: int | str) -> float:
    if isinstance(values, list) and isinstance(key, int) and key < len(values):
        return number(values[key])
    return number(values.get(key)) if isinstance(values, Mapping) else math.nan


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan
