"""The order of the files: those that take longest first, so that no process of the tests waits for one at the end."""

from __future__ import annotations

LONGEST = (
    "test_engine_supernet.py",
    "test_one_new_file.py",
    "test_candidate_failures.py",
    "test_session.py",
    "test_many_runs.py",
    "test_store_upgrade.py",
    "test_cli_bad_input.py",
    "test_supernet_command_line.py",
    "test_command_line.py",
    "test_extending.py",
    "test_watch_command_line.py",
)


def pytest_collection_modifyitems(items):
    """Put them first, see `--no-loadscope-reorder` in the Makefile."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))
