"""Reading within limits: a small file that unpacks without end, or asks for memory without end, is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import IO, Any, cast

# The bound on memory is one of the whole process: two threads that set it in turn would restore each other's.
_ONE_BOUND = Lock()


class BoundedReader(io.BufferedReader):
    """Reads bytes until more than a limit have come out, then raises ValueError."""

    raw: _Bounded

    def __init__(self, raw: _Bounded) -> None:
        super().__init__(raw)

    def share(self) -> float:
        """How much of the file has been read, from 0 to 1; of a compressed file, how much of its packed bytes."""
        return self.raw.share()


class _Bounded(io.RawIOBase):
    def __init__(self, inner: Any, limit: int, opened: ExitStack, packed: Any, size: int) -> None:
        self._inner, self._limit, self._left = inner, limit, limit
        self._opened, self._packed, self._size = opened, packed, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._inner.readinto(buffer)
        self._left -= count
        if self._left < 0:
            raise ValueError(f"it holds more than {self._limit:,} bytes, the most that is read")
        return count

    def share(self) -> float:
        return min(1.0, self._packed.tell() / self._size) if self._size else 1.0

    def close(self) -> None:
        self._opened.close()
        super().close()


def bounded(inner: IO[bytes], limit: int) -> BoundedReader:
    """The open file `inner`, read up to `limit` bytes; closing the reader closes it."""
    opened = ExitStack()
    opened.enter_context(inner)
    return BoundedReader(_Bounded(inner, limit, opened, inner, 0))


def open_bounded(path: Path, limit: int) -> BoundedReader:
    """Open `path` for reading up to `limit` bytes, unpacked if its first bytes are those of gzip or bzip2."""
    opened = ExitStack()
    file = opened.enter_context(path.open("rb"))
    head = file.peek(3)
    inner: Any = file
    if head.startswith(b"\x1f\x8b"):
        inner = opened.enter_context(gzip.GzipFile(fileobj=cast(Any, file)))
    elif head.startswith(b"BZh"):
        inner = opened.enter_context(bz2.BZ2File(file))
    return BoundedReader(_Bounded(inner, limit, opened, file, path.stat().st_size))


@contextmanager
def bounded_memory(extra: int | None) -> Iterator[None]:
    """Within the block this process gets at most `extra` bytes more than it has; asking for more is a MemoryError.

    There is no bound for None, nor on systems without /proc. The bound is one of the whole process.
    """
    statm = Path("/proc/self/statm")
    if extra is None or not statm.exists():
        yield
        return
    import resource

    with _ONE_BOUND:
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        bound = int(statm.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE") + extra
        resource.setrlimit(resource.RLIMIT_AS, (bound if soft == resource.RLIM_INFINITY else min(soft, bound), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def free_memory() -> int | None:
    """Bytes that programs can still get, or None where the system does not say."""
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        return None
    found = [line.split() for line in meminfo.read_text().splitlines() if line.startswith("MemAvailable:")]
    return int(found[0][1]) * 1024 if found else None
