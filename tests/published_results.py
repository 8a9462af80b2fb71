"""Writers of small files in the structure of published benchmarks, for the tests of the importers."""

from __future__ import annotations

import bz2
import json
import pickle
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nas_core import spaces

SPACE = spaces.get("nb201")
ARCHS = [SPACE.format(arch) for arch in list(SPACE.architectures())[7::521]]
"""Thirty cells of NAS-Bench-201, in no order of any benchmark."""

EVALUATIONS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}
SEEDS = (777, 888)


def accuracy(index: int, data_set: str, name: str, epochs: int, seed: int) -> float:
    """The accuracy after the last epoch that the written files hold."""
    return 10 + index + len(data_set) / 7 + len(name) / 11 + epochs / 100 + seed / 1000


def trial(index: int, arch: str, data_set: str, epochs: int, seed: int) -> dict:
    """The state of a `ResultsCount`: one training run; accuracies fall short before the last epoch."""
    names = EVALUATIONS[data_set]

    def curve(name: str) -> dict:
        last = accuracy(index, data_set, name, epochs, seed)
        return {epoch: last - (epochs - 1 - epoch) for epoch in range(epochs)}

    evaluated = {f"{name}@{epoch}": value for name in names for epoch, value in curve(name).items()}
    return {
        "name": data_set,
        "net_state_dict": None,
        "train_acc1es": OrderedDict(curve("train")),
        "train_acc5es": OrderedDict(curve("train")),
        "train_losses": OrderedDict(curve("train")),
        "train_times": OrderedDict((epoch, 2.0) for epoch in range(epochs)),
        "arch_config": {"channel": 16, "num_cells": 5, "arch_str": arch, "class_num": 10},
        "params": 0.5 + index,
        "flop": np.float64(15.0 + index),
        "seed": seed,
        "epochs": epochs,
        "latency": [0.01, 0.03],
        "eval_names": list(names),
        "eval_acc1es": evaluated,
        "eval_times": {key: np.float64(0.5) for key in evaluated},
        "eval_losses": evaluated,
    }


def results(index: int, arch: str, epochs: int) -> dict:
    """The state of an `ArchResults`: all runs of an architecture."""
    return {
        "arch_index": index,
        "arch_str": arch,
        "all_results": {
            (data_set, seed): trial(index, arch, data_set, epochs, seed) for data_set in EVALUATIONS for seed in SEEDS
        },
        "dataset_seed": {data_set: list(SEEDS) for data_set in EVALUATIONS},
        "clear_net_done": True,
    }


def write_nats(folder: Path, archs: Sequence[str] = ARCHS, lengths: Sequence[str] = ("12", "200")) -> Path:
    """A folder `-simple` of NATS-Bench; every third architecture has no file."""
    folder.mkdir(parents=True)
    meta = {"meta_archs": list(archs), "total_archs": len(archs), "arch2infos": None, "evaluated_indexes": set()}
    _pack(folder / "meta.pickle.pbz2", meta)
    for index, arch in enumerate(archs):
        if index % 3 != 2:
            by_epochs = OrderedDict((length, results(index, arch, int(length))) for length in lengths)
            _pack(folder / f"{index:06d}.pickle.pbz2", by_epochs)
    return folder


def nb201_content(archs: Sequence[str] = ARCHS) -> dict:
    """The dictionary of `NAS-Bench-201-v1_1-096897.pth`."""
    infos = {
        index: {"full": results(index, arch, 200), "less": results(index, arch, 12)} for index, arch in enumerate(archs)
    }
    return {"meta_archs": list(archs), "arch2infos": infos, "evaluated_indexes": set(range(len(archs)))}


def write_nb201(path: Path, archs: Sequence[str] = ARCHS, *, legacy: bool = True, content: object = None) -> Path:
    """A file of torch.save, in the container before torch 1.6 as the published ones or in the zip archive since."""
    import torch

    content = nb201_content(archs) if content is None else content
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


def naslib_key(arch: str) -> str:
    """NASLib's operation indices, written from its description: edges by source, operations in its own order."""
    order = ["skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3"]
    nodes = [[part.split("~")[0] for part in node.strip("|").split("|")] for node in arch.split("+")]
    edges = ((1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4))
    return str(tuple(order.index(nodes[target - 2][source - 1]) for source, target in edges))


def write_suite_zero(path: Path, archs: Sequence[str] = ARCHS) -> Path:
    """`zc_nasbench201.json` with two proxies; one score is infinite, as in the published file."""
    content = {
        data_set: {
            naslib_key(arch): {
                "synflow": {"score": float("inf") if index == 3 else index * 1.5, "time": 0.25},
                "jacov": {"score": -float(index), "time": 0.5},
                "val_accuracy": 50.0 + index,
            }
            for index, arch in enumerate(archs)
        }
        for data_set in ("cifar10", "ImageNet16-120")
    }
    path.write_text(json.dumps(content))
    return path


def write_hardware(path: Path, archs: Sequence[str] = ARCHS) -> Path:
    """`HW-NAS-Bench-v1_0.pickle` with numpy scalars, an array and a list, and the look-up table of FBNet."""
    shapes = {"cifar10": 10, "cifar100": 100, "ImageNet16-120": 120}
    content = {
        "nasbench201": {
            data_set: {
                "config": [
                    {"name": "infer.tiny", "C": 16, "N": 5, "arch_str": arch, "num_classes": classes} for arch in archs
                ],
                "edgegpu_latency": [np.float64(classes + index) for index in range(len(archs))],
                "eyeriss_energy": np.arange(len(archs), dtype=np.float32) / 4,
                "raspi4_latency": [float(index) for index in range(len(archs))],
            }
            for data_set, classes in shapes.items()
        },
        "fbnet": {"edgegpu_latency": {"FC_Cin1504_Cout100": 0.5}},
    }
    with path.open("wb") as file:
        pickle.dump(content, file, protocol=3)
    return path


def write_csv(path: Path, archs: Sequence[str] = ARCHS, column: str = "arch") -> Path:
    """A table with an accuracy and a column of text."""
    lines = [f"{arch},{70 + index / 4},seed {index}" for index, arch in enumerate(archs)]
    path.write_text("\n".join([f"{column},accuracy,note", *lines]) + "\n")
    return path


def _pack(path: Path, content: object) -> None:
    with bz2.BZ2File(path, "wb") as file:
        pickle.dump(content, file, protocol=4)
