"""A built network as one Python module that needs torch alone: classes for exactly this network. Needs torch.

Instances of a class that are built alike become one class; what differs between them becomes its arguments.
"""

from __future__ import annotations

import inspect
import json
import textwrap
import types
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from torch import nn

from nas_core.export._forward import MARK, Forward, trace
from nas_core.export._names import argument_names

_LISTS = (nn.ModuleList, nn.ModuleDict, nn.Sequential)
_LINE = 120


@dataclass(frozen=True)
class Labels:
    """What the space knows about children, by the name of the list that holds them.

    `comments[name][k]` describes child `k`; `inputs[name][k]` names the value that goes into it.
    """

    comments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Slot:
    """One argument of one torch layer, or one number of a forward."""

    label: str
    value: Any
    default: Any = inspect.Parameter.empty


@dataclass
class _Part:
    """A module read: its kind, its children, and the slots of all layers beneath it, in order."""

    module: nn.Module
    key: Hashable
    children: list[tuple[str, _Part]]
    slots: list[_Slot]
    forward: Forward | None = None

    @property
    def is_list(self) -> bool:
        return type(self.module) in _LISTS

    @property
    def is_layer(self) -> bool:
        return isinstance(self.key, tuple) and self.key[0] == "layer"


@dataclass
class _Class:
    """Instances built alike. `arguments[name]` are the positions of the slots that the argument fills."""

    name: str
    instances: list[_Part]
    places: list[str]
    arguments: dict[str, list[int]] = field(default_factory=dict)

    def named(self, slot: int) -> str | None:
        return next((name for name, slots in self.arguments.items() if slot in slots), None)


def source(model: nn.Module, header: str, build: str, labels: Labels | None = None) -> str:
    """The text of a module with the classes of `model` and a function `build`.

    Args:
        model: any module that torch.fx can trace class by class.
        header: comment at the top, of as many lines as it has.
        build: docstring of `build`.
        labels: what the space knows about the children.

    Raises:
        ValueError: a class cannot be written, naming it and the reason.
    """
    return _Writer(model, labels or Labels()).text(header, build)


def load(text: str) -> nn.Module:
    """The network that an exported module builds."""
    module = types.ModuleType("exported_network")
    exec(compile(text, "exported_network.py", "exec"), module.__dict__)
    return module.build()


