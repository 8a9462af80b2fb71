"""What a model is asked for: which of its outputs is scored, and the loss whose gradients are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

Output: TypeAlias = "Callable[[Any], Tensor]"
"""Picks the tensor to score from what a model returns."""
Loss: TypeAlias = "Callable[[Tensor, Any], Tensor]"
"""Loss of outputs against the labels of a batch: one number, a mean over what the batch holds."""


@dataclass(frozen=True)
class Task:
    """`output` chooses from what the model returns (default: it returns a tensor); `loss` of that and the labels.

    The default loss is the mean cross-entropy of outputs (b, classes, ...) against class numbers (b, ...).
    """

    output: Output | None = None
    loss: Loss | None = None

    def keywords(self) -> dict[str, Output | Loss]:
        """What is given, as the keywords of a score."""
        return {word: value for word, value in vars(self).items() if value is not None}

    def choose(self, returned: Any) -> Tensor:
        """The tensor that is scored, of what the model returned.

        Raises:
            ValueError: it is no tensor of floating-point numbers.
        """
        import torch

        found = returned if self.output is None else self.output(returned)
        if not isinstance(found, torch.Tensor):
            if self.output is not None:
                raise ValueError(f"output: it returned {_described(found)}, expected a tensor")
            hint = "pass output=, a function that picks one, as in output=lambda found: found[0]"
            raise ValueError(f"the model's output is {_described(found)}, expected a tensor: {hint}")
        if not found.is_floating_point():
            raise ValueError(f"the model's output is a tensor of {found.dtype}, expected floating-point numbers")
        return found

    def loss_of(self, outputs: Tensor, labels: Any) -> Tensor:
        """The loss of outputs against labels, one number.

        Raises:
            ValueError: outputs and labels do not fit, or `loss` returned anything else.
        """
        import torch

        if isinstance(labels, torch.Tensor):
            labels = labels.clone()  # a loss may change it, and autograd keeps none made under inference_mode
        if self.loss is None:
            return mean_cross_entropy(one_row_an_image(outputs, len(labels)), labels)
        found = self.loss(outputs, labels)
        if not isinstance(found, torch.Tensor) or found.numel() != 1:
            what = f"a tensor {tuple(found.shape)}" if isinstance(found, torch.Tensor) else _described(found)
            raise ValueError(f"loss: it returned {what}, expected a tensor of one number, such as a mean")
        return found.reshape(())


def one_row_an_image(outputs: Tensor, images: int) -> Tensor:
    """Outputs (images, ...), also where the model squeezed the batch of one image away.

    Raises:
        ValueError: the outputs have another number of rows.
    """
    if images == 1 and (outputs.dim() == 0 or len(outputs) != 1):
        outputs = outputs.unsqueeze(0)
    if outputs.dim() == 0 or len(outputs) != images:
        found = f"the model's output has shape {tuple(outputs.shape)} for {images} images"
        raise ValueError(f"{found}, expected a row for each")
    return outputs


def mean_cross_entropy(outputs: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of outputs (b, classes, ...) against class numbers (b, ...).

    Raises:
        ValueError: shapes do not fit, or a label is no class of the outputs.
    """
    from torch.nn import functional

    wanted = (*outputs.shape[:1], *outputs.shape[2:])
    if outputs.dim() < 2 or tuple(labels.shape) != wanted:
        found = f"outputs {tuple(outputs.shape)} and labels {tuple(labels.shape)}"
        raise ValueError(f"{found}: cross-entropy takes (b, classes, ...) and (b, ...); other tasks pass loss=")
    least, most = int(labels.min()), int(labels.max())
    if least < 0 or most >= outputs.shape[1]:
        wrong = least if least < 0 else most
        raise ValueError(f"labels: got class {wrong}, expected 0 to {outputs.shape[1] - 1}, as the model has outputs")
    return functional.cross_entropy(outputs, labels.long())


def _described(found: Any) -> str:
    if isinstance(found, dict):
        return f"a {type(found).__name__} of {', '.join(map(repr, found))}"
    return f"a {type(found).__name__} of {len(found)}" if isinstance(found, list | tuple) else type(found).__name__
