"""Reads pickles of plain results and nothing else: a file that asks for any other global is refused before it runs.

Allowed are built-in containers and numbers, OrderedDict, defaultdict of a built-in factory, and numpy scalars and
arrays of numbers. Every callable a file can reach is either an immutable built-in type or a stand-in of this module.
"""

from __future__ import annotations

import math
import pickle
import re
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from typing import IO, Any

import numpy as np

from nas_core.bench._bounded import bounded_memory

# A few bytes can ask for tens of gigabytes, as places for objects to remember; no result of an architecture needs this.
MEMORY_LIMIT = 4 * 2**30
_NUMERIC_DTYPE = re.compile(r"[<>=|]?(\?|[biufc]\d{1,2})")
_FACTORIES = (None, bool, int, float, list, tuple, dict, set, frozenset, OrderedDict)


class RefusedPickle(ValueError):
    """The file asks for something that is never loaded from a file."""


class StandIn:
    """A callable in place of a global; a pickle can call it but can neither change nor replace what it does."""

    __slots__ = ("_function",)
    _function: Callable[..., Any]

    def __init__(self, function: Callable[..., Any]) -> None:
        object.__setattr__(self, "_function", function)

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setattr__(self, name: str, value: Any) -> None:
        raise RefusedPickle("it tries to change the reader")


def load(
    file: IO[bytes], *, stand_ins: Mapping[tuple[str, str], Any] | None = None, memory: int | None = MEMORY_LIMIT
) -> Any:
    """Read the next pickle of `file`.

    Args:
        file: open for reading bytes.
        memory: bytes that its contents may take; None for files that came with an installed package.
        stand_ins: further globals by (module, name), with what takes their place.

    Returns:
        Built-in containers and numbers, and numpy arrays of numbers; numpy scalars become Python numbers.

    Raises:
        RefusedPickle: the file asks for anything else; nothing of it was run.
        ValueError: the file is no pickle, or is damaged.
    """
    try:
        with bounded_memory(memory):
            return _PlainUnpickler(file, stand_ins or {}).load()
    except (ValueError, OSError):
        raise
    except MemoryError as error:
        raise ValueError(f"it asks for more memory than the {memory:,} bytes allowed") from error
    except Exception as error:  # a damaged pickle makes the reader raise almost anything
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        raise ValueError(f"it is no readable pickle: {reason}") from error


class _PlainUnpickler(pickle.Unpickler):
    def __init__(self, file: IO[bytes], stand_ins: Mapping[tuple[str, str], Any]) -> None:
        super().__init__(file)
        self._stand_ins = stand_ins

    def find_class(self, module: str, name: str) -> Any:
        module = {"__builtin__": "builtins"}.get(module, module)
        key = (re.sub(r"^numpy\._?core\.", "numpy.core.", module), name)
        for known in (_ALLOWED, self._stand_ins):
            if key in known:
                return known[key]
        raise RefusedPickle(f"it asks for {module}.{name}, which is never loaded from a file; nothing was run")

    def persistent_load(self, pid: Any) -> None:
        """Storages beside the pickle (weights of networks) are left where they are."""


class _Dtype:
    """A numpy dtype in the making: a pickle gives the code first and the byte order after."""

    __slots__ = ("value",)

    def __init__(self, code: Any, *_: Any) -> None:
        if not isinstance(code, str) or not _NUMERIC_DTYPE.fullmatch(code):
            raise RefusedPickle(f"it holds a numpy array of type {code!r}; expected numbers, nothing was run")
        self.value = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        order, *structure = state[1:5]
        if order not in ("<", ">", "=", "|") or any(part is not None for part in structure):
            raise RefusedPickle("it holds a structured numpy array; expected numbers, nothing was run")
        self.value = self.value.newbyteorder(order)


class _Array(np.ndarray):
    """A numpy array in the making, of numbers only."""

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, raw = state
        _check_extent(shape, dtype, raw)
        restored: Any = (1, tuple(shape), dtype.value, bool(fortran), bytes(raw))
        super().__setstate__(restored)


def _check_extent(shape: Any, dtype: Any, raw: Any) -> None:
    if not isinstance(dtype, _Dtype) or not isinstance(raw, bytes | bytearray):
        raise RefusedPickle("it holds a numpy array of objects; expected numbers, nothing was run")
    if math.prod(shape) * dtype.value.itemsize != len(raw):
        raise ValueError(f"it holds a numpy array of shape {shape} with {len(raw)} bytes")


def _scalar(dtype: Any, raw: Any) -> Any:
    _check_extent((1,), dtype, raw)
    return np.frombuffer(raw, dtype=dtype.value)[0].item()


def _empty_array(*_: Any) -> np.ndarray:
    return np.ndarray.__new__(_Array, (0,))


def _array_from_buffer(raw: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    _check_extent(shape, dtype, raw)
    return np.frombuffer(bytes(raw), dtype=dtype.value).reshape(shape, order="F" if order == "F" else "C")


def _latin1(text: Any, encoding: Any) -> bytes:
    """Protocols before 3 write bytes as text in this encoding."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise RefusedPickle("it asks for _codecs.encode with another encoding than latin1; nothing was run")
    return text.encode("latin1")


def _no_bytes(*content: Any) -> bytes:
    """Protocols before 3 write empty bytes as a call; `bytes(10**12)` would fill the memory."""
    if content:
        raise RefusedPickle("it asks for builtins.bytes with contents; nothing was run")
    return b""


def _default_dictionary(factory: Any = None) -> defaultdict[Any, Any]:
    if not any(factory is known for known in _FACTORIES):
        raise RefusedPickle("it holds a defaultdict whose factory is no built-in type; nothing was run")
    return defaultdict(factory)


_ALLOWED: dict[tuple[str, str], Any] = {
    **{("builtins", kind.__name__): kind for kind in (bool, int, float, list, tuple, dict, set, frozenset)},
    ("builtins", "bytes"): StandIn(_no_bytes),
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): StandIn(_default_dictionary),
    ("_codecs", "encode"): StandIn(_latin1),
    ("numpy", "dtype"): StandIn(_Dtype),
    ("numpy", "ndarray"): StandIn(_empty_array),
    ("numpy.core.multiarray", "scalar"): StandIn(_scalar),
    ("numpy.core.multiarray", "_reconstruct"): StandIn(_empty_array),
    ("numpy.core.numeric", "_frombuffer"): StandIn(_array_from_buffer),
}
