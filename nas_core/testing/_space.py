"""The contract of a search space: notation, canonical form, graph, encoding, closed forms, networks, imports."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd

from nas_core import spaces
from nas_core.spaces import Architecture, CellGraph, Decision, ImageShape, SearchSpace, TokenShape
from nas_core.testing import _steering
from nas_core.testing._contract import Report, check_all, refuses, require
from nas_core.testing._sampled import Sampled

_NETWORKS = 3
"""Architectures that are built: a network takes long, and the spaces' own tests build more."""
_IMAGES, _CLASSES = 2, 7
_NONSENSE = "qqq"
_IMPORT_SECONDS = 300


def check_space(space: str | SearchSpace | Callable[[], SearchSpace], *, seed: int = 0) -> Report:
    """Check that `space` (a registered name, the class, or an instance) keeps the contract of `SearchSpace`.

    Promises about architectures are checked on random ones, drawn by `seed`; networks are built as small as
    `scale_for` allows.

    Raises:
        ContractError: what is broken, in one line.
        ValueError: no space of that name.
    """
    if isinstance(space, str):
        space = spaces.get(space)
    elif not isinstance(space, SearchSpace):
        space = space()
    return check_all(f"space {getattr(space, 'name', type(space).__name__)}", Sampled(space, seed), _PROMISES)


def _describes_itself(checked: Sampled) -> None:
    """Its name, title and decisions are complete; names are unique, and values of sizes ascend."""
    space = checked.space
    name, title, decisions = (getattr(space, part, None) for part in ("name", "title", "decisions"))
    require(isinstance(name, str) and re.fullmatch(r"\S+", name), f"name is {name!r}", "text without white space")
    is_line = isinstance(title, str) and title.strip() and "\n" not in title
    require(is_line, f"title is {title!r}", "one line of text")
    each = isinstance(decisions, tuple) and decisions and all(isinstance(d, Decision) for d in decisions)
    require(each, f"decisions is {decisions!r}", "a tuple of Decision, at least one")
    names = [d.name for d in space.decisions]
    twice = next((n for n in names if names.count(n) > 1), None)
    require(twice is None, f"two decisions are called {twice!r}", "unique names")
    for decision in space.decisions:
        choices, values = decision.choices, decision.values
        unique = choices and len(set(choices)) == len(choices)
        require(unique, f"{decision.name}: choices are {choices}", "at least one, each once")
        if values is not None:
            ascending = len(values) == len(choices) and list(values) == sorted(set(values))
            require(ascending, f"{decision.name}: values are {values}", "a number for each choice, ascending")
    grouped = sorted(position for _, positions in space.groups for position in positions)
    require(grouped == list(range(len(names))), f"groups hold the decisions {grouped}", "each decision once")


def _knows_its_members(checked: Sampled) -> None:
    """`valid` accepts what `sample` draws and refuses what is no combination of choices."""
    space = checked.space
    for arch in checked.archs:
        as_ints = isinstance(arch, tuple) and all(type(choice) is int for choice in arch)
        require(as_ints, f"sample draws {arch!r}", "a tuple of int, one index for each decision")
        require(space.valid(arch) is True, f"valid({arch}) is {space.valid(arch)!r}", "True for what sample draws")
        wrong = {
            "an index too many": (*arch, 0),
            "an index too few": arch[:-1],
            "an index below 0": (-1, *arch[1:]),
            "an index that is no choice": (len(space.decisions[0].choices), *arch[1:]),
        }
        for what, other in wrong.items():
            require(not space.valid(other), f"valid({other}) is true with {what}", "False")


def _notation(checked: Sampled) -> None:
    """`parse` reads back what `format` writes; different architectures are written differently."""
    space = checked.space
    written: dict[str, Architecture] = {}
    for arch in checked.archs:
        text = space.format(arch)
        is_line = isinstance(text, str) and text and text == text.strip() and "\n" not in text
        require(is_line, f"format({arch}) is {text!r}", "one line of text")
        found = space.parse(text)
        require(found == arch, f"parse({text!r}) is {found}", f"{arch}, of which it is the format")
        require(type(found) is tuple, f"parse({text!r}) is a {type(found).__name__}", "a tuple")
        require(text not in written, f"{arch} and {written.get(text)} are both written {text!r}", "different texts")
        written[text] = arch


