"""What a network is made of: its tree of modules, and the order in which a pass calls them. Nothing is scored here."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from nas_core.proxies.base import untouched
from nas_core.store import MOST_LAYERS

if TYPE_CHECKING:
    from torch import Tensor, nn


def modules_of(model: nn.Module, images: Tensor) -> list[dict[str, Any]]:
    """The modules of `model`, each after the one that it is part of, see `nas_core.store.Structure`.

    Of a network with more than `MOST_LAYERS` modules the innermost ones are left out.

    Args:
        model: any network; it is left as it was.
        images: some inputs (b, ...), for one forward pass.

    Raises:
        ValueError: the network does not take these inputs.
    """
    order = _order_of_calls(model, images)
    found = [
        {
            "name": name,
            "kind": type(module).__name__,
            "weights": sum(parameter.numel() for parameter in module.parameters(recurse=False)),
            "called": order.get(name),
        }
        for name, module in model.named_modules()
    ]
    while len(found) > MOST_LAYERS:
        deepest = max(_depth(module["name"]) for module in found)
        found = [module for module in found if _depth(module["name"]) < deepest]
    return found


def _depth(name: str) -> int:
    return name.count(".") + 1 if name else 0


def _order_of_calls(model: nn.Module, images: Tensor) -> dict[str, int]:
    """The place of each module that a pass calls among all, by name; a module called twice has the first."""
    import torch

    order: dict[str, int] = {}

    def called(name: str, _module: nn.Module, _inputs: Any) -> None:
        order.setdefault(name, len(order))

    with ExitStack() as stack:
        for context in (torch.inference_mode(False), untouched(model, train=False), torch.no_grad()):
            stack.enter_context(context)
        for name, module in model.named_modules():
            stack.callback(module.register_forward_pre_hook(partial(called, name)).remove)
        try:
            model(images.clone())
        except Exception as error:
            told = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ValueError(f"the model does not take the inputs of the first batch: {told}") from error
    return order
