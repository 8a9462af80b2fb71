"""Where people say that a layer of a network is, told from the name of its module. No torch here.

Shared by the spaces whose networks are a stem, blocks and a head; what a space has of its own is in its module.
"""

from __future__ import annotations

from collections.abc import Sequence

STEM, HEAD = "stem", "head"
PART = " · "
"""Between the parts of a place: `cell 2 · edge 0→1`."""
_REDUCTION = {"first": "first", "second": "second", "shortcut": "shortcut"}
_HALVES = {"even": "even pixels", "odd": "odd pixels"}


def outside_blocks(module: str) -> str | None:
    """The place of a layer before or behind the blocks; None for one within them."""
    part = module.partition(".")[0]
    if part == "stem":
        return STEM
    return HEAD if part in ("classifier", "head", "last") else None


def block_number(module: str) -> tuple[int, list[str]]:
    """Which block a module is in, from 0, and its name within that block: `blocks.3.first.1` is 3, first and 1."""
    _, number, *rest = module.split(".")
    return int(number), rest


def cell_place(module: str, edges: Sequence[str], *, cells: int, reductions: bool = True) -> str:
    """The place of a layer in a network of stages of `cells` equal cells.

    Args:
        module: name of the module.
        edges: names of the edges of a cell, in the order of its modules.
        cells: cells in each stage.
        reductions: whether a residual block stands between two stages.
    """
    outside = outside_blocks(module)
    if outside:
        return outside
    number, rest = block_number(module)
    stage, within = divmod(number, cells + 1) if reductions else (0, number)
    if reductions and within == cells:
        return PART.join((f"reduction {stage + 1}", _REDUCTION.get(rest[0], rest[0])))
    edge = edges[int(rest[1])]
    parts = [f"cell {number - stage + 1}", edge, *(_HALVES[name] for name in rest[2:] if name in _HALVES)]
    return PART.join(parts)