def _notation_errors(checked: Sampled) -> None:
    """`parse` refuses what is no architecture by a ValueError that names the offending part."""
    space = checked.space
    text = space.format(checked.archs[0])
    refuses(lambda: space.parse(""), "the empty text")
    refuses(lambda: space.parse(_NONSENSE), f"the text {_NONSENSE!r}", [_NONSENSE])
    spoilt = re.sub(r"\w+", _NONSENSE, text, count=1)
    refuses(lambda: space.parse(spoilt), f"the text {spoilt!r}", [_NONSENSE])
    refuses(lambda: space.parse(text + text), f"the text {text + text!r}")


def _canonical(checked: Sampled) -> None:
    """The canonical form is a valid architecture, and its own canonical form."""
    space = checked.space
    for arch in checked.archs:
        form = space.canonical(arch)
        as_ints = isinstance(form, tuple) and all(type(choice) is int for choice in form)
        require(as_ints and space.valid(form), f"canonical({arch}) is {form!r}", "a valid architecture, a tuple of int")
        again = space.canonical(form)
        require(again == form, f"canonical({form}) is {again}", f"{form}, which is a canonical form already")


def _graph(checked: Sampled) -> None:
    """The graph joins nodes that exist by edges of decisions that exist."""
    names = {decision.name for decision in checked.space.decisions}
    for arch in checked.archs:
        graph = checked.space.graph(arch)
        require(isinstance(graph, CellGraph), f"graph({arch}) is a {type(graph).__name__}", "a CellGraph")
        nodes = len(graph.nodes)
        require(nodes, f"graph({arch}) has no node", "at least one")
        for edge in graph.edges:
            inside = 0 <= edge.source < nodes and 0 <= edge.target < nodes
            require(inside, f"graph({arch}): an edge from {edge.source} to {edge.target}", f"nodes 0 to {nodes - 1}")
            known = edge.decision in names or not edge.decision
            require(known, f"graph({arch}): an edge of decision {edge.decision!r}", "the name of a decision, or none")


def _encoding(checked: Sampled) -> str:
    """The encoding is a finite float table with a row for each architecture, which depends on that one only."""
    space, archs = checked.space, checked.archs
    table = space.encode(archs)
    is_table = isinstance(table, np.ndarray) and table.ndim == 2 and np.issubdtype(table.dtype, np.floating)
    require(is_table, f"encode gives {getattr(table, 'dtype', type(table).__name__)}", "a float array with two axes")
    shape = table.shape
    require(
        shape[0] == len(archs) and shape[1], f"encode of {len(archs)} architectures has shape {shape}", "a row each"
    )
    require(np.isfinite(table).all(), "encode gives NaN or infinity", "finite numbers")
    same = np.array_equal(space.encode(np.array(archs)), table)
    require(same, "encode of an array differs from encode of a list", "the same table")
    one = space.encode(archs[:1])
    require(one.shape == (1, shape[1]), f"encode of one architecture has shape {one.shape}", f"(1, {shape[1]})")
    require(np.array_equal(one[0], table[0]), "encode of an architecture depends on the others", "the same row alone")
    return f"encoding of {shape[1]} features"


