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


def broken_points(folder):
    (folder / "of_another.py").write_text("raise RuntimeError('needs a licence\\nfrom somebody')\n")
    (folder / "that_exits.py").write_text("import sys\nsys.exit(3)\n")
    names = {"fig": "collections:OrderedDict", "date": "of_another:Date", "lime": "missing_package:Lime"}
    names |= {"kiwi": "that_exits:Kiwi", "melon": "collections:Melon"}
    return EntryPoints([EntryPoint(name, value, "a_room.fruits") for name, value in names.items()])


def test_a_broken_entry_point_breaks_nothing_else_and_get_says_why(package, tmp_path, monkeypatch, caplog):
    from a_room import ROOM

    points = broken_points(tmp_path)
    monkeypatch.setattr(registry, "entry_points", lambda group: points.select(group=group))
    assert ROOM.names() == ROOM.names() == ["apple", "fig", "pear"]
    assert ROOM.get("fig").__name__ == "OrderedDict"
    for name, reason in {
        "date": "of_another:Date raised RuntimeError: needs a licence from somebody",
        "lime": "missing_package:Lime raised ModuleNotFoundError",
        "kiwi": "that_exits:Kiwi raised SystemExit: 3",
        "melon": "collections:Melon raised AttributeError",
    }.items():
        with pytest.raises(ValueError, match=f"fruit '{name}' cannot be loaded: entry point {reason}"):
            ROOM.get(name)
        assert sum(f"'{name}' is left out" in record.getMessage() for record in caplog.records) == 1
    with pytest.raises(ValueError, match="unknown fruit 'plum'; expected nothing or one of: apple, fig, pear"):
        ROOM.get("plum")


def test_a_member_of_ours_is_found_without_loading_what_others_add(package, monkeypatch):
    from a_room import ROOM

    def refuse(group):
        raise AssertionError("not asked for")

    monkeypatch.setattr(registry, "entry_points", refuse)
    assert ROOM.get("pear") is sys.modules["a_room.pear"].Own


def test_names_that_come_first_do(package):
    ordered = registry.Registry("fruit", "a_room", support=("base", "pear", "apple"), first=("fig", "date"))
    for name in ("cherry", "date", "banana"):
        ordered.add(name, object)
    assert ordered.names() == ["date", "banana", "cherry"]
