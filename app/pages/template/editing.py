"""Editing a template: states in, states out. Pure functions; nothing here draws or stores.

A state is JSON: `now` the document, `origin` the number of the opening that it was made from, `past` and `future` the
documents that undo and redo lead to, each with its origin, `kept` by origin the names that were saved and the saved
templates they mean, `selected` the layer and block whose properties are shown, `turn` a number that grows whenever
`now` changes by anything but a property.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from nas_core.spaces.template import MERGES, MOST_BLOCKS, MOST_LAYERS, PRESETS, PROPERTIES, Block, allowed, read

State = dict[str, Any]
Document = dict[str, Any]
PROPERTY_NAMES = ("kind", "filters", "kernel", "stride", "norm", "activation")
_WHOLE = ("kernel", "stride")
_IMAGE = ("channels", "height", "width")
_MOST_UNDONE = 100


def begun(document: Mapping[str, Any] | None = None) -> State:
    """A fresh state of a document, or of the first preset."""
    now = dict(document) if document else next(iter(PRESETS.values()))().to_dict()
    return {"now": now, "origin": 0, "past": [], "future": [], "kept": {}, "selected": [0, 0], "turn": 0}


def resumed(state: Mapping[str, Any] | None) -> State:
    """The state that a browser still holds; where it lacks a part, its document in a fresh one."""
    fresh = begun((state or {}).get("now"))
    return dict(state) if state and fresh.keys() <= state.keys() else fresh


def opened(state: State, document: Document, name: str | None = None) -> State:
    """The state after another document was opened, which can be undone; `name` is that of the saved template it is."""
    origin = state["turn"] + 1
    kept = {**state["kept"], str(origin): {name: name}} if name else state["kept"]
    return changed(state, document, selected=[0, 0]) | {"origin": origin, "kept": kept, "turn": origin}


def replaced(state: State) -> str | None:
    """The saved template that the document is a later form of, under the name it has now."""
    name = state["kept"].get(str(state["origin"]), {}).get(state["now"]["name"])
    return None if name is None else str(name)


def saved(state: State, name: str) -> State:
    """The state after its document was saved as `name`, which is not the one asked for where another has that."""
    origin = str(state["origin"])
    names = {**state["kept"].get(origin, {}), state["now"]["name"]: name, name: name}
    return {**state, "now": state["now"] | {"name": name}, "kept": {**state["kept"], origin: names}}


def changed(state: State, document: Document, *, selected: list[int] | None = None, turn: bool = True) -> State:
    """The state with another document, which can be undone."""
    if document == state["now"]:
        return state | {"selected": _inside(document, selected or state["selected"])}
    return {
        **state,
        "now": document,
        "past": [*state["past"], [state["now"], state["origin"]]][-_MOST_UNDONE:],
        "future": [],
        "selected": _inside(document, selected or state["selected"]),
        "turn": state["turn"] + turn,
    }


def undone(state: State) -> State:
    """One step back; the state itself where there is none."""
    return _moved(state, "past", "future")


def redone(state: State) -> State:
    """One step forward again."""
    return _moved(state, "future", "past")


def _moved(state: State, source: str, target: str) -> State:
    if not state[source]:
        return state
    now, origin = state[source][-1]
    return {
        **state,
        "now": now,
        "origin": origin,
        source: state[source][:-1],
        target: [*state[target], [state["now"], state["origin"]]],
        "selected": _inside(now, state["selected"]),
        "turn": state["turn"] + 1,
    }


def _inside(document: Document, selected: list[int]) -> list[int]:
    layer = min(max(selected[0], 0), len(document["layers"]) - 1)
    return [layer, min(max(selected[1], 0), len(document["layers"][layer]["blocks"]) - 1)]


def acted(state: State, told: Mapping[str, Any]) -> State:
    """The state after what the page told: a press, properties of the block shown, or a name with the image's size.

    Properties of a block that is no longer the one shown change nothing.

    Raises:
        ValueError: a value out of place, or a limit that would be broken; the message names it.
    """
    if told["kind"] == "press":
        return pressed(state, told["words"])
    if told["kind"] == "rename":
        return renamed(state, told["name"], tuple(told["image"]))
    values = dict(zip(PROPERTY_NAMES, told["values"], strict=True))
    if not values["kind"] or told["key"] != [*state["selected"], state["turn"]]:
        return state
    values |= {name: int(values[name]) for name in _WHOLE if values[name] is not None}
    return with_properties(state, values)


def in_force(state: State, told: Mapping[str, Any]) -> dict[str, Any]:
    """What fields should show that the page told otherwise: values that were refused, or taken in another form."""
    if told["kind"] == "rename":
        shown = {"name": told["name"], **dict(zip(_IMAGE, told["image"], strict=True))}
        held = {"name": state["now"]["name"], **state["now"]["image"]}
    elif told["kind"] == "edit" and told["key"] == [*state["selected"], state["turn"]]:
        shown = dict(zip(PROPERTY_NAMES, told["values"], strict=True))
        layer, block = state["selected"]
        held = dict(state["now"]["layers"][layer]["blocks"][block])
        held |= {name: str(held[name]) for name in _WHOLE if name in held}
    else:
        return {}
    return {name: value for name, value in held.items() if shown[name] != value}


def pressed(state: State, words: list[str]) -> State:
    """The state after a press `template:<what>:<layer>:<block or kind>`.

    Raises:
        ValueError: the template would break a limit; the message says which.
    """
    what, arguments = words[1], words[2:]
    if what in ("undo", "redo"):
        return undone(state) if what == "undo" else redone(state)
    document = copy.deepcopy(state["now"])
    selected = _PRESSES[what](document, arguments) if what in _PRESSES else None
    return changed(state, document, selected=selected)


def _select(document: Document, arguments: list[str]) -> list[int]:
    return [int(arguments[0]), int(arguments[1])]


def _add_block(document: Document, arguments: list[str]) -> list[int]:
    layer, kind = int(arguments[0]), arguments[1]
    blocks = document["layers"][layer]["blocks"]
    if len(blocks) >= MOST_BLOCKS:
        raise ValueError(f"layer {layer + 1} has {len(blocks)} blocks already; at most {MOST_BLOCKS} fit")
    alike: Mapping[str, Any] = next((block for block in blocks if "filters" in block), {})
    blocks.append({**Block(kind).to_dict(), **_fitting(kind, alike)})
    return [layer, len(blocks) - 1]


def _fitting(kind: str, other: Mapping[str, Any]) -> dict[str, Any]:
    """Filters and stride of another block of the layer, so that what is added fits beside it."""
    return {name: other[name] for name in ("filters", "stride") if name in PROPERTIES[kind] and name in other}


def _drop_block(document: Document, arguments: list[str]) -> list[int]:
    layer, block = int(arguments[0]), int(arguments[1])
    blocks = document["layers"][layer]["blocks"]
    if len(blocks) > 1:
        del blocks[block]
    else:
        _drop_layer(document, [str(layer)])
    return [layer, block - 1]


def _add_layer(document: Document, arguments: list[str]) -> list[int]:
    """A copy of a layer behind it, its strides set to 1; the copy keeps the image's size."""
    layer = int(arguments[0])
    if len(document["layers"]) >= MOST_LAYERS:
        raise ValueError(f"the template has {MOST_LAYERS} layers already, and no more fit")
    added = copy.deepcopy(document["layers"][layer])
    for block in added["blocks"]:
        if "stride" in block:
            block["stride"] = 1
    document["layers"].insert(layer + 1, added)
    return [layer + 1, 0]


