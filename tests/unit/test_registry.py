"""Registries: members are found in modules, kept apart from what others add, and missed in one clear line."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from nas_core import registry


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with two modules that register a member each, and two that must not be imported."""
    folder = tmp_path / "a_room"
    folder.mkdir()
    rest = "support=('base',), group='a_room.fruits', besides='nothing or '"
    (folder / "__init__.py").write_text(
        f"from nas_core.registry import Registry\n\nROOM = Registry('fruit', 'a_room', {rest})\n"
    )
    for name in ("pear", "apple"):
        (folder / f"{name}.py").write_text(f"from a_room import ROOM\n\n@ROOM.register('{name}')\nclass Own: pass\n")
    for name in ("base", "_private"):
        (folder / f"{name}.py").write_text("raise AssertionError('not to be imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "a_room"]:
        del sys.modules[name]


def test_members_of_a_package_are_found_and_others_are_named(package):
    from a_room import ROOM

    assert ROOM.names() == ["apple", "pear"]
    assert ROOM.get("pear") is sys.modules["a_room.pear"].Own
    with pytest.raises(ValueError, match="unknown fruit 'plum'; expected nothing or one of: apple, pear"):
        ROOM.get("plum")


def test_an_entry_point_adds_a_member_and_takes_no_name_of_ours(package, monkeypatch):
    from a_room import ROOM

    points = EntryPoints([EntryPoint(name, "collections:OrderedDict", "a_room.fruits") for name in ("fig", "pear")])
    monkeypatch.setattr(registry, "entry_points", lambda group: points.select(group=group))
    assert ROOM.names() == ["apple", "fig", "pear"]
    assert ROOM.get("pear").__name__ == "Own"
    assert ROOM.get("fig").__name__ == "OrderedDict"
