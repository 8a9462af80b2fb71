"""What a run is to do: `RunConfig`, its one typed and validated form. Made, read and checked here and nowhere else.

Types and bounds hold for every RunConfig; `check` also asks the registries, and is what `create_run` calls.
"""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import nas_core
from nas_core import data as images
from nas_core import proxies, spaces
from nas_core.ladder import AGGREGATE, ONE_SHOT, TRAINED
from nas_core.options import Options, read, split_name
from nas_core.proxies.settings import ScoreSettings
from nas_core.search.objectives import Objective, ObjectiveKind
from nas_core.spaces import SearchSpace
from nas_core.spaces.template import TemplateSpace

GENERATION = 8
"""Candidates between two asks of a strategy that learns: few, so that a steering act takes effect promptly."""
EPOCHS = 30.0
"""Epochs of training where a run does not say."""
SEARCH, ALONE, WEIGHTS = "search", "alone", "weights"
"""Kinds of work over a search space; others have options of their own."""
MOST_CANDIDATES = 10_000_000
_MOST_BATCH = 10_000
_MOST_SEED = 2**63 - 1
_MOST_SCORES = 64
_LONGEST_NAME = 2_000
_MOST_SECONDS = 7 * 86_400.0
_MOST_MIB = 2**20


@dataclass(frozen=True)
class CandidateLimits:
    """What one candidate may use before it is marked failed: seconds, MiB of memory (None: its worker's share of the
    machine), and how often it is tried where a worker died, ran out of memory or out of time over it."""

    seconds: float = 300.0
    memory_mib: int | None = None
    tries: int = 2

    def __post_init__(self) -> None:
        _number("limits.seconds", self.seconds, 0.1, _MOST_SECONDS)
        _whole("limits.tries", self.tries, 1, 10)
        if self.memory_mib is not None:
            _whole("limits.memory_mib", self.memory_mib, 64, _MOST_MIB)


