"""Where images come from: digits (embedded), noise, the CIFAR archives, npz files and folders of images."""

from __future__ import annotations

import importlib.util
import io
import pickle
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SOURCES = {
    "digits": "1,797 grey 8 x 8 digits that come with scikit-learn (default)",
    "noise": "Gaussian noise with random labels of ten classes",
    "cifar10:PATH": "the published CIFAR-10 archive or folder, python or binary version",
    "cifar100:PATH": "the published CIFAR-100 archive or folder, python or binary version",
    "npz:PATH": "arrays x_train, y_train and optionally x_test, y_test; images NHWC or NCHW",
    "folder:PATH": "one sub-folder of images a class",
}
_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"}
_FOLDER_SIDE = 32
_CIFAR_PIXELS = 3 * 32 * 32


@dataclass(frozen=True)
class ImageData:
    """Images uint8 or float32 `(n, channels, height, width)`, labels int64 `(n,)`, and the number of classes."""

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: int


def load(spec: str, *, seed: int = 0) -> ImageData:
    """Load the data set that `spec` names: `digits`, `noise`, or `kind:PATH` as in `SOURCES`.

    Raises:
        ValueError: unknown source, missing or unreadable file, or contents that are no labelled images.
    """
    kind, _, path = spec.partition(":")
    if spec == "digits":
        return _digits()
    if spec == "noise":
        return _noise(seed)
    readers = {"npz": _npz, "folder": _folder, "cifar10": _cifar10, "cifar100": _cifar100}
    if kind not in readers or not path:
        raise ValueError(f"unknown data set {spec!r}; expected one of: {', '.join(SOURCES)}")
    location = Path(path).expanduser()
    if not location.exists():
        raise ValueError(f"data set {spec!r}: there is no {path!r}")
    try:
        return readers[kind](spec, location)
    except ValueError:
        raise
    except Exception as error:  # a damaged archive, pickle or picture makes its decoder raise almost anything
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        raise ValueError(f"data set {spec!r} cannot be read: {reason}") from error


def check_source(spec: str, name: str = "data") -> None:
    """Whether `spec` names a source, without a look at its files: an engine elsewhere may have them.

    Raises:
        ValueError: no such source, or one that wants a path without it; the message begins with `name`.
    """
    kind, _, path = spec.partition(":") if isinstance(spec, str) else ("", "", "")
    if spec not in SOURCES and not (path and f"{kind}:PATH" in SOURCES):
        raise ValueError(f"{name}: got {spec!r}, expected one of: {', '.join(SOURCES)}")