def _closed_forms(checked: Sampled) -> None:
    """Closed forms have a row for each architecture and a column for each metric name; rows are independent."""
    space, archs = checked.space, checked.archs
    frame = space.closed_forms(archs)
    require(isinstance(frame, pd.DataFrame), f"closed_forms gives a {type(frame).__name__}", "a DataFrame")
    require(len(frame) == len(archs), f"closed_forms of {len(archs)} architectures has {len(frame)} rows", "a row each")
    columns, names = list(map(str, frame)), list(space.metric_names)
    require(sorted(columns) == sorted(names), f"closed_forms has the columns {columns}", f"the metric names {names}")
    values = frame.to_numpy(dtype=float)
    require(np.isfinite(values).all(), "closed_forms holds NaN or infinity", "finite numbers")
    alone = space.closed_forms(archs[:1])
    same = np.array_equal(alone.to_numpy(dtype=float)[0], values[0]) if len(columns) else len(alone) == 1
    require(same, "closed_forms of an architecture depends on the others", "the same row alone")
    metrics = space.metrics(archs)
    same = all(np.array_equal(np.asarray(metrics[name], dtype=float), frame[name].to_numpy(float)) for name in names)
    require(same, "metrics differ from the closed forms", "the columns of closed_forms")


def _networks(checked: Sampled) -> str:
    """Networks turn a batch into finite logits (b, classes), and their weights follow torch's seed."""
    import torch

    space = checked.space
    scale = _smallest_scale(space)
    for arch in checked.archs[:_NETWORKS]:
        model = _built(space, arch, scale)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model.eval()
            with torch.no_grad():
                logits = model(_batch(space.input))
        title = f"the network of {space.format(arch)!r}"
        shape = tuple(logits.shape)
        require(shape == (_IMAGES, _CLASSES), f"{title} gives outputs of shape {shape}", f"({_IMAGES}, {_CLASSES})")
        require(bool(torch.isfinite(logits).all()), f"{title} gives NaN or infinity", "finite logits")
        one, other = model.state_dict(), _built(space, arch, scale).state_dict()
        same = one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
        require(same, f"{title} has other weights when built again", "equal weights after an equal torch.manual_seed")
    return f"networks built at {scale}"


def _other_inputs(checked: Sampled) -> None:
    """Inputs that the space builds no network for are refused by ValueError."""
    space = checked.space
    other = TokenShape(16, 8) if isinstance(space.input, ImageShape) else ImageShape()
    try:
        _ = space.build(checked.archs[0], input=other, classes=_CLASSES, scale=_smallest_scale(space))
    except ValueError as error:
        require(
            str(error) and "\n" not in str(error), f"{other} is refused by {str(error)!r}", "one line that says why"
        )


def _smallest_scale(space: SearchSpace) -> Any:
    kind = space.scale_type
    frozen = is_dataclass(kind) and kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    require(frozen, f"scale_type is {kind!r}", "a frozen dataclass")
    for scale in (space.scale(), small := space.scale_for(channels=4, cells=1)):
        require(type(scale) is kind, f"a scale of the space is {scale!r}", f"a {kind.__name__}, its scale_type")
    known = {field.name for field in fields(kind)}
    for name, value in (("channels", 4), ("cells", 1)):
        taken = name not in known or getattr(small, name) == value
        require(taken, f"scale_for({name}={value}) is {small!r}", f"a scale with {name}={value}")
    return small


def _built(space: SearchSpace, arch: Architecture, scale: Any) -> Any:
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = space.build(arch, input=space.input, classes=_CLASSES, scale=scale)
    require(isinstance(model, nn.Module), f"build gives a {type(model).__name__}", "a torch module")
    return model


def _batch(shape: Any) -> Any:
    import torch

    if isinstance(shape, TokenShape):
        return torch.randint(shape.vocabulary, (_IMAGES, shape.length))
    return torch.randn(_IMAGES, shape.channels, shape.height, shape.width)


def _imports_no_torch(checked: Sampled) -> None:
    """Importing its module loads no torch."""
    module = type(checked.space).__module__
    if module == "__main__":
        return
    program = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=_IMPORT_SECONDS,
        check=False,
    )
    failed = f"importing {module} " + ("failed: " + done.stderr[-200:] if done.stderr else "imports torch")
    require(done.returncode == 0, failed, "torch imported inside build only")


_PROMISES = (
    _describes_itself,
    _knows_its_members,
    _notation,
    _notation_errors,
    _canonical,
    _graph,
    _encoding,
    _closed_forms,
    *_steering.PROMISES,
    _networks,
    _other_inputs,
    _imports_no_torch,
)