@dataclass(frozen=True)
class RunConfig:
    """What a run is to do.

    Args:
        space: search space, with its options (`nb201`, `shrink_cnn:n=6`).
        task: kind of work: `search`, `alone` (one network trained by itself), `weights`, or one that was added, with
            its options (`countdown:start=5`).
        strategy: who asks next.
        scores: what is measured of every candidate.
        objective: what is maximised.
        settings: how zero-cost scores are computed.
        budget: candidates in all; None for the whole space.
        seed: of everything random.
        batch: candidates between two asks.
        limits: of one candidate.
        template: document of a space that its user made.
        supernet: settings of shared weights (or of the network trained alone, with its `arch`) that differ from what
            suits the space; None where nothing is trained.
        script: acts, asks and trainings of a session to repeat.
        analyst: whether the scripted analyst steers.
        twin_of: the run that this one is the unsteered twin of.
        parent: the run that this one was made for.
        problem: why a stored configuration cannot be read whole; empty for any that was made here.

    Raises:
        ValueError: one line that names the field, what was found and what was expected.
    """

    space: str = "nb201"
    task: str = SEARCH
    strategy: str = "evolution"
    scores: tuple[str, ...] = ("zico",)
    objective: Objective = field(default_factory=Objective)
    settings: ScoreSettings = field(default_factory=ScoreSettings)
    budget: int | None = None
    seed: int = 0
    batch: int = GENERATION
    limits: CandidateLimits = field(default_factory=CandidateLimits)
    template: Mapping[str, Any] | None = None
    supernet: Mapping[str, Any] | None = None
    script: Mapping[str, Any] | None = None
    analyst: bool = False
    twin_of: str = ""
    parent: str = ""
    problem: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for name in ("space", "task", "strategy", "twin_of", "parent"):
            _text(name, getattr(self, name), empty=name in ("twin_of", "parent"))
        object.__setattr__(self, "scores", tuple(dict.fromkeys(self.scores)))
        if not self.scores or len(self.scores) > _MOST_SCORES:
            raise ValueError(f"scores: got {len(self.scores)}, expected 1 to {_MOST_SCORES} names")
        for name in self.scores:
            _text("scores", name)
        if self.budget is not None:
            _whole("budget", self.budget, 1, MOST_CANDIDATES)
        _whole("seed", self.seed, 0, _MOST_SEED)
        _whole("batch", self.batch, 1, _MOST_BATCH)
        for name in ("template", "supernet", "script"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, Mapping):
                raise ValueError(f"{name}: got {value!r:.60}, expected names with their values")

    # what follows from it --------------------------------------------------------------------------------------------

    @cached_property
    def known_space(self) -> SearchSpace:
        """The space itself.

        Raises:
            ValueError: no such space, or a template that no space can be made of.
        """
        return spaces.define(self.template) if self.template else spaces.get(self.space)

    @property
    def space_title(self) -> str:
        """What people call the space: its name, or that of the template it is made of."""
        return str((self.template or {}).get("name", self.space))

    @property
    def rank_by(self) -> str:
        """The score that ranks candidates, `aggregate` for that of all."""
        return self.objective.score

    @property
    def proxies(self) -> tuple[str, ...]:
        """Those of its scores that are zero-cost."""
        return tuple(name for name in self.scores if name not in (*ONE_SHOT, TRAINED))

    @cached_property
    def lower_is_better(self) -> tuple[str, ...]:
        """Those of its scores of which less is better."""
        return tuple(name for name in self.scores if not proxies.higher_is_better(name))

    @property
    def alone(self) -> str:
        """The architecture that is trained by itself, where the run is about one."""
        return str((self.supernet or {}).get("arch") or "")

    @property
    def data(self) -> str:
        """The images that it trains on, or scores on."""
        return str((self.supernet or {}).get("data") or self.settings.data)

    @property
    def epochs(self) -> float:
        """Epochs of training in all; 0 where nothing is trained."""
        return 0.0 if self.supernet is None else float(self.supernet.get("epochs", EPOCHS))

    def supernet_settings(self) -> dict[str, Any]:
        """What its weights are trained with: its own settings with space and template written out."""
        template = json.dumps(self.template) if self.template else ""
        return {"epochs": EPOCHS, **(self.supernet or {}), "space": self.known_space.name, "template": template}

    @property
    def task_name(self) -> str:
        """The kind of work, without its options."""
        return self.task.partition(":")[0]

    def task_options(self, kind: type[Options] | None) -> Options | None:
        """The options of the task as a dataclass `kind`; None for a task that has none.

        Raises:
            ValueError: an unknown option, one that is missing, or a value that it cannot have.
        """
        name, texts = split_name(self.task)
        if kind is None:
            if texts:
                raise ValueError(f"task: {name} has no option {next(iter(texts))!r}; it has none")
            return None
        return read(kind, texts, of=f"task {name}")

    def spelled_out(self) -> RunConfig:
        """This with the one spelling of its space, and the document of a space that lies in a file.

        Raises:
            ValueError: no such space.
        """
        space = self.known_space
        template = self.template or (space.template.to_dict() if isinstance(space, TemplateSpace) else None)
        return replace(self, space=space.name, template=template)

    # checks ----------------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Whether a run can be made of this, as far as that is known before it starts.

        Raises:
            ValueError: one line that names the field and what was expected.
        """
        if self.task_name not in task_names():
            raise ValueError(f"task: unknown task {self.task_name!r}; expected one of: {', '.join(task_names())}")
        if self.task_name in (SEARCH, ALONE, WEIGHTS):
            self.task_options(None)
        else:
            self.task_options(import_module("nas_core.engine.tasks").get(self.task_name).options_class)
            return
        space = self.known_space
        self._check_scores()
        images.check_source(self.settings.data, "settings.data")
        self._check_costs(space)
        if self.supernet is not None:
            self._check_supernet(space)
        if self.task == SEARCH:
            self._check_strategy(space)
        elif self.supernet is None:
            raise ValueError(f"supernet: the task {self.task} trains weights; expected their settings")
        elif self.task == ALONE and not self.alone:
            raise ValueError("supernet: a network trained alone needs arch, its notation in the space")

    def _check_scores(self) -> None:
        for name in self.scores:
            if name == AGGREGATE:
                raise ValueError("scores: an aggregate is no score of its own; expected the scores that it sums")
            if name in (*ONE_SHOT, TRAINED):
                if self.supernet is None:
                    raise ValueError(f"scores: {name} needs trained weights; expected a run with a supernet")
                continue
            try:
                proxies.get(name)
            except ValueError as error:
                raise ValueError(f"scores: {error}") from None
        ranks = self.objective.score
        if self.objective.kind is ObjectiveKind.AGGREGATE:
            if len(self.scores) < 2:
                raise ValueError("objective: an aggregate sums the ranks of several scores: expected at least two")
        elif ranks not in self.scores:
            raise ValueError(f"objective: {ranks} is no score of the run; expected one of: {', '.join(self.scores)}")
        if self.objective.kind is ObjectiveKind.PRODUCT and ranks in self.lower_is_better:
            raise ValueError(f"objective: less is better of {ranks}; expected another score over the costs")

    def _check_costs(self, space: SearchSpace) -> None:
        from nas_core import bench

        for cost in self.objective.costs:
            if "/" in cost:
                try:
                    bench.column(space.name, cost)
                except ValueError as error:
                    raise ValueError(f"objective: {error}") from None
            elif cost not in space.metric_names and cost not in self.scores:
                expected = ", ".join(dict.fromkeys([*space.metric_names, *self.scores]))
                raise ValueError(
                    f"objective: unknown cost {cost!r}; expected one of: {expected}, or a column as table/column"
                )

    def _check_supernet(self, space: SearchSpace) -> None:
        from nas_core.supernet import SupernetSettings

        try:
            trained = SupernetSettings.from_dict(self.supernet_settings())
        except (ValueError, TypeError) as error:
            raise ValueError(f"supernet: {error}") from None
        images.check_source(trained.data, "supernet.data")
        if trained.arch:
            space.parse(trained.arch)

    def _check_strategy(self, space: SearchSpace) -> None:
        from nas_core import search

        try:
            strategy = search.factory(self.strategy)
        except ValueError as error:
            raise ValueError(f"strategy: {error}") from None
        several = getattr(strategy, "several_objectives", False)
        if several != (self.objective.kind is ObjectiveKind.PARETO):
            wanted = "a pareto objective" if several else "a strategy for several objectives, such as pareto"
            raise ValueError(f"strategy: {self.strategy} with the objective {self.objective.kind}; expected {wanted}")
        if getattr(strategy, "enumerates", False):
            try:
                next(iter(space.architectures()))
            except ValueError as error:
                raise ValueError(f"strategy: {self.strategy} walks the whole space, and {error}") from None

    # reading and writing ---------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready form; `from_dict` reads it back."""
        found: dict[str, Any] = {
            "space": self.space,
            "task": self.task,
            "strategy": self.strategy,
            "scores": list(self.scores),
            "objective": self.objective.to_dict(),
            "settings": self.settings.to_dict(),
            "budget": self.budget,
            "seed": self.seed,
            "batch": self.batch,
            "limits": {limit.name: getattr(self.limits, limit.name) for limit in fields(self.limits)},
        }
        for name in ("template", "script"):
            if getattr(self, name):
                found[name] = dict(getattr(self, name))
        if self.supernet is not None:
            found["supernet"] = dict(self.supernet)  # an empty one trains by defaults
        return found | {name: getattr(self, name) for name in ("analyst", "twin_of", "parent") if getattr(self, name)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunConfig:
        """Read what `to_dict` wrote, now or in the form of before objectives (`proxies`, `rank_by`, `costs`).

        Raises:
            ValueError: one line that names the field, what was found and what was expected.
        """
        if not isinstance(data, Mapping):
            raise ValueError(f"configuration: got {data!r:.60}, expected names with their values")
        data = _first_form_read(data) if "objective" not in data else dict(data)
        known = {part.name for part in fields(cls)} - {"problem"}
        if unknown := sorted(set(data) - known):
            raise ValueError(f"configuration: unknown field {unknown[0]!r}; expected: {', '.join(sorted(known))}")
        return cls(**{name: _READERS[name](value) if name in _READERS else value for name, value in data.items()})

    @classmethod
    def stored(cls, space: str, data: Any) -> RunConfig:
        """The configuration of a run that exists: what of it cannot be read has its default, and `problem` says why."""
        data = data if isinstance(data, Mapping) else {}
        try:
            return cls.from_dict({**data, "space": space})
        except (ValueError, TypeError) as error:
            problem = str(error)
        found = cls(space=space, problem=problem)
        with suppress(ValueError, TypeError):
            data = data if "objective" in data else _first_form_read(data)
        for name, value in data.items():
            with suppress(ValueError, TypeError):
                found = replace(found, **{name: _READERS[name](value) if name in _READERS else value})
        return found


def task_names() -> list[str]:
    """Kinds of work that a run may be about: modules of `engine/tasks`, then entry points `nas_helm.tasks`.

    Read from their names alone, so that whoever configures a run need not import the engine.
    """
    folder = str(Path(nas_core.__file__).parent / "engine" / "tasks")
    own = [module.name for module in pkgutil.iter_modules([folder]) if not module.ispkg]
    found = [name for name in own if not name.startswith("_") and name != "base"]
    found += [point.name for point in entry_points(group="nas_helm.tasks") if point.name not in found]
    return sorted(found)


def strategy_names(*, several_objectives: bool | None = None) -> list[str]:
    """Strategies that a search may use; only those for several objectives, or for one, where that is given."""
    from nas_core import search

    return [
        name
        for name in search.names()
        if several_objectives is None
        or getattr(search.factory(name), "several_objectives", False) == several_objectives
    ]


def _first_form_read(data: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as it was written before there were objectives and tasks."""
    found = dict(data)
    scores = list(_names(found.pop("proxies", None) or found.pop("scores", None) or ["zico"]))
    rank_by = str(found.pop("rank_by", None) or scores[0])
    costs = list(_names(found.pop("costs", None) or []))
    if rank_by not in (*scores, AGGREGATE):
        scores.append(rank_by)
    kind = "aggregate" if rank_by == AGGREGATE else "score"
    if found.get("strategy") == "pareto":
        kind = "pareto"
    found["objective"] = {"kind": kind, "score": rank_by, "costs": costs if kind == "pareto" else []}
    found["scores"] = [name for name in scores if name != AGGREGATE]
    supernet = found.get("supernet")
    if found.get("strategy") == ALONE or (isinstance(supernet, Mapping) and supernet.get("arch")):
        found["task"], found["strategy"] = ALONE, "evolution"
    for name, default in (("settings", {}), ("seed", 0), ("batch", GENERATION)):
        if found.get(name) is None:
            found[name] = default
    return found


def _settings(value: Any) -> ScoreSettings:
    if isinstance(value, ScoreSettings):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"settings: got {value!r:.60}, expected names with their values")
    try:
        return ScoreSettings.from_dict(value)
    except (ValueError, TypeError) as error:
        raise ValueError(f"settings: {error}") from None


def _limits(value: Any) -> CandidateLimits:
    if isinstance(value, CandidateLimits):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"limits: got {value!r:.60}, expected seconds, memory_mib and tries")
    if unknown := sorted(set(value) - {limit.name for limit in fields(CandidateLimits)}):
        raise ValueError(f"limits: unknown limit {unknown[0]!r}; expected seconds, memory_mib or tries")
    return CandidateLimits(**value)


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Collection) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"scores: got {value!r:.60}, expected a list of names")
    return tuple(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "objective": Objective.from_dict,
    "settings": _settings,
    "limits": _limits,
    "scores": _names,
}


def _text(name: str, value: Any, *, empty: bool = False) -> None:
    if not isinstance(value, str) or len(value) > _LONGEST_NAME or not (value or empty):
        raise ValueError(f"{name}: got {value!r:.60}, expected a name")


def _whole(name: str, value: Any, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name}: got {value!r:.60}, expected a whole number from {least:,} to {most:,}")


def _number(name: str, value: Any, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{name}: got {value!r:.60}, expected a number from {least:g} to {most:g}")
