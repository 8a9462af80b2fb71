"""Somebody's model while it is scored: the one visit that every score makes, and what it finds and leaves as it was.

During a visit every module is really called, one by one, gradients can be taken (twice if wanted), and weights that are
computed (parametrizations, weight_norm, ...) are computed once a pass. No formula lives here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from nas_core.proxies._snapshot import kept, seeded
from nas_core.proxies._task import Task
from nas_core.proxies._weights import Layer, distinct, layers_of

if TYPE_CHECKING:
    from torch import Tensor, nn

SEED = 0
"""Of every generator a proxy draws from: the same model and batches score the same, in any process."""
NO_LAYER = "the model has no Conv2d or Linear layer, nor another convolution, attention or recurrent layer"


class Subject:
    """The model under measurement, without what wraps it (torch.compile, DataParallel), and its weighted layers.

    Run it inside `visit` only; `weights` are then those that the last pass used.

    Raises:
        ValueError: a lazy layer of the model has seen no input.
    """

    def __init__(self, model: nn.Module, task: Task | None = None) -> None:
        self.model = unwrapped(model)
        check_lazy(self.model)
        self.task = task or Task()
        self.images = 0
        """Images of the pass that runs, or ran last."""
        self._used: dict[Layer, Tensor] = {}
        self._stand_in: Callable[[Layer, Tensor], Tensor] | None = None

    @cached_property
    def outputs(self) -> list[Layer]:
        """Layers whose output a module returns, in definition order. Raises ValueError where there is none."""
        return self._some([layer for layer in self._all if layer.source is not None])

    @cached_property
    def layers(self) -> list[Layer]:
        """Every layer, each weight once. Raises ValueError where there is none."""
        return self._some(distinct(self._all))

    @cached_property
    def is_tied(self) -> bool:
        """Whether two modules share a parameter."""
        seen = [id(p) for module in self.model.modules() for p in module._parameters.values() if p is not None]
        return len(set(seen)) < len(seen) or len(self.layers) < len(self._all)

    @cached_property
    def _all(self) -> list[Layer]:
        return layers_of(self.model)

    def _some(self, layers: list[Layer]) -> list[Layer]:
        if not layers:
            raise ValueError(f"{NO_LAYER}; expected at least one")
        return layers

    @property
    def weights(self) -> list[Tensor]:
        """The weights of `layers` as the last pass used them."""
        return [self.weight(layer) for layer in self.layers]

    def weight(self, layer: Layer) -> Tensor:
        """The weight of one layer as the last pass used it."""
        used = self._used.get(layer)
        return getattr(layer.module, layer.attribute) if used is None else used

    @contextmanager
    def visit(self, *, train: bool = True) -> Iterator[None]:
        """Open the model for passes in train (or eval) mode; all is given back at the end, whatever happens.

        Gradients are recorded, also where the caller switched that off. What the model draws comes from `SEED`.

        Raises:
            ValueError: weights of the model have no values.
        """
        import torch

        check_ready(self.model)
        with ExitStack() as stack:
            for context in (torch.inference_mode(False), torch.enable_grad(), _every_module_is_called()):
                stack.enter_context(context)
            stack.enter_context(kept(self.model))
            stack.enter_context(seeded(SEED))
            stack.callback(torch.clear_autocast_cache)
            torch.clear_autocast_cache()  # copies of weights that the caller made without a graph
            self._open()
            self.model.train(train)
            try:
                yield
            finally:
                self._used, self._stand_in = {}, None

    def _open(self) -> None:
        """Undo what hides weights from gradients; `kept` gives it back."""
        from torch import nn

        own = {id(t): _outside_inference(t) for _, t in _named_tensors(self.model) if t.is_inference()}
        if own:
            self.replace(own)
        for module in self.model.modules():
            if isinstance(module, nn.DataParallel):
                module.device_ids = []  # it calls its module then, where replicas would have weights of their own
        for layer in self._all:
            if layer.is_parametrized:
                layer.module.parametrizations[layer.attribute].register_forward_hook(partial(self._once, layer))  # type: ignore[index,union-attr,operator]
            elif layer.is_computed:
                layer.module.register_forward_pre_hook(partial(self._once_before, layer))

    def _once(self, layer: Layer, _module: nn.Module, _inputs: Any, computed: Tensor) -> Tensor:
        """What a computed weight is in this pass: what was computed first, or its stand-in."""
        if layer not in self._used:
            self._used[layer] = computed if self._stand_in is None else self._stand_in(layer, computed)
        return self._used[layer]

    def _once_before(self, layer: Layer, module: nn.Module, inputs: Any) -> None:
        setattr(module, layer.attribute, self._once(layer, module, inputs, getattr(module, layer.attribute)))

    def replace(self, own: Mapping[int, Tensor], computed: Callable[[Layer, Tensor], Tensor] | None = None) -> None:
        """Until the visit ends, put other tensors in the place of parameters and buffers, and of computed weights.

        Args:
            own: by the `id` of the parameter or buffer.
            computed: makes the stand-in for a computed weight, from its layer and the weight.
        """
        for module in self.model.modules():
            for table in (module._parameters, module._buffers):
                for name, tensor in table.items():
                    if tensor is not None and id(tensor) in own:
                        table[name] = own[id(tensor)]  # type: ignore[assignment]
        self._stand_in = computed or self._stand_in

    def run(self, images: Tensor) -> Any:
        """What the model returns for a copy of `images`, which it may change.

        Raises:
            ValueError: images of another type or device than the weights.
        """
        self._used.clear()
        self.images = len(images)
        with explained(self.model, images):
            return self.model(images.clone())

    def rehearse(self, images: Tensor) -> None:
        """One more pass beside the one that is measured, in eval mode, which leaves no trace in it."""
        import torch

        used, count = self._used, self.images
        self._used = {}
        try:
            with torch.no_grad(), kept(self.model), seeded(SEED):
                self.model.eval()
                self.run(images)
        finally:
            self._used, self.images = used, count

    def __call__(self, images: Tensor) -> Tensor:
        """The output that is scored."""
        return self.task.choose(self.run(images))

    def not_a_number(self) -> str:
        """Why no score of the weights is defined: the first of them that holds NaN; empty where none does."""
        import torch

        for name, parameter in self.model.named_parameters():
            values = parameter.detach()
            if not values.is_floating_point():
                continue
            wide = torch.float32 if values.dtype in (torch.float16, torch.bfloat16) else None
            # The sum is NaN where a value is, and takes no memory; an infinite one proves nothing.
            if not values.sum(dtype=wide).isfinite() and bool(values.isnan().any()):
                return f"{name} holds NaN"
        return ""


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside what torch.compile, DataParallel and DistributedDataParallel put around it."""
    from torch import nn

    while True:
        inner = model._modules.get("_orig_mod")
        if inner is None and isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = model.module
        if inner is None:
            return model
        model = inner


