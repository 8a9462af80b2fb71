"""ONNX: a network as a graph with a free batch, checked by running it. Needs torch, onnx and onnxscript."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import nn

from nas_core.export._check import difference, images
from nas_core.spaces import ImageShape

_PACKAGES = ("onnx", "onnxscript")
_BATCHES = (1, 3)
"""Sizes the graph is checked at; it is traced at another."""


def to_onnx(network: nn.Module, model: nn.Module, shape: ImageShape) -> tuple[bytes, str]:
    """The ONNX graph of `network`, and its largest difference from `model` in eval mode, in words.

    Args:
        network: what is written; plain torch layers only.
        model: what it is compared with.
        shape: images it takes; their number is left open.

    Raises:
        ValueError: packages are missing, torch cannot write the network, or the graph computes something else.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise ValueError(f"ONNX needs {' and '.join(missing)}; install with: pip install {' '.join(_PACKAGES)}")
    content = _written(network.eval(), shape)
    largest, scale, runner = 0.0, 0.0, ""
    for count in _BATCHES:
        batch = images(shape, count, seed=count)
        with torch.no_grad():
            expected = model.eval()(batch)
        scale = max(scale, float(expected.abs().max()))
        found, runner = _run(content, batch.numpy())
        largest = max(largest, difference(expected, torch.from_numpy(found), "the ONNX graph"))
    return content, f"{runner} and torch differ by at most {largest:.1e}, outputs up to {scale:.2g}"


def _written(network: nn.Module, shape: ImageShape) -> bytes:
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()):
            program = torch.onnx.export(
                network,
                (images(shape, 2),),
                dynamo=True,
                input_names=["images"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                verbose=False,
            )
        assert program is not None
        return program.model_proto.SerializeToString()
    except Exception as error:  # the exporter runs much code of many kinds
        raise ValueError(
            f"torch cannot write this network as ONNX: {str(error).strip() or type(error).__name__}"
        ) from error
    finally:
        logging.disable(level)


def _run(content: bytes, batch: np.ndarray) -> tuple[np.ndarray, str]:
    if find_spec("onnxruntime") is not None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        return np.asarray(session.run(None, {"images": batch})[0]), "onnxruntime"
    import onnx
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(onnx.load_model_from_string(content))
    outputs: Any = evaluator.run(None, {"images": batch})
    return outputs[0], "onnx's evaluator"
