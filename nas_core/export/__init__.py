"""An architecture to take away: a Python module of its own, ONNX, a state dict, JSON.

Importing this room never imports torch; what needs it does so when called.

Example:
    from nas_core.export import Blueprint, python_source
    blueprint = Blueprint.of("nb201", "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|")
    print(python_source(blueprint, blueprint.model(seed=0)))
"""

from nas_core.export._blueprint import Blueprint, describe, read_weights
from nas_core.export._formats import KINDS, Content, content, python_source, write
from nas_core.export._trained import trained_model

__all__ = [
    "KINDS",
    "Blueprint",
    "Content",
    "content",
    "describe",
    "python_source",
    "read_weights",
    "trained_model",
    "write",
]