class _Writer:
    def __init__(self, model: nn.Module, labels: Labels) -> None:
        self._labels = labels
        self._classes: dict[Hashable, _Class] = {}
        self._needed: set[str] = set()
        self._root = self._read(model, "")
        for written in self._classes.values():  # children come before parents
            visible = [(index, slot.label) for index, slot in self._visible(written.instances[0])]
            columns = {i: tuple(part.slots[i].value for part in written.instances) for i, _ in visible}
            varied = [(i, label) for i, label in visible if len(set(map(repr, columns[i]))) > 1]
            written.arguments = argument_names(varied, columns)

    # reading --------------------------------------------------------------------------------------------------------

    def _read(self, module: nn.Module, place: str) -> _Part:
        layer = _layer(type(module))
        if layer is not None and not list(module.children()):
            slots = list(_layer_slots(module, layer))
            return _Part(module, ("layer", layer.__name__, tuple(slot.label for slot in slots)), [], slots)
        if module._parameters or module._buffers:
            raise ValueError(f"{type(module).__name__} cannot be written as source: it holds tensors of its own")
        children = [
            (name, self._read(child, f"{place}.{name}".lstrip(".")))
            for name, child in module._modules.items()
            if child is not None
        ]
        slots = [slot for _, part in children for slot in part.slots]
        shape = tuple((name, part.key) for name, part in children)
        if type(module) in _LISTS:
            return _Part(module, ("list", type(module).__name__, shape), children, slots)
        forward = None if type(module).forward is nn.Sequential.forward else trace(module, self._inputs(module))
        if forward is not None:
            slots = slots + [_Slot("size", number) for number in forward.numbers]
        text = (forward.argument, *forward.lines) if forward else ()
        key: Hashable = (type(module), shape, text)
        if key not in self._classes:
            name = self._free_name("Network" if not place else type(module).__name__)
            self._classes[key] = _Class(name, [], [])
        part = _Part(module, key, children, slots, forward)
        self._classes[key].instances.append(part)
        self._classes[key].places.append(place)
        return part

    def _inputs(self, module: nn.Module) -> dict[str, str]:
        return {
            f"{name}.{position}": label
            for name, labels in self._labels.inputs.items()
            for position, label in enumerate(labels)
            if self._is_labelled(getattr(module, name, None), labels)
        }

    @staticmethod
    def _is_labelled(children: Any, labels: tuple[str, ...]) -> bool:
        return isinstance(children, (nn.ModuleList, nn.Sequential)) and len(children) == len(labels)

    def _free_name(self, name: str) -> str:
        name = name.lstrip("_") if name.strip("_") else "Block"
        taken = {written.name for written in self._classes.values()} | {"nn", "torch", "build"}
        return next(free for count in range(1, len(taken) + 2) if (free := _numbered(name, count)) not in taken)

    def _visible(self, part: _Part, offset: int = 0) -> Iterator[tuple[int, _Slot]]:
        """Slots that the class of `part` writes itself: those of its layers, and arguments of its inner classes."""
        for _, child in part.children:
            if child.key in self._classes:
                for name, slots in self._classes[child.key].arguments.items():
                    yield offset + slots[0], _Slot(name, child.slots[slots[0]].value)
            elif child.is_list:
                yield from self._visible(child, offset)
            else:
                yield from ((offset + k, slot) for k, slot in enumerate(child.slots))
            offset += len(child.slots)
        if part.forward:
            yield from ((offset + k, _Slot("size", value)) for k, value in enumerate(part.forward.numbers))

    # writing --------------------------------------------------------------------------------------------------------

    def text(self, header: str, build: str) -> str:
        if self._root.key not in self._classes:
            raise ValueError(f"{type(self._root.module).__name__} cannot be written as source: it is a single layer")
        comment = "\n".join(f"# {line}".rstrip() for line in header.splitlines())
        body = "\n\n\n".join(self._needed_classes())
        imports = "import torch\nfrom torch import nn" if "torch." in body else "from torch import nn"
        called = f"    return {self._classes[self._root.key].name}()"
        last = "\n".join(["def build() -> nn.Module:", *_docstring(build, "    "), called])
        return f"{comment}\n\n{imports}\n\n\n{body}\n\n\n{last}\n"

    def _needed_classes(self) -> list[str]:
        """Texts of the classes that are built somewhere, children first; an operation that is never run has none."""
        texts: dict[str, str] = {}
        self._needed = {self._classes[self._root.key].name}
        for written in reversed(self._classes.values()):
            if written.name in self._needed:
                texts[written.name] = self._class(written)
        return list(reversed(texts.values()))

    @staticmethod
    def _runs(owner: _Part, path: str) -> bool:
        """Whether the forward of `owner` calls the child at `path`, something in it, or a list it is in."""
        if owner.forward is None:
            return True
        return any(f"{path}.".startswith(f"{t}.") or t.startswith(f"{path}.") for t in owner.forward.used)

    def _class(self, written: _Class) -> str:
        part = written.instances[0]
        base = "nn.Module" if part.forward else "nn.Sequential"
        doc = " ".join((type(part.module).__doc__ or "A part of the network.").split("\n\n")[0].split())
        lines = [f"class {written.name}({base}):", *_docstring(doc, "    "), ""]
        signature = ", ".join(["self", *(f"{name}: {_kind(written, name)}" for name in written.arguments)])
        stored = self._stored(written)
        if part.forward is None:
            lines += [f"    def __init__({signature}) -> None:", "        super().__init__("]
            lines += [f"            {line}" for line in self._children(written, part, 0, part, "")]
            return "\n".join([*_wrapped(lines), "        )"])
        if part.children or stored:
            lines += [f"    def __init__({signature}) -> None:", "        super().__init__()"]
            lines += [f"        self.{name} = {name}" for name in stored]
            offset = 0
            for name, child in part.children:
                comment = "" if child.is_list or self._runs(part, name) else "  # never run"
                text = self._built(written, child, offset, 8 + len(name) + 8, part, name)
                lines += _indented(f"self.{name} = {text}{comment}", 8)
                offset += len(child.slots)
            lines = [*_wrapped(lines), ""]
        lines.append(f"    def forward(self, {part.forward.argument}: torch.Tensor) -> torch.Tensor:")
        offset = len(part.slots) - len(part.forward.numbers)
        for line in part.forward.lines:
            lines.append("        " + MARK.sub(lambda found: self._number(written, offset + int(found[1])), line))
        return "\n".join(lines)

    def _stored(self, written: _Class) -> list[str]:
        part = written.instances[0]
        first = len(part.slots) - len(part.forward.numbers) if part.forward else len(part.slots)
        return [name for name, slots in written.arguments.items() if any(slot >= first for slot in slots)]

    def _number(self, written: _Class, slot: int) -> str:
        name = written.named(slot)
        return f"self.{name}" if name else repr(written.instances[0].slots[slot].value)

    def _built(self, written: _Class, part: _Part, offset: int, indent: int, owner: _Part, path: str) -> str:
        """The expression that builds `part`, whose first slot is slot `offset` of the class."""
        if part.key in self._classes:
            return self._call_class(written, self._classes[part.key], part, offset)
        if part.is_layer:
            return self._call_layer(written, part, offset)
        kind = type(part.module).__name__
        lines = self._children(written, part, offset, owner, path)
        open_, close = ("({", "})") if isinstance(part.module, nn.ModuleDict) else ("(", ")")
        if isinstance(part.module, nn.ModuleList):
            open_, close = "([", "])"
        single = f"nn.{kind}{open_}{' '.join(lines).rstrip(',')}{close}"
        if len(single) + indent <= 100 and not any("#" in line for line in lines):
            return single
        return "\n".join([f"nn.{kind}{open_}", *(f"    {line}" for line in lines), close])

    def _children(self, written: _Class, part: _Part, offset: int, owner: _Part, path: str) -> list[str]:
        """Lines for the children of a list at `path` of `owner`, equal neighbours written once."""
        module = part.module
        keys = [name for name, _ in part.children]
        named = isinstance(module, nn.ModuleDict)
        if not named and keys != [str(k) for k in range(len(keys))]:
            raise ValueError(f"{type(module).__name__} cannot be written as source: its children have names")
        comments = self._labels.comments.get(path, ())
        comments = comments if self._is_labelled(module, comments) else ()
        items = []
        for position, (name, child) in enumerate(part.children):
            where = f"{path}.{name}".lstrip(".")
            runs = self._runs(owner, where)
            idle = not runs and not child.module.state_dict()
            text = "nn.Identity()" if idle else self._built(written, child, offset, 16, owner, where)
            notes = [comments[position]] if comments else []
            notes += [] if runs else ["never run"]
            items.append((f"{json.dumps(name)}: " if named else "", text, ", ".join(notes)))
            offset += len(child.slots)
        lines: list[str] = []
        for (key, text, note), run in groupby(items):
            count = len(list(run))
            text = f"*({text} for _ in range({count}))" if count > 2 else text
            for _ in range(1 if count > 2 else count):
                lines += f"{key}{text},{'  # ' + note if note else ''}".split("\n")
        return lines

    def _call_class(self, written: _Class, inner: _Class, part: _Part, offset: int) -> str:
        self._needed.add(inner.name)
        arguments = []
        for name, slots in inner.arguments.items():
            value = written.named(offset + slots[0]) or repr(part.slots[slots[0]].value)
            arguments.append(value if "channels" in name else f"{name}={value}")
        return f"{inner.name}({', '.join(arguments)})"

    def _call_layer(self, written: _Class, part: _Part, offset: int) -> str:
        layer = _layer(type(part.module))
        assert layer is not None
        arguments = []
        for position, slot in enumerate(part.slots, start=offset):
            name = written.named(position)
            if name is None and slot.default is not inspect.Parameter.empty and slot.value == slot.default:
                continue
            required = slot.default is inspect.Parameter.empty
            arguments.append(f"{'' if required else slot.label + '='}{name or repr(slot.value)}")
        return f"nn.{layer.__name__}({', '.join(arguments)})"


