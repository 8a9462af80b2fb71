"""Names for the arguments of an exported class: which slots are one argument, and what a person would call it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_INTO = frozenset({"in_channels", "in_features"})
_OUT_OF = frozenset({"out_channels", "out_features", "num_features"})
_CHANNELS = _INTO | _OUT_OF | {"channels", "hidden_channels", "groups"}


def argument_names(slots: Sequence[tuple[int, str]], columns: Mapping[int, tuple[Any, ...]]) -> dict[str, list[int]]:
    """Group slots `(position, label)` of equal values in all instances, and name each group.

    Returns the positions by name, channels first. Channels are grouped with channels, other slots with their like;
    a number of a forward joins the channels it equals.
    """
    groups: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for position, label in slots:
        family = "channels" if label.rstrip("_0123456789") in _CHANNELS else label
        values = repr(columns[position])
        if label.startswith("size") and ("channels", values) in groups:
            family = "channels"
        groups.setdefault((family, values), []).append((position, label))
    wide = [group for (family, _), group in groups.items() if family == "channels"]
    named: dict[str, list[int]] = {}
    for group, name in [*zip(wide, _channel_names(wide), strict=True)] + [
        (group, family.rstrip("_0123456789")) for (family, _), group in groups.items() if family != "channels"
    ]:
        free, count = name, 1
        while free in named:
            count += 1
            free = f"{name}_{count}"
        named[free] = [position for position, _ in group]
    order = ("in_channels", "channels", "hidden_channels", "out_channels")
    return dict(sorted(named.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)))


def _channel_names(groups: Sequence[Sequence[tuple[int, str]]]) -> list[str]:
    roles = []
    for group in groups:
        labels = {label.rstrip("_0123456789") for _, label in group} - {"groups", "size"}
        if labels and labels <= _INTO:
            roles.append("in_channels")
        elif labels and labels <= _OUT_OF:
            roles.append("out_channels")
        elif labels == {"hidden_channels"}:
            roles.append("hidden_channels")
        else:
            roles.append("channels")
    mixed = "channels"
    if "in_channels" in roles:
        mixed = "hidden_channels" if "out_channels" in roles else "out_channels"
    elif "out_channels" in roles:
        mixed = "in_channels"
    several = roles.count("channels") > 1
    named = []
    for role in roles:
        named.append(mixed if role == "channels" else role)
        if role == "channels" and several:
            mixed = "hidden_channels"
    return named
