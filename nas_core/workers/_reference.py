"""Data that jobs refer to instead of carrying it: weights reach a worker once a state, not with every job."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Reference:
    """Data by its digest; equal data have equal references. It lies in a file of this machine, or is carried along."""

    digest: str
    path: str = field(default="", compare=False)
    carried: bytes | None = field(default=None, compare=False, repr=False)

    @classmethod
    def to_file(cls, data: bytes, folder: Path) -> Reference:
        """Write `data` into `folder`, unless it lies there already; whole or not at all."""
        digest = _digest(data)
        path = folder / digest
        if not path.exists():
            temporary = path.with_suffix(".tmp")
            temporary.write_bytes(data)
            temporary.replace(path)
        return cls(digest, path=str(path))

    @classmethod
    def carrying(cls, data: bytes) -> Reference:
        """A reference that takes its data along, for workers that share no file system."""
        return cls(_digest(data), carried=data)

    def load(self) -> bytes:
        """The data.

        Raises:
            OSError: the file is gone; its keeper released it, or has ended.
        """
        return self.carried if self.carried is not None else Path(self.path).read_bytes()


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
