"""The body of a module's `forward`, straightened: traced with torch.fx, written as a person would. Needs torch."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx, nn

_WIDTH = 92
_INFIX = {
    operator.add: "+",
    operator.sub: "-",
    operator.mul: "*",
    operator.truediv: "/",
    operator.floordiv: "//",
    operator.matmul: "@",
}
_NAMES = {"add": "total", "cat": "joined", "getitem": "part", "getattr": "shape"}
_DEFAULTS = {("mode", "constant"), ("value", None)}
"""Arguments that `nn.functional.pad` hands on whether they were given or not."""


@dataclass
class Forward:
    """Lines of a `forward` with a mark for every whole number; numbers that differ between instances become arguments.

    `used` holds the targets that are called, `edges.0` for the first of a list.
    """

    argument: str
    lines: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    used: set[str] = field(default_factory=set)


def mark(position: int) -> str:
    """What stands for the number at `position`; of one width, about that of an argument, so that lines break alike."""
    return f"\N{INVERTED QUESTION MARK}{position:011d}"


MARK = re.compile("\N{INVERTED QUESTION MARK}(\\d{11})")


def trace(module: nn.Module, names: Mapping[str, str]) -> Forward:
    """Write the forward of `module`; `names[target]` is what the value that goes into a child should be called.

    Raises:
        ValueError: the forward depends on its input's values, or uses what this room cannot write.
    """
    try:
        graph = _Tracer().trace(module)
    except Exception as error:  # fx runs the module's own code, which may raise anything
        raise ValueError(f"{type(module).__name__} cannot be written as source: {error}") from error
    graph.eliminate_dead_code(is_impure_node=lambda node: node.op in ("placeholder", "output"))
    return _Writer(module, graph, names).written


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True


class _Writer:
    def __init__(self, module: nn.Module, graph: fx.Graph, names: Mapping[str, str]) -> None:
        self._module, self._names = module, names
        self._texts: dict[fx.Node, str] = {}
        self._waiting: dict[fx.Node, str] = {}
        self._taken: set[str] = {"self", "nn", "torch"}
        inputs = [node for node in graph.nodes if node.op == "placeholder"]
        if len(inputs) != 1:
            self._refuse(f"its forward takes {len(inputs)} arguments, expected one")
        self.written = Forward(self._fresh(inputs[0].name))
        self._texts[inputs[0]] = self.written.argument
        for node in graph.nodes:
            if node.op == "output":
                self.written.lines.append(f"return {self._fitting(node, self._returned)}")
            elif node.op != "placeholder":
                self._add(node)

    def _add(self, node: fx.Node) -> None:
        wanted = next((self._names[user.target] for user in node.users if user.target in self._names), None)
        text = self._fitting(node, self._expression)
        if wanted is None and len(node.users) == 1:
            self._waiting[node] = text
        else:
            self._assign(node, text, wanted)

    def _assign(self, node: fx.Node, text: str, wanted: str | None = None) -> None:
        if wanted is None and node.op == "call_module":
            parent, _, key = str(node.target).rpartition(".")
            wanted = f"{parent.removesuffix('s')}_{key}" if parent else key
        wanted = wanted or _NAMES.get(re.sub(r"_\d+$", "", node.name), node.name)
        self._texts[node] = self._fresh(re.sub(r"\W", "_", wanted))
        self.written.lines.append(f"{self._texts[node]} = {text}")

    def _fitting(self, node: fx.Node, write: Callable[[fx.Node], str]) -> str:
        """What `write` gives; while that is too long or too deep, its longest part gets a name of its own."""
        numbers = len(self.written.numbers)
        while True:
            text = write(node)
            parts = [part for part in node.all_input_nodes if part in self._waiting]
            deep = (
                []
                if node.target is operator.add or node.op == "output"
                else [p for p in parts if self._calls_member(p)]
            )
            if not deep and (len(text) <= _WIDTH or not parts):
                for part in parts:
                    del self._waiting[part]
                return text
            del self.written.numbers[numbers:]
            longest = max(deep or parts, key=lambda part: len(self._waiting[part]))
            self._assign(longest, self._waiting.pop(longest))

    def _calls_member(self, node: fx.Node) -> bool:
        """Whether the text that waits calls a member of a list: one of them on a line, or in a sum, is enough."""
        return "](" in self._waiting[node]

    def _fresh(self, name: str) -> str:
        free, count = name, 1
        while free in self._taken:
            count += 1
            free = f"{name}_{count}"
        self._taken.add(free)
        return free

    def _returned(self, node: fx.Node) -> str:
        return self._value(node.args[0])

    def _expression(self, node: fx.Node) -> str:
        if node.op == "call_module":
            self.written.used.add(str(node.target))
            return f"{self._child(str(node.target))}({self._arguments(node)})"
        if node.op == "call_method":
            owner, *_ = node.args
            return f"{self._operand(owner)}.{node.target}({self._arguments(node, skip=1)})"
        if node.op == "call_function":
            return self._function(node)
        self._refuse(f"its forward uses the tensor {node.target} directly")
        raise AssertionError

    def _function(self, node: fx.Node) -> str:
        function: Any = node.target
        if function in _INFIX:
            left, right = node.args
            bare = {operator.neg, operator.add} if function is operator.add else {operator.neg}
            operands = self._operand(left, bare), self._operand(right, {operator.neg})
            return f"{operands[0]} {_INFIX[function]} {operands[1]}"
        if function is operator.neg:
            return f"-{self._operand(node.args[0])}"
        if function is operator.getitem:
            return f"{self._operand(node.args[0])}[{self._index(node.args[1])}]"
        if function is getattr:
            return f"{self._operand(node.args[0])}.{node.args[1]}"
        name = str(getattr(function, "__name__", function))
        for prefix, home in (("torch", torch), ("nn.functional", nn.functional)):
            if getattr(home, name, None) is function:
                return f"{prefix}.{name}({self._arguments(node)})"
        self._refuse(f"its forward calls {name}")
        raise AssertionError

    def _child(self, target: str) -> str:
        text, parent = "self", self._module
        for part in target.split("."):
            if isinstance(parent, nn.ModuleDict):
                text += f"[{json.dumps(part)}]"
            elif isinstance(parent, (nn.ModuleList, nn.Sequential)) and part.isdigit():
                text += f"[{part}]"
            else:
                text += f".{part}"
            parent = getattr(parent, part)
        return text

    def _operand(self, value: Any, bare: Set[Any] = frozenset()) -> str:
        """A value in a larger expression, in brackets unless it is an operation that binds tighter or is in `bare`."""
        text = self._value(value)
        loose = isinstance(value, fx.Node) and value in self._waiting and value.target in {*_INFIX, operator.neg} - bare
        return f"({text})" if loose else text

    def _arguments(self, node: fx.Node, skip: int = 0) -> str:
        hidden = _DEFAULTS if node.target is nn.functional.pad else set()
        named = [f"{k}={self._value(v)}" for k, v in node.kwargs.items() if not hidden or (k, v) not in hidden]
        return ", ".join([*(self._value(value) for value in node.args[skip:]), *named])

    def _index(self, index: Any) -> str:
        if not isinstance(index, tuple):
            return self._value(index)
        return ", ".join(map(self._value, index))

    def _value(self, value: Any) -> str:
        if isinstance(value, fx.Node):
            return self._texts[value] if value in self._texts else self._waiting[value]
        if isinstance(value, (tuple, list)):
            inner = ", ".join(map(self._value, value))
            if isinstance(value, tuple):
                return f"({inner},)" if len(value) == 1 else f"({inner})"
            return f"[{inner}]"
        if isinstance(value, slice):
            ends = ["" if end is None else self._value(end) for end in (value.start, value.stop)]
            return ":".join(ends) if value.step is None else ":".join([*ends, self._value(value.step)])
        if isinstance(value, int) and not isinstance(value, bool):
            self.written.numbers.append(value)
            return mark(len(self.written.numbers) - 1)
        if isinstance(value, str):
            return json.dumps(value)
        if value is None or isinstance(value, (bool, float)):
            return repr(value)
        if isinstance(value, torch.dtype):
            return str(value)
        self._refuse(f"its forward holds a {type(value).__name__}")
        raise AssertionError

    def _refuse(self, reason: str) -> None:
        raise ValueError(f"{type(self._module).__name__} cannot be written as source: {reason}")