def _drop_layer(document: Document, arguments: list[str]) -> list[int]:
    if len(document["layers"]) == 1:
        raise ValueError("a template needs a layer; add another before this one is removed")
    del document["layers"][int(arguments[0])]
    return [int(arguments[0]) - 1, 0]


def _move_layer(document: Document, arguments: list[str]) -> list[int]:
    layer, by = int(arguments[0]), int(arguments[1])
    target = min(max(layer + by, 0), len(document["layers"]) - 1)
    document["layers"].insert(target, document["layers"].pop(layer))
    return [target, 0]


def _merge(document: Document, arguments: list[str]) -> list[int]:
    layer, way = document["layers"][int(arguments[0])], arguments[1]
    if way not in MERGES:
        raise ValueError(f"merge is {way!r}; expected one of: {', '.join(MERGES)}")
    layer["merge"] = way
    return [int(arguments[0]), 0]


_PRESSES: dict[str, Callable[[Document, list[str]], list[int]]] = {
    "select": _select,
    "add": _add_block,
    "drop": _drop_block,
    "layer": _add_layer,
    "remove": _drop_layer,
    "move": _move_layer,
    "merge": _merge,
}


def with_properties(state: State, values: Mapping[str, Any]) -> State:
    """The state with other properties of the selected block; values that its kind does not have are ignored.

    Raises:
        ValueError: a value out of place; the message names it.
    """
    document = copy.deepcopy(state["now"])
    layer, block = state["selected"]
    old = document["layers"][layer]["blocks"][block]
    kind = values["kind"]
    new = {**Block(kind).to_dict(), **{name: old[name] for name in PROPERTIES[kind] if name in old}}
    new |= {name: values[name] for name in PROPERTIES[kind] if name in values and name in old}
    if "kernel" in new and new["kernel"] not in allowed(kind, "kernel"):
        new["kernel"] = Block(kind).kernel  # the kind changed, and the new one has no such window
    document["layers"][layer]["blocks"][block] = new
    read(document)
    return changed(state, document, turn=kind != old["kind"])


def renamed(state: State, name: str, image: tuple[Any, Any, Any]) -> State:
    """The state with another name, and channels, height and width of its images.

    Raises:
        ValueError: a value out of place; the message names it.
    """
    document = copy.deepcopy(state["now"])
    document["name"] = (name or "").strip() or document["name"]
    document["image"] = dict(zip(_IMAGE, image, strict=True))
    read(document)
    return changed(state, document, turn=False)