def _layer(kind: type) -> type | None:
    """The class of torch.nn that `kind` is, or is made from; none for a bare `nn.Module` or a list of modules."""
    for base in kind.__mro__:
        if base.__module__.startswith("torch.nn.modules"):
            return None if base is nn.Module or base in _LISTS else base
    return None


def _layer_slots(module: nn.Module, layer: type) -> Iterator[_Slot]:
    """Arguments of a torch layer, read from the attributes that carry their names."""
    for name, parameter in inspect.signature(layer).parameters.items():
        kind = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if kind or name in ("device", "dtype") or not hasattr(module, name):
            continue
        value = getattr(module, name)
        if name == "bias":
            value = value is not None
        if isinstance(value, tuple) and len(set(value)) == 1:
            value = value[0]
        yield _Slot(name, value, parameter.default)


def _kind(written: _Class, name: str) -> str:
    kinds: dict[str, None] = defaultdict()
    for part in written.instances:
        kinds[type(part.slots[written.arguments[name][0]].value).__name__] = None
    return " | ".join(kinds)


def _numbered(name: str, count: int) -> str:
    return name if count == 1 else f"{name}{count}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''").removesuffix('"')


def _docstring(text: str, indent: str) -> list[str]:
    lines = textwrap.wrap(f'"""{_quoted(text)}"""', _LINE - len(indent))
    return [indent + line for line in lines]


def _wrapped(lines: list[str]) -> list[str]:
    """Lines of an `__init__`, the arguments of a call or signature that is too long on a line of their own."""
    found = []
    for line in lines:
        code, hash_, note = line.partition("  # ")
        first, last = code.find("("), code.rfind(")")
        if len(line) <= _LINE or code.lstrip().startswith(("*", '"""')) or not 0 < first < last:
            found.append(line)
            continue
        indent = " " * (len(code) - len(code.lstrip()) + 4)
        found += [code[: first + 1], f"{indent}{code[first + 1 : last]},", f"{indent[4:]}{code[last:]}{hash_}{note}"]
    return found


def _indented(text: str, spaces: int) -> list[str]:
    return [" " * spaces + line for line in text.split("\n")]
