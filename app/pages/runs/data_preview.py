"""A data set before a run is made of it: its size, its classes and a few images; nothing large is read for it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from nas_core import data

PATHS = {
    "npz": ("Arrays in an .npz file", "/home/me/images.npz", "Arrays x_train (images; height, width, channels) and "
            "y_train (class numbers from 0); x_test and y_test if there are any."),
    "folder": ("A folder of images", "/home/me/images", "One sub-folder a class, holding PNG, JPEG, BMP, GIF or WebP "
               "images. They are scaled to 32 × 32."),
    "cifar10": ("CIFAR-10 archive", "/home/me/cifar-10-python.tar.gz", "The published archive, or the folder it "
                "unpacks to."),
    "cifar100": ("CIFAR-100 archive", "/home/me/cifar-100-python.tar.gz", "The published archive, or the folder it "
                 "unpacks to."),
}  # fmt: skip
"""Data sets that have a path, by kind: title, an example of the path, and what must lie there."""
EMBEDDED = {
    "digits": ("Handwritten digits (built in)", "Small grey images that come with NAS Helm: quick to try things on."),
    "noise": ("Random noise (built in)", "Gaussian noise with random labels: what a score says without any signal."),
}
"""Data sets that need no path: title and what they are for."""
_SHOWN = 10
_PIXELS = 32
_LARGEST_BYTES = 64 * 2**20
"""An archive up to this size is read for its images; of a larger one only the sizes are."""
_MOST_FILES = 20_000
_PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"}


@dataclass(frozen=True)
class Preview:
    """What is known of a data set: a sentence, images as `data:` addresses, and what is wrong, if anything is."""

    text: str
    images: tuple[str, ...] = ()
    problem: str = ""


def spec(kind: str | None, path: str | None) -> str:
    """The name under which a configuration asks for a data set: `digits`, or `npz:/home/me/images.npz`."""
    kind = (kind or "digits").strip()
    return f"{kind}:{(path or '').strip()}" if kind in PATHS else kind


def preview(kind: str, path: str) -> Preview:
    """What a data set holds, as far as that is quickly known; `path` is of no matter for an embedded one."""
    if kind in EMBEDDED:
        return _of(data.load(kind))
    if kind not in PATHS:
        return Preview("", problem=f"There is no data set {kind!r}.")
    place = path.strip()
    if not place:
        return Preview(f"{PATHS[kind][2]} Type its path, for example {PATHS[kind][1]}.")
    found = Path(place).expanduser()
    try:
        if not found.exists():
            return Preview(
                "", problem=f"There is no {place!r} on this machine. The machine that runs the engine must have it."
            )
        return _READERS[kind](found)
    except (OSError, ValueError) as error:
        return Preview("", problem=_reason(error))


def _reason(error: Exception) -> str:
    """Why a data set cannot be read, without its name: it stands beside the message."""
    text = (str(error).splitlines() or [repr(error)])[0]
    told = text.partition("': ")[2] if text.startswith("data set '") else text
    return f"{(told or text)[:1].upper()}{(told or text)[1:]}."


def _npz(path: Path) -> Preview:
    if path.stat().st_size <= _LARGEST_BYTES:
        return _of(data.load(f"npz:{path}"))
    shapes = _shapes(path)
    if "x_train" not in shapes or "y_train" not in shapes:
        return Preview("", problem="It has no arrays x_train and y_train.")
    n, *size = shapes["x_train"]
    tests = f", {shapes['x_test'][0]:,} to test on" if "x_test" in shapes else ""
    return Preview(f"{n:,} images to train on{tests}; each {' × '.join(map(str, size))}. Too large to show any here.")


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays of an npz file, from their heads alone."""
    found = {}
    with ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as file:
                major, _ = np.lib.format.read_magic(file)
                read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
                found[name.removesuffix(".npy")] = read(file)[0]
    return found


def _folder(path: Path) -> Preview:
    from PIL import Image

    classes = sorted(entry for entry in path.iterdir() if entry.is_dir())
    files: list[list[Path]] = []
    count = 0
    for folder in classes:
        files.append([])
        for file in folder.iterdir():
            count += 1
            if count > _MOST_FILES:
                break
            if file.suffix.lower() in _PICTURES:
                files[-1].append(file)
    held = [sorted(images) for images in files if images]
    if not held:
        return Preview("", problem="It holds no images. Expected one sub-folder of images a class.")
    shown = [held[k % len(held)][k // len(held)] for k in range(_SHOWN) if k // len(held) < len(held[k % len(held)])]
    pictures = []
    for file in shown:
        with Image.open(file) as picture:
            pictures.append(np.asarray(picture.convert("RGB").resize((_PIXELS, _PIXELS))))
    more = "at least " if count > _MOST_FILES else ""
    text = f"{more}{sum(map(len, held)):,} images in {len(classes):,} classes: {_some([c.name for c in classes])}."
    return Preview(text[0].upper() + text[1:], tuple(map(_address, pictures)))


def _published(path: Path) -> Preview:
    kind = "folder" if path.is_dir() else f"archive of {path.stat().st_size / 2**20:,.0f} MiB"
    return Preview(f"A {kind}. It is read when the run starts.")


_READERS = {"npz": _npz, "folder": _folder, "cifar10": _published, "cifar100": _published}


def _of(found: data.ImageData) -> Preview:
    """Size, classes and a few images, one a class."""
    n, channels, height, width = found.x_train.shape
    colours = "grey" if channels == 1 else "colour"
    tests = f" and {len(found.x_test):,} to test on" if len(found.x_test) else ", none to test on"
    text = f"{n:,} images to train on{tests}; {found.classes:,} classes; {height} × {width}, {colours}."
    _, first = np.unique(found.y_train, return_index=True)
    return Preview(text, tuple(_address(_pixels(found.x_train[k])) for k in first[:_SHOWN]))


def _pixels(image: np.ndarray) -> np.ndarray:
    """An image (channels, height, width) of any range as bytes (height, width, 3)."""
    values = image.astype(float)
    if image.dtype != np.uint8:
        low, high = float(values.min()), float(values.max())
        values = (values - low) / (high - low or 1.0) * 255
    return np.repeat(values, 3 // len(values), axis=0).transpose(1, 2, 0).astype(np.uint8)


def _address(pixels: np.ndarray) -> str:
    """An image (height, width, 3) as an address that holds it whole."""
    from PIL import Image

    kept = io.BytesIO()
    Image.fromarray(pixels).save(kept, "PNG")
    return "data:image/png;base64," + base64.b64encode(kept.getvalue()).decode()


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} …" if len(names) > _SHOWN else shown