def _digits() -> ImageData:
    """The digits that scikit-learn ships; from its file, since importing it takes longer than torch does."""
    found = importlib.util.find_spec("sklearn")
    folder = found.submodule_search_locations[0] if found and found.submodule_search_locations else ""
    table = np.loadtxt(Path(folder) / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    images, labels = table[:, :-1], table[:, -1]
    pixels = (images.reshape(-1, 1, 8, 8) * (255 / 16)).astype(np.uint8)
    order = np.random.default_rng(0).permutation(len(pixels))
    train, test = order[:1500], order[1500:]
    labels = labels.astype(np.int64)
    return ImageData("digits", pixels[train], labels[train], pixels[test], labels[test], 10)


def _noise(seed: int) -> ImageData:
    rng = np.random.default_rng(seed)
    images = rng.standard_normal((1250, 3, 32, 32), dtype=np.float32)
    labels = rng.integers(10, size=len(images))
    return ImageData("noise", images[:1000], labels[:1000], images[1000:], labels[1000:], 10)


def _checked(spec: str, part: str, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or len(images) == 0:
        raise ValueError(
            f"data set {spec!r}: x_{part} has shape {images.shape}, expected (n, height, width, channels), n > 0"
        )
    if images.shape[1] not in (1, 3) and images.shape[3] in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.shape[1] not in (1, 3):
        raise ValueError(f"data set {spec!r}: x_{part} has shape {images.shape}, expected 1 or 3 channels")
    if images.dtype.kind not in "uif" or labels.dtype.kind not in "uif":
        raise ValueError(f"data set {spec!r}: {part} arrays are {images.dtype} and {labels.dtype}, expected numbers")
    if labels.shape != (len(images),):
        raise ValueError(
            f"data set {spec!r}: {len(images)} {part} images and labels of shape {labels.shape}, expected as many"
        )
    if labels.dtype.kind == "f":
        found = "NaN" if np.isnan(labels).any() else f"{labels.dtype} numbers"
        raise ValueError(f"data set {spec!r}: y_{part} holds {found}, expected integer class numbers")
    if labels.min() < 0:
        raise ValueError(f"data set {spec!r}: y_{part} holds {labels.min()}, expected class numbers from 0")
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise ValueError(f"data set {spec!r}: x_{part} holds NaN or infinity, expected finite numbers")
    return images if images.dtype == np.uint8 else images.astype(np.float32), labels.astype(np.int64)


def _assembled(spec: str, arrays: dict[str, np.ndarray]) -> ImageData:
    x_train, y_train = _checked(spec, "train", arrays["x_train"], arrays["y_train"])
    if "x_test" in arrays and "y_test" in arrays:
        x_test, y_test = _checked(spec, "test", arrays["x_test"], arrays["y_test"])
    else:
        x_test, y_test = x_train[:0], y_train[:0]
    return ImageData(spec, x_train, y_train, x_test, y_test, int(max(y_train.max(), y_test.max(initial=0))) + 1)


def _npz(spec: str, path: Path) -> ImageData:
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("a single array, not an archive")
            arrays = {key: archive[key] for key in archive.files if key in ("x_train", "y_train", "x_test", "y_test")}
    except (ValueError, TypeError) as error:
        reason = (
            "it holds pickled objects, which are never loaded" if "pickle" in str(error) else "it is no npz archive"
        )
        raise ValueError(f"data set {spec!r}: {reason}; expected arrays x_train and y_train") from error
    for key in ("x_train", "y_train"):
        if key not in arrays:
            raise ValueError(f"data set {spec!r} has no array {key!r}; expected x_train and y_train")
    return _assembled(spec, arrays)


def _folder(spec: str, path: Path) -> ImageData:
    from PIL import Image

    classes = sorted(entry for entry in path.iterdir() if entry.is_dir())
    images, labels = [], []
    for label, folder in enumerate(classes):
        for file in sorted(folder.iterdir()):
            if file.suffix.lower() in _SUFFIXES:
                with Image.open(file) as picture:
                    images.append(np.asarray(picture.convert("RGB").resize((_FOLDER_SIDE, _FOLDER_SIDE))))
                labels.append(label)
    if not images:
        raise ValueError(f"data set {spec!r} holds no images; expected one sub-folder of images a class")
    return _assembled(spec, {"x_train": np.stack(images), "y_train": np.array(labels)})


_ARRAY_PARTS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}


class _ArrayUnpickler(pickle.Unpickler):
    """Reads dictionaries of numpy arrays, as in the CIFAR archives, and nothing that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ARRAY_PARTS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is never loaded from a file")
        return super().find_class(module, name)


def _record(spec: str, name: str, content: bytes, label_key: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Images `(n, 3072)` uint8 and labels `(n,)` of one file of the python version."""
    record = _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
    if not isinstance(record, dict) or b"data" not in record or label_key not in record:
        raise ValueError(f"data set {spec!r}: {name} is no dictionary with 'data' and {label_key.decode()!r}")
    images, labels = record[b"data"], np.asarray(record[label_key])
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape[1:] != (_CIFAR_PIXELS,):
        raise ValueError(f"data set {spec!r}: 'data' in {name} is no uint8 array of shape (n, {_CIFAR_PIXELS})")
    if labels.shape != (len(images),):
        raise ValueError(f"data set {spec!r}: {name} has {len(images)} images and labels of shape {labels.shape}")
    return images, labels


def _binary(spec: str, name: str, content: bytes, label_bytes: int) -> tuple[np.ndarray, np.ndarray]:
    """Images `(n, 3072)` uint8 and labels `(n,)` of one file of the binary version."""
    width = label_bytes + _CIFAR_PIXELS
    if len(content) % width:
        raise ValueError(f"data set {spec!r}: {name}.bin has {len(content)} bytes, no whole number of records")
    rows = np.frombuffer(content, dtype=np.uint8).reshape(-1, width)
    return rows[:, label_bytes:], rows[:, label_bytes - 1]


def _members(path: Path, wanted: set[str]) -> dict[str, bytes]:
    """Contents of the files called `wanted`, in a folder or a tar archive; nothing is unpacked to disk."""
    if path.is_dir():
        files = [file for folder in (path, *sorted(path.iterdir())) for file in (folder / name for name in wanted)]
        return {file.name: file.read_bytes() for file in files if file.is_file()}
    with tarfile.open(path) as archive:
        found = {}
        for member in archive:
            name = Path(member.name).name
            handle = archive.extractfile(member) if member.isfile() and name in wanted else None
            if handle is not None:
                found[name] = handle.read()
        return found


def _cifar(spec: str, path: Path, train: tuple[str, ...], test: str, label_key: bytes, label_bytes: int) -> ImageData:
    members = _members(path, {name + suffix for name in (*train, test) for suffix in ("", ".bin")})
    arrays: dict[str, np.ndarray] = {}
    for part, wanted in (("train", train), ("test", (test,))):
        pieces = []
        for name in wanted:
            if f"{name}.bin" in members:
                pieces.append(_binary(spec, name, members[f"{name}.bin"], label_bytes))
            elif name in members:
                pieces.append(_record(spec, name, members[name], label_key))
        if pieces:
            arrays[f"x_{part}"] = np.concatenate([images for images, _ in pieces]).reshape(-1, 3, 32, 32)
            arrays[f"y_{part}"] = np.concatenate([labels for _, labels in pieces])
    if "x_train" not in arrays:
        raise ValueError(f"data set {spec!r} holds no {train[0]} or {train[0]}.bin; expected the published archive")
    return _assembled(spec, arrays)


def _cifar10(spec: str, path: Path) -> ImageData:
    return _cifar(spec, path, tuple(f"data_batch_{k}" for k in range(1, 6)), "test_batch", b"labels", 1)


def _cifar100(spec: str, path: Path) -> ImageData:
    return _cifar(spec, path, ("train",), "test", b"fine_labels", 2)
