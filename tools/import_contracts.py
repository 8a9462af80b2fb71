"""Contracts of import-linter that it does not bring itself: no circle of modules, no private module of another room.

Registered in pyproject.toml under `contract_types`; `lint-imports`, run from the root of the repository, finds them.
"""

from __future__ import annotations

from collections.abc import Iterable

import grimp
from importlinter import Contract, ContractCheck, output


class NoCircles(Contract):
    """No modules of ours import each other in a circle: not within functions, and not for type checking either."""

    type_name = "no_circles"

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        imports = {module: graph.find_modules_directly_imported_by(module) for module in _own(graph)}
        circles = [_circle(imports, members) for members in _strongly_connected(imports)]
        return ContractCheck(kept=not circles, metadata={"circles": circles})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for circle in check.metadata["circles"]:
            output.print_error(f"circle: {' -> '.join(circle)}")
        output.new_line()


class PrivateModules(Contract):
    """A module `nas_core.<room>._name`, or one below it, is imported within `nas_core.<room>` only; likewise in app."""

    type_name = "private_modules"

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        found = []
        for module in _own(graph):
            room = _room_of_private(module)
            if room is None:
                continue
            for importer in sorted(graph.find_modules_that_directly_import(module)):
                if importer != room and not importer.startswith(f"{room}."):
                    details = graph.get_import_details(importer=importer, imported=module)
                    found.append((importer, details[0]["line_number"] if details else 0, module))
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, line, module in check.metadata["found"]:
            output.print_error(f"{importer} (l.{line}) imports {module}, which is private to its room")
        output.new_line()


def _own(graph: grimp.ImportGraph) -> list[str]:
    """Modules of the packages that are checked, without external ones."""
    return sorted(module for module in graph.modules if not graph.is_module_squashed(module))


def _room_of_private(module: str) -> str | None:
    """The package within which a private module may be imported, None for a public one: `nas_core.<room>`."""
    parts = module.split(".")
    private = [k for k, part in enumerate(parts) if part.startswith("_") and part != "__main__"]
    return ".".join(parts[: min(2, private[0])]) if private else None


def _strongly_connected(imports: dict[str, set[str]]) -> list[set[str]]:
    """Sets of modules each of which reaches all others, where there are at least two (Kosaraju's algorithm)."""
    order: list[str] = []
    seen: set[str] = set()
    for start in imports:
        _visit(start, imports, seen, order)
    backwards: dict[str, set[str]] = {module: set() for module in imports}
    for importer, imported in imports.items():
        for module in imported & imports.keys():
            backwards[module].add(importer)
    seen, found = set(), []
    for start in reversed(order):
        members: list[str] = []
        _visit(start, backwards, seen, members)
        if len(members) > 1:
            found.append(set(members))
    return found


def _visit(start: str, edges: dict[str, set[str]], seen: set[str], order: list[str]) -> None:
    """Add to `order` what is reached from `start` and not seen yet, each module after all that it leads to."""
    if start in seen:
        return
    seen.add(start)
    path = [(start, _sorted_own(edges, start))]
    while path:
        module, left = path[-1]
        if following := next((other for other in left if other not in seen), None):
            seen.add(following)
            path.append((following, _sorted_own(edges, following)))
        else:
            order.append(module)
            path.pop()


def _sorted_own(edges: dict[str, set[str]], module: str) -> Iterable[str]:
    return iter(sorted(edges[module] & edges.keys()))


def _circle(imports: dict[str, set[str]], members: set[str]) -> list[str]:
    """A shortest circle through the first of `members`, its ends alike."""
    start = min(members)
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:  # grows while it is read: breadth first
        for module in sorted(imports[way[-1]] & members):
            if module == start:
                return [*way, start]
            if module not in seen:
                seen.add(module)
                ways.append([*way, module])
    raise AssertionError(f"no circle among {sorted(members)}")
