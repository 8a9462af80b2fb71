"""The registry of search spaces; other distributions add theirs through the entry points `nas_helm.spaces`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from nas_core import options
from nas_core.registry import Registry
from nas_core.spaces.base import NoOptions, SearchSpace

Factory = Callable[..., SearchSpace]

_SUPPORT = ("base", "drawing", "layout", "parts", "shared_weights", "steering", "template")
_SPACES: Registry[Factory] = Registry(
    "search space",
    "nas_core.spaces",
    support=_SUPPORT,
    group="nas_helm.spaces",
    besides="a template .json or ",
    first=("nb201",),
)
_DEFINED: dict[str, SearchSpace] = {}


def register(name: str) -> Callable[[Factory], Factory]:
    """Register the class of a space under `name`: made without arguments, or from a value of its `options_type`."""
    return _SPACES.register(name)


def load_ours() -> None:
    """Import the spaces of this package, and nobody else's."""
    _SPACES.load_ours()


def names() -> list[str]:
    """Names of every space that can be built here, without options; `nb201` first."""
    return _SPACES.names()


def define(document: Mapping[str, Any]) -> SearchSpace:
    """Make the space of a template known to this process, by its name `template:...`, and return it.

    The same template under another title takes the place of the one known before.

    Raises:
        ValueError: no template, or blocks that do not fit together.
    """
    from nas_core.spaces.template import TemplateSpace, read

    space = TemplateSpace(read(document))
    known = _DEFINED.get(space.name)
    if known is None or known.title != space.title:
        known = _DEFINED[space.name] = space
    return known


def get(name: str) -> SearchSpace:
    """The space called `name`, with its options as in `name:option=value,option=value`.

    One object a space: two spellings of the same options give the same. A name that ends in `.json` is the file of a
    template.

    Raises:
        ValueError: no such space or option; the message lists those that exist.
    """
    if name in _DEFINED:
        return _DEFINED[name]
    if name.endswith(".json") and name.partition(":")[0] not in names():
        return _from_file(name)
    return _named(name)


def _named(name: str) -> SearchSpace:
    base = name.partition(":")[0]
    factory = _SPACES.get(name if base == "template" else base)  # a template that this process was not told of
    kind = getattr(factory, "options_type", NoOptions)
    _, texts = options.split_name(name)
    return _made(factory, base, options.read(kind, texts, of=f"space {base}"))


@cache
def _made(factory: Factory, base: str, chosen: Any) -> SearchSpace:
    space = factory() if isinstance(chosen, NoOptions) else factory(chosen)
    canonical = options.spelled(base, chosen)
    if space.name != canonical:
        raise ValueError(f"space {base!r} calls itself {space.name!r}; expected {canonical!r}")
    return space


def _from_file(name: str) -> SearchSpace:
    from nas_core.spaces.template import read_file

    try:
        return define(read_file(name).to_dict())
    except OSError as error:
        raise ValueError(f"template {name!r} cannot be read: {error.strerror}") from error
