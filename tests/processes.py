"""Processes that our programs start beside themselves, as the system sees them."""

from __future__ import annotations

from pathlib import Path


def workers(*, of: int | None = None, environ: str = "") -> list[int]:
    """Worker processes: all, those of the program with process id `of`, or those with `environ` in their environment.

    A worker leads a session of its own; it is a fork of its program's fork server.
    """
    found = [pid for pid in helpers(environ=environ) if _session(pid) == pid]
    return found if of is None else [pid for pid in found if of in (_parent(pid), _parent(_parent(pid)))]


def helpers(*, environ: str = "") -> list[int]:
    """Workers, fork servers and trackers of resources, with `environ` in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, names = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if b"from multiprocessing." in command and environ.encode() in names:
            found.append(int(folder.name))
    return sorted(found)


def alive(pid: int) -> bool:
    """Whether a process is there, and not a zombie that nobody has asked after."""
    return _stat(pid)[0] not in ("", "Z")


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _session(pid: int) -> int:
    return int(_stat(pid)[3])


def _stat(pid: int) -> tuple[str, ...]:
    """Of a process: state, parent, group and session; nothing and zeroes where it is gone."""
    try:
        return tuple(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:4])
    except OSError:
        return ("", "0", "0", "0")
