"""Which row of a tensor inside a model belongs to which image: told where it can be, refused where it cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nas_core.proxies._subject import Subject

if TYPE_CHECKING:
    from torch import Tensor, nn

Read = Callable[[Any, Any], "Tensor"]
"""The tensor to look at, of what a module takes and what it returns."""


def by_image(
    tensors: Sequence[Tensor], subject: Subject, images: Tensor, modules: Sequence[nn.Module], read: Read, what: str
) -> list[Tensor]:
    """Tensors of a pass with a row for each image: as they are, or (positions, images, channels) turned round.

    Where positions are as many as images, one more pass with an image less tells which are which.

    Args:
        tensors: one for each call of the modules, in the order of the pass.
        subject: the model, in a visit in train mode.
        images: of the pass.
        modules: where the tensors were read.
        read: how they were.
        what: names the tensors in the message, as in "what enters a ReLU".

    Raises:
        ValueError: rows are no images (windows or patches folded into the batch).
    """
    count = len(images)
    is_first = [True] * len(tensors)
    if count > 1 and any(tensor.shape[:2] == (count, count) and tensor.dim() == 3 for tensor in tensors):
        sizes = _sizes(subject, images[1:], modules, read)
        is_first = [size == count - 1 for size in sizes] if len(sizes) == len(tensors) else is_first
    return [_turned(tensor, count, first, what) for tensor, first in zip(tensors, is_first, strict=True)]


def _turned(tensor: Tensor, images: int, is_first: bool, what: str) -> Tensor:
    if tensor.dim() == 3 and tensor.shape[1] == images and not (is_first and len(tensor) == images):
        return tensor.movedim(1, 0)
    return images_first(tensor, images, what)


def images_first(tensor: Tensor, images: int, what: str) -> Tensor:
    """The tensor, which has a row for each image.

    Raises:
        ValueError: it has another number of rows.
    """
    if tensor.dim() == 0 or len(tensor) != images:
        raise ValueError(f"{what} is {tuple(tensor.shape)} for {images} images; expected a row for each image")
    return tensor


def _sizes(subject: Subject, images: Tensor, modules: Sequence[nn.Module], read: Read) -> list[int]:
    """First dimensions in a pass of these images."""
    sizes: list[int] = []

    def note(_module: nn.Module, inputs: Any, returned: Any) -> None:
        sizes.append(len(read(inputs, returned)))

    handles = [module.register_forward_hook(note) for module in modules]
    try:
        subject.rehearse(images)
    finally:
        for handle in handles:
            handle.remove()
    return sizes


def tensor_of(returned: Any, what: str) -> Tensor:
    """The features a module returns: a tensor, or the first of what attention and recurrent layers return.

    Raises:
        ValueError: neither.
    """
    import torch

    first = returned[0] if isinstance(returned, tuple | list) and returned else returned
    if not isinstance(first, torch.Tensor):
        raise ValueError(f"{what} is a {type(returned).__name__}; expected a tensor")
    return first


def entering(inputs: Any, _returned: Any) -> Tensor:
    """What a module takes."""
    return tensor_of(inputs, "what enters a module")


def leaving(_inputs: Any, returned: Any) -> Tensor:
    """What a module returns."""
    return tensor_of(returned, "the output of a module")
