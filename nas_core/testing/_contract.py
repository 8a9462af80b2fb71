"""How a contract is checked: promise by promise, each a function, the first one broken in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Target = TypeVar("Target")


class ContractError(AssertionError):
    """A broken promise: one line with what was found and what was expected."""


@dataclass(frozen=True)
class Report:
    """A contract that is kept: whose, the promises that were checked, and what was measured on the way."""

    subject: str
    promises: tuple[str, ...]
    notes: tuple[str, ...] = ()


def require(condition: Any, found: str, expected: str) -> None:
    """Raise a ContractError unless `condition` holds."""
    if not condition:
        raise ContractError(f"{found}; expected {expected}")


def check_all(subject: str, target: Target, promises: Sequence[Callable[[Target], str | None]]) -> Report:
    """Check every promise on `target`; each is called by the first line of its docstring, and may return a note.

    Raises:
        ContractError: the first promise that is broken, or whose check met an exception.
    """
    notes = []
    for promise in promises:
        try:
            note = promise(target)
        except ContractError as error:
            raise ContractError(_line(f"{subject}: {error}")) from error.__cause__
        except Exception as error:
            raised = f"{type(error).__name__}: {error}"
            raise ContractError(
                _line(f"{subject}: {raised}; expected no error while checking: {_title(promise)}")
            ) from error
        notes += [note] if note else []
    return Report(subject, tuple(map(_title, promises)), tuple(notes))


def refuses(call: Callable[[], Any], what: str, naming: Iterable[str] = ()) -> None:
    """Require that `call` raises ValueError with one line that contains all of `naming`."""
    try:
        call()
    except ValueError as error:
        message = str(error)
        require(message and "\n" not in message, f"{what} is refused by {message!r}", "one line that says why")
        for part in naming:
            require(part in message, f"{what} is refused by {message!r}", f"a message that names {part!r}")
    except Exception as error:
        raise ContractError(f"{what} raises {type(error).__name__}: {error}; expected ValueError") from error
    else:
        raise ContractError(f"{what} is accepted; expected ValueError")


def _title(promise: Callable[..., Any]) -> str:
    return (promise.__doc__ or promise.__name__).splitlines()[0].rstrip(".")


def _line(text: str) -> str:
    return " ".join(text.split())
