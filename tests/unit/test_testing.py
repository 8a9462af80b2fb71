"""The checks of `nas_core.testing` find what is broken, and say in one line what it is."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from nas_core import spaces
from nas_core.proxies import Needs, ProxyScore
from nas_core.proxies.base import check_batches, untouched
from nas_core.search import Ask, draw_unseen
from nas_core.search.random import RandomSearch
from nas_core.spaces import Act, GraphEdge
from nas_core.spaces.nb_macro import NasBenchMacro
from nas_core.testing import ContractError, check_proxy, check_space, check_strategy


def broken(check, thing):
    """The one line with which `check` refuses `thing`."""
    with pytest.raises(ContractError) as caught:
        check(thing)
    message = str(caught.value)
    assert "\n" not in message and "expected" in message
    return message


class Sound:
    """Mean output, in train mode."""

    name = "sound"
    version = 1
    higher_is_better = True
    needs = Needs.FORWARD
    summary = "mean output"

    def score(self, model, batches):
        check_batches(batches, least=1)
        with untouched(model):
            return ProxyScore(float(model(batches[0][0]).detach().mean()))


class Seedless(Sound):
    def score(self, model, batches):
        found = super().score(model, batches)
        return ProxyScore(found.value + random.random())


class ReadsTheGenerator(Sound):
    def score(self, model, batches):
        import torch

        found = super().score(model, batches)
        drawn = torch.get_rng_state()
        value = found.value + float(torch.rand(()))
        torch.set_rng_state(drawn)
        return ProxyScore(value)


class Trains(Sound):
    def score(self, model, batches):
        found = super().score(model, batches)
        model.train()
        return found


class KeepsGradients(Sound):
    def score(self, model, batches):
        found = super().score(model, batches)
        model(batches[0][0]).sum().backward()
        return found


class KeepsAHook(Sound):
    def score(self, model, batches):
        model.register_forward_hook(lambda *call: None)
        return super().score(model, batches)


class DrawsFromNumpy(Sound):
    def score(self, model, batches):
        np.random.random()
        return super().score(model, batches)


class MovesStatistics(Sound):
    def score(self, model, batches):
        from torch import nn

        check_batches(batches, least=1)
        norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
        for norm in norms:
            norm.train()
        value = float(model(batches[0][0]).detach().mean())
        for norm in norms:
            norm.eval()
        return ProxyScore(value)


class ForgetsAfterAnError(Sound):
    def score(self, model, batches):
        first = next(model.parameters())
        first.requires_grad = False
        found = super().score(model, batches)
        first.requires_grad = True
        return found


class Infinite(Sound):
    def score(self, model, batches):
        return ProxyScore(math.inf)


class TakesAnything(Sound):
    def score(self, model, batches):
        return ProxyScore(1.0)


class BareNumber(Sound):
    def score(self, model, batches):
        return 1.0


class Unversioned(Sound):
    version = 0


class NoDirection(Sound):
    higher_is_better = None


class Raises(Sound):
    def score(self, model, batches):
        raise KeyError("stem")


def test_a_sound_proxy_passes_as_class_and_as_instance():
    assert check_proxy(Sound) == check_proxy(Sound())
    assert check_proxy(Sound).subject == "proxy sound"


@pytest.mark.parametrize(
    ("proxy", "part"),
    [
        (Seedless, "equal values for equal networks"),
        (ReadsTheGenerator, "equal values for equal networks"),
        (Trains, "modes (train or eval) changed"),
        (KeepsGradients, "gradients changed"),
        (KeepsAHook, "hooks changed"),
        (DrawsFromNumpy, "numpy's random generator changed"),
        (MovesStatistics, "buffers changed"),
        (ForgetsAfterAnError, "after an error in forward pass 1: which weights are trained changed"),
        (Infinite, "value is inf; expected a finite number, or NaN"),
        (TakesAnything, "no batch is accepted; expected ValueError"),
        (BareNumber, "score returns float; expected a ProxyScore"),
        (Unversioned, "version is 0"),
        (NoDirection, "higher_is_better is None"),
        (Raises, "KeyError: 'stem'; expected no error while checking: It scores a network"),
    ],
)
def test_a_broken_proxy_is_found(proxy, part):
    message = broken(check_proxy, proxy)
    assert message.startswith("proxy sound: ")
    assert part in message


class TwoOfAName(NasBenchMacro):
    decisions = (NasBenchMacro.decisions[0],) * 8


class ReadsBackwards(NasBenchMacro):
    def parse(self, text):
        return super().parse(text[::-1])


class KeyErrorOnNonsense(NasBenchMacro):
    def parse(self, text):
        if not text:
            raise ValueError("no network")
        return tuple({"0": 0, "1": 1, "2": 2}[digit] for digit in text)


class ShrugsAtNonsense(NasBenchMacro):
    def parse(self, text):
        try:
            return super().parse(text)
        except ValueError:
            raise ValueError("malformed network") from None


class MovingForm(NasBenchMacro):
    def canonical(self, arch):
        return (*arch[1:], arch[0])


class UnknownEdge(NasBenchMacro):
    def graph(self, arch):
        graph = super().graph(arch)
        return type(graph)(graph.nodes, (*graph.edges, GraphEdge(0, 1, "conv", "layer 99")))


class CountsInCode(NasBenchMacro):
    def encode(self, archs):
        return np.asarray(archs, dtype=int)


class CentredCode(NasBenchMacro):
    def encode(self, archs):
        return super().encode(archs) - super().encode(archs).mean(axis=0)


class MoreColumns(NasBenchMacro):
    metric_names = (*NasBenchMacro.metric_names, "energy")


class DrawsFreely(NasBenchMacro):
    def sample(self, rng, steering=None):
        return super().sample(rng)


class MutatesTwice(NasBenchMacro):
    def mutate(self, arch, rng, steering=None):
        return super().mutate(super().mutate(arch, rng, steering), rng, steering)


class NearOnOneSide(NasBenchMacro):
    def neighbours(self, arch, steering=None):
        return [other for other in super().neighbours(arch, steering) if other > arch]


class CountsOneLess(NasBenchMacro):
    def count(self, steering=None):
        return type(super().count(steering))(super().count(steering).value - 1)


class TenClasses(NasBenchMacro):
    def build(self, arch, *, input=None, classes=10, scale=None):
        return super().build(arch, input=input, classes=10, scale=scale)


class SeedOfItsOwn(NasBenchMacro):
    calls = 0

    def build(self, arch, *, input=None, classes=10, scale=None):
        import torch

        SeedOfItsOwn.calls += 1
        torch.manual_seed(SeedOfItsOwn.calls)
        return super().build(arch, input=input, classes=classes, scale=scale)


@pytest.mark.parametrize(
    ("space", "part"),
    [
        (TwoOfAName, "two decisions are called 'layer 1'"),
        (ReadsBackwards, "of which it is the format"),
        (KeyErrorOnNonsense, "KeyError"),
        (ShrugsAtNonsense, "expected a message that names 'qqq'"),
        (MovingForm, "which is a canonical form already"),
        (UnknownEdge, "an edge of decision 'layer 99'"),
        (CountsInCode, "encode gives int64; expected a float array"),
        (CentredCode, "encode of an architecture depends on the others"),
        (MoreColumns, "expected the metric names"),
        (DrawsFreely, "under pin layer 1 = "),
        (MutatesTwice, "expected one of its neighbours"),
        (NearOnOneSide, "expected every one that differs in one decision"),
        (CountsOneLess, "count is Count(value=6560, exact=True); expected exactly 6561"),
        (TenClasses, "gives outputs of shape (2, 10); expected (2, 7)"),
        (SeedOfItsOwn, "expected equal weights after an equal torch.manual_seed"),
    ],
)
def test_a_broken_space_is_found(space, part):
    message = broken(check_space, space)
    assert message.startswith("space nb_macro: ")
    assert part in message


def test_a_space_that_imports_torch_with_its_module_is_found(tmp_path, monkeypatch):
    (tmp_path / "heavy_space.py").write_text(
        "import torch\nfrom nas_core.spaces.nb_macro import NasBenchMacro\n\nclass Heavy(NasBenchMacro): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    from heavy_space import Heavy

    assert "importing heavy_space imports torch; expected torch imported inside build only" in broken(
        check_space, Heavy
    )


class Bare(RandomSearch):
    def ask(self, n, steering):
        return [ask.arch for ask in super().ask(n, steering)]


class Repeats(RandomSearch):
    def ask(self, n, steering):
        return [Ask(self.space.sample(np.random.default_rng(n), steering)) for _ in range(n)]


class IgnoresSteering(RandomSearch):
    def ask(self, n, steering):
        return super().ask(n, spaces.Steering.free(self.space))


class NoSeed(RandomSearch):
    def __init__(self, space, seed=0, state=None):
        super().__init__(space, random.randrange(1 << 30), state)


class ForgetsItsGenerator(RandomSearch):
    def __init__(self, space, seed=0, state=None):
        super().__init__(space, seed if state is None else seed + 1)
        self._seen = {tuple(arch) for arch in (state or {}).get("seen", ())}


class ForgetsWhatItAsked(RandomSearch):
    def __init__(self, space, seed=0, state=None):
        super().__init__(space, seed, state)
        self._seen = set()


class TellsAreLost(RandomSearch):
    """Whether anything was told decides how much is asked, and is not in the state."""

    last = 0.0

    def ask(self, n, steering):
        found = super().ask(n, steering)
        return found if self.last else found[: n - 1]

    def tell(self, results):
        self.last = results[-1].value if results else 0.0


class NotANumberInState(RandomSearch):
    def state(self):
        return {**super().state(), "best": math.nan}


class ArraysInState(RandomSearch):
    def state(self):
        return {**super().state(), "best": np.zeros(3)}


class FallsOverFailures(RandomSearch):
    def tell(self, results):
        if any(result.failed for result in results):
            raise RuntimeError("no score")


class FallsOverUndefined(RandomSearch):
    def tell(self, results):
        if all(math.isnan(result.value) for result in results) and results:
            raise RuntimeError("no value")


class NeverEnds(RandomSearch):
    def __init__(self, space, seed=0, state=None):
        super().__init__(space, seed, state)
        self.rounds = (state or {}).get("rounds", 0)

    def state(self):
        return {**super().state(), "rounds": self.rounds}

    def ask(self, n, steering):
        self.rounds += 1
        arch = draw_unseen(self.space, self._rng, steering, set())
        return [Ask(arch, seed=self.rounds * 100 + k) for k in range(n)] if arch else []


class RaisesWhereNothingObeys(RandomSearch):
    def ask(self, n, steering):
        self.space.sample(np.random.default_rng(0), steering)
        return super().ask(n, steering)


class NewActsEveryTime(RandomSearch):
    calls = 0

    def acts(self):
        self.calls += 1
        return [Act("focus", note=str(self.calls))]


class ImpossibleActs(RandomSearch):
    def acts(self):
        first = self.space.decisions[0]
        return [Act("prune", first.name, first.choices)]


class PositionalOption(RandomSearch):
    def __init__(self, space, seed=0, state=None, restart=0.1):
        super().__init__(space, seed, state)


@pytest.mark.parametrize(
    ("strategy", "part"),
    [
        (Bare, "ask gives a tuple; expected nas_core.search.Ask"),
        (Repeats, "is asked twice"),
        (IgnoresSteering, "expected an architecture that obeys"),
        (NoSeed, "for equal seeds; expected equal asks"),
        (ForgetsItsGenerator, "resumed after round"),
        (ForgetsWhatItAsked, "is asked twice"),
        (TellsAreLost, "resumed after round"),
        (NotANumberInState, "state cannot be written as JSON"),
        (ArraysInState, "state cannot be written as JSON"),
        (FallsOverFailures, "RuntimeError: no score"),
        (FallsOverUndefined, "RuntimeError: no value"),
        (NeverEnds, "and no end"),
        (RaisesWhereNothingObeys, "SteeringConflict"),
        (NewActsEveryTime, "acts gives other acts when called again"),
        (ImpossibleActs, "expected acts that hold with those in force"),
        (PositionalOption, "option restart may be given by position"),
    ],
)
def test_a_broken_strategy_is_found(strategy, part):
    message = broken(check_strategy, strategy)
    assert message.startswith(f"strategy {strategy.__name__}: ")
    assert part in message


def test_a_strategy_that_steers_is_checked_with_its_acts_in_force():
    class Prunes(RandomSearch):
        """Drops a choice of the first decision before its second ask."""

        def acts(self):
            first = self.space.decisions[0]
            return [Act("prune", first.name, first.choices[:1])] if len(self._seen) == 8 else []

    assert check_strategy(Prunes, space="nb201").promises


def test_unknown_names_are_a_value_error():
    for check in (check_proxy, check_space, check_strategy):
        with pytest.raises(ValueError, match=r"expected .*one of"):
            check("nope")
