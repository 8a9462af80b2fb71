"""Another package with scores of its own, installed in a folder, and programs of ours that see it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nas_core.config import RunConfig
from nas_core.store import Store
from tests import processes

_CREATE = """
import json, sys
from nas_core.config import RunConfig
from nas_core.store import Store
store = Store(sys.argv[1])
run = store.create_run(RunConfig.from_dict(json.loads(sys.argv[2])))
store.command(run, "start")
print(run)
"""


def install(folder: Path, name: str, module: str, proxies: Sequence[str]) -> dict[str, str]:
    """Install `module` with an entry point for each class in `proxies`; the environment that sees it."""
    (folder / f"{name}.py").write_text(module)
    about = folder / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    points = "\n".join(f"{proxy.lower()} = {name}:{proxy}" for proxy in proxies)
    (about / "entry_points.txt").write_text(f"[nas_helm.proxies]\n{points}\n")
    return {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{os.getcwd()}", "NAS_HELM_LEASE_SECONDS": "2"}


def python(environment: Mapping[str, str], *arguments: str, **keywords) -> subprocess.Popen:
    """A program of ours in that environment."""
    return subprocess.Popen([sys.executable, *arguments], env=dict(environment), text=True, **keywords)


def engine(environment: Mapping[str, str], store: Store, *arguments: str) -> subprocess.Popen:
    """An engine with two workers."""
    return python(environment, "-m", "nas_core", "engine", "--store", store.url, "--workers", "2", *arguments)


def create(environment: Mapping[str, str], store: Store, config: RunConfig) -> str:
    """Make and start a run in a process that knows the other package."""
    made = python(environment, "-c", _CREATE, store.url, json.dumps(config.to_dict()), stdout=subprocess.PIPE)
    return made.communicate(timeout=120)[0].strip()


def wait_until(condition: Callable[[], bool], seconds: float = 180.0) -> None:
    """Wait, and fail where it was in vain."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def workers_of(environment: Mapping[str, str]) -> list[int]:
    """Worker processes that see the other package: those of no other test."""
    return processes.workers(environ=_mark(environment))


def left_behind(environment: Mapping[str, str]) -> list[int]:
    """Workers and the processes that serve them, which end with their engine."""
    return processes.helpers(environ=_mark(environment))


def _mark(environment: Mapping[str, str]) -> str:
    return environment["PYTHONPATH"].split(os.pathsep)[0]
