"""A bound on what one job may allocate, set inside its worker: allocating without bound harms nobody else."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

_MIB = 2**20
_SHARE = 0.8  # of the machine, for all workers together
_LEAST_MIB = 1024
_TORCH_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


def share_of_machine(slots: int) -> int:
    """MiB that each of `slots` workers may take."""
    with suppress(OSError, ValueError, AttributeError):
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _MIB
        return max(_LEAST_MIB, int(_SHARE * min(whole, _container_limit()) / slots))
    return 4 * _LEAST_MIB


def _container_limit() -> float:
    """MiB that the control group of this process may use."""
    with suppress(OSError, ValueError):
        return int(Path("/sys/fs/cgroup/memory.max").read_text()) / _MIB
    return float("inf")


def limit(mib: int) -> None:
    """Let this process allocate `mib` MiB beyond what it holds; what asks for more gets a MemoryError."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    held = int(_status().get("VmData", "0 kB").split()[0]) * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = held + mib * _MIB
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))


def resident_mib() -> int:
    """MiB of memory that this process holds; 0 where the system does not say."""
    return int(_status().get("VmRSS", "0 kB").split()[0]) // 1024


def _status() -> dict[str, str]:
    with suppress(OSError):
        lines = Path("/proc/self/status").read_text().splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return {}


def is_exhaustion(error: BaseException) -> bool:
    """Whether an exception says that memory ran out."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _TORCH_OUT_OF_MEMORY)