def check_ready(model: nn.Module) -> None:
    """Refuse a model that has no values yet.

    Raises:
        ValueError: a lazy layer that has seen no input, or a tensor on the meta device.
    """
    check_lazy(model)
    for name, tensor in _named_tensors(model):
        if tensor.is_meta:
            raise ValueError(f"{name} is on the meta device and has no values; expected weights with values")


def check_lazy(model: nn.Module) -> None:
    """Refuse a model whose weights have no shapes yet.

    Raises:
        ValueError: a lazy layer that has seen no input.
    """
    from torch.nn.parameter import is_lazy

    for name, tensor in _named_tensors(model):
        if is_lazy(tensor):
            raise ValueError(f"{name} belongs to a lazy layer that has seen no input; expected a first pass before")


def _named_tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    return chain(model.named_parameters(), model.named_buffers())


@contextmanager
def _every_module_is_called() -> Iterator[None]:
    """Nothing compiled, fused or checkpointed out of sight: hooks and gradients reach every module, gradients twice."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.nn.utils import parametrize
    from torch.utils import checkpoint

    fast, reentrant = torch.backends.mha.get_fastpath_enabled(), checkpoint.CheckpointFunction
    held = parametrize._cache_enabled
    torch.backends.mha.set_fastpath_enabled(False)
    checkpoint.CheckpointFunction = _AtOnce  # type: ignore[misc,assignment]
    parametrize._cache_enabled = 0  # the caller's parametrize.cached() may hold weights without a graph
    try:
        with _eager(), sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        parametrize._cache_enabled = held
        checkpoint.CheckpointFunction = reentrant  # type: ignore[misc]
        torch.backends.mha.set_fastpath_enabled(fast)


class _AtOnce:
    """Stands in for reentrant checkpointing, through which torch gives no gradients of chosen weights; just runs."""

    @staticmethod
    def apply(part: Callable[..., Any], _preserve_rng_state: bool, *inputs: Any) -> Any:
        return part(*inputs)


def _eager() -> AbstractContextManager[Any]:
    import torch

    compiler = "torch._dynamo" in sys.modules  # importing it takes seconds, and nothing is compiled without it
    return torch.compiler.set_stance("force_eager") if compiler else nullcontext()


def _outside_inference(tensor: Tensor) -> Tensor:
    """A copy that autograd can follow of a tensor made under torch.inference_mode."""
    from torch import nn

    copy = tensor.detach().clone()
    return nn.Parameter(copy, requires_grad=tensor.requires_grad) if isinstance(tensor, nn.Parameter) else copy


@contextmanager
def explained(model: nn.Module, images: Tensor) -> Iterator[None]:
    """Say in one sentence what torch says in many of images of another type or device than the weights.

    Raises:
        ValueError: the images are not of the weights' type or device.
    """
    try:
        yield
    except (RuntimeError, TypeError) as error:
        reason = _why_refused(model, images, str(error))
        if reason:
            raise ValueError(reason) from error
        raise


def _why_refused(model: nn.Module, images: Tensor, message: str) -> str:
    """Why a model may not take these images, where that is plain; empty otherwise."""
    weights = [tensor for _, tensor in _named_tensors(model) if tensor.is_floating_point()]
    kinds, places = ({getattr(t, name) for t in weights} for name in ("dtype", "device"))
    if places and images.device not in places:
        return f"the images are on {images.device} and the model is on {places.pop()}; expected one device"
    if kinds and images.dtype not in kinds and any(word in message for word in ("dtype", "type", "not implemented")):
        expected = ", ".join(sorted(map(str, kinds)))
        return f"the images are {images.dtype} and the model's weights {expected}; expected images of the weights' type"
    return ""
