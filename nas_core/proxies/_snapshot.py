"""A model as it was found: noted before it is visited and given back bit by bit afterwards, and the random generators.

Nothing here runs a model or knows a score.
"""

from __future__ import annotations

import random
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

_CONTAINERS = (dict, OrderedDict, list, set, deque)
"""Kinds of attributes whose contents are given back too, one level deep."""


@contextmanager
def kept(model: nn.Module) -> Iterator[None]:
    """Give `model` back as it is now, whatever happens inside.

    That is, of every module: weights, buffers and other tensors by content and identity, gradients, `requires_grad`,
    mode, hooks, submodules, plain attributes, and generators of its own. Inside, weights have no gradient yet.
    """
    modules = [_ModuleState(module) for module in model.modules()]
    kinds = _generator_kinds()
    values = {id(value): value for state in modules for value in state.values() if isinstance(value, kinds)}
    generators = [_GeneratorState(value) for value in values.values()]
    found = {id(value): value for state in modules for value in state.values() if _is_noted(value)}
    tensors = [_TensorState(value) for value in found.values()]
    try:
        for parameter in model.parameters():
            parameter.grad = None
        yield
    finally:
        everything: tuple[_ModuleState | _TensorState | _GeneratorState, ...] = (*modules, *tensors, *generators)
        for state in everything:
            state.restore()


@contextmanager
def generators_kept() -> Iterator[None]:
    """Give the random generators of torch, NumPy and Python back as they were, whatever is drawn inside."""
    import torch

    cards = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    here, drawn, shuffled = torch.get_rng_state(), np.random.get_state(), random.getstate()
    on_cards = [torch.cuda.get_rng_state(card) for card in cards]
    try:
        yield
    finally:
        torch.set_rng_state(here)
        np.random.set_state(drawn)
        random.setstate(shuffled)
        for card, state in zip(cards, on_cards, strict=True):
            torch.cuda.set_rng_state(state, card)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Start the generators of torch, NumPy and Python from `seed`; afterwards they go on where they were."""
    import torch

    with generators_kept():
        torch.default_generator.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)
        yield


class _ModuleState:
    """The attributes of a module, and what stands in those that are containers (parameters, buffers, hooks, ...).

    A list or dictionary of the model's own is given back where it holds tensors (a cache); a log of other things that
    a model keeps stays.
    """

    def __init__(self, module: nn.Module) -> None:
        self._attributes = vars(module)
        self._before = dict(self._attributes)
        self._contents = [(v, v.copy() if v else None) for v in self._before.values() if type(v) in _CONTAINERS]
        self._of_torch = {id(self._before.get(name)) for name in _attributes_of_torch()}

    def values(self) -> Iterator[Any]:
        """Attributes and the items of containers."""
        yield from self._before.values()
        for _, content in self._contents:
            yield from _items(content)

    def restore(self) -> None:
        self._attributes.clear()
        self._attributes.update(self._before)
        for container, content in self._contents:
            if (container or content) and self._is_given_back(container, content):
                container.clear()
                container.extend(content or ()) if hasattr(container, "extend") else container.update(content or ())

    def _is_given_back(self, container: Any, content: Any) -> bool:
        import torch

        own = id(container) not in self._of_torch
        return not own or any(isinstance(item, torch.Tensor) for item in (*_items(content), *_items(container)))


def _items(content: Any) -> Iterable[Any]:
    return content.values() if isinstance(content, dict) else content or ()


@lru_cache(maxsize=1)
def _attributes_of_torch() -> tuple[str, ...]:
    """Attributes that every module has: parameters, buffers, submodules and hooks."""
    from torch import nn

    return tuple(vars(nn.Module()))


class _TensorState:
    """A tensor: its values, where they stand, its gradient, and whether it wants one."""

    def __init__(self, tensor: Tensor) -> None:
        self._tensor, self._place = tensor, tensor.detach()
        self._values = _dense(self._place).clone()
        self._is_leaf, self._wants = tensor.is_leaf, tensor.requires_grad
        self._gradient = tensor.grad if tensor.is_leaf else None

    def restore(self) -> None:
        import torch

        tensor = self._tensor
        if tensor.is_leaf and self._is_leaf:
            if tensor.requires_grad != self._wants:
                tensor.requires_grad_(self._wants)
            tensor.grad = self._gradient
        # Written past autograd: a graph of the caller that holds the tensor finds in it what it held before.
        with torch.inference_mode(tensor.is_inference()), torch.no_grad():
            if _place(tensor) != _place(self._place):
                tensor.data = self._place
            values = _dense(tensor.data)
            if not torch.equal(values, self._values):
                values.copy_(self._values)


class _GeneratorState:
    """A random generator that a module holds."""

    def __init__(self, generator: Any) -> None:
        self._generator = generator
        self._state = _read_state(generator)

    def restore(self) -> None:
        generator = self._generator
        if isinstance(generator, random.Random):
            generator.setstate(self._state)
        elif isinstance(generator, np.random.Generator):
            generator.bit_generator.state = self._state
        else:
            generator.set_state(self._state)


def _generator_kinds() -> tuple[type, ...]:
    import torch

    return (random.Random, np.random.Generator, np.random.RandomState, torch.Generator)


def _read_state(generator: Any) -> Any:
    if isinstance(generator, random.Random):
        return generator.getstate()
    return generator.bit_generator.state if isinstance(generator, np.random.Generator) else generator.get_state()


def _is_noted(value: Any) -> bool:
    import torch

    if not isinstance(value, torch.Tensor) or torch.nn.parameter.is_lazy(value):
        return False
    return value.layout is torch.strided and not value.is_meta and not value.is_quantized


def _dense(tensor: Tensor) -> Tensor:
    """The tensor without the dimensions along which `expand` repeats it, so that it can be written to."""
    repeated = [size > 1 and stride == 0 for size, stride in zip(tensor.shape, tensor.stride(), strict=True)]
    return tensor[tuple(slice(0, 1) if once else slice(None) for once in repeated)] if any(repeated) else tensor


def _place(tensor: Tensor) -> tuple[int, torch.Size, tuple[int, ...], torch.dtype]:
    return tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype
