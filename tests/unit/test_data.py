"""Data sources: every kind loads what was written, and hostile or damaged files end in one ValueError."""

from __future__ import annotations

import io
import pickle
import struct
import tarfile
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from nas_core import data

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(256, size=(6, 3072), dtype=np.uint8)
LABELS = [3, 0, 9, 1, 4, 2]


class _Python2Pickler(pickle._Pickler):
    """Writes texts and bytes as Python 2 wrote its strings, which is how the published archives were made."""

    def save_string(self, value: bytes | str) -> None:
        content = value if isinstance(value, bytes) else value.encode("latin1")
        self.write(pickle.BINSTRING + struct.pack("<i", len(content)) + content)

    dispatch: ClassVar = {**pickle._Pickler.dispatch, bytes: save_string, str: save_string}


def _pickled(label_key: bytes) -> bytes:
    stream = io.BytesIO()
    _Python2Pickler(stream, protocol=2).dump({b"data": PIXELS, label_key: LABELS, b"batch_label": b"x"})
    return stream.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def _binary(label_bytes: int) -> bytes:
    return b"".join(bytes(label_bytes - 1) + bytes([k]) + row.tobytes() for k, row in zip(LABELS, PIXELS, strict=True))


def _archive(path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(f"published/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
@pytest.mark.parametrize(
    ("kind", "train", "test", "train_content", "test_content"),
    [
        ("cifar10", "data_batch_1", "test_batch", _pickled(b"labels"), _pickled(b"labels")),
        ("cifar10", "data_batch_1.bin", "test_batch.bin", _binary(1), _binary(1)),
        ("cifar100", "train", "test", _pickled(b"fine_labels"), _pickled(b"fine_labels")),
        ("cifar100", "train.bin", "test.bin", _binary(2), _binary(2)),
    ],
)
def test_cifar_archives_load_as_written(tmp_path, packed, kind, train, test, train_content, test_content):
    members = {train: train_content, test: test_content, "readme.html": b"no data"}
    if packed:
        path = tmp_path / "archive.tar.gz"
        _archive(path, members)
    else:
        path = tmp_path
        (tmp_path / "published").mkdir()
        for name, content in members.items():
            (tmp_path / "published" / name).write_bytes(content)
    loaded = data.load(f"{kind}:{path}")
    for images, labels in ((loaded.x_train, loaded.y_train), (loaded.x_test, loaded.y_test)):
        np.testing.assert_array_equal(images, PIXELS.reshape(-1, 3, 32, 32))
        assert images.dtype == np.uint8 and labels.dtype == np.int64 and labels.tolist() == LABELS


class _Runs:
    """Unpickles by calling a function: what a hostile archive does."""

    def __init__(self, function, *arguments) -> None:
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("kind", ["open", "eval", "numpy", "nested"])
def test_hostile_pickles_are_refused_without_running(tmp_path, kind, protocol):
    victim = tmp_path / "victim"
    hostile = {
        "open": _Runs(open, str(victim), "w"),
        "eval": _Runs(eval, f"open({str(victim)!r}, 'w')"),
        "numpy": _Runs(np.save, str(victim) + ".npy", 1),
        "nested": {b"data": np.array([_Runs(open, str(victim), "w")], dtype=object), b"labels": [0]},
    }[kind]
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(hostile, protocol=protocol))
    with pytest.raises(ValueError, match="never loaded from a file"):
        data.load(f"cifar10:{tmp_path}")
    assert not victim.exists() and not (tmp_path / "victim.npy").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle at all",
        b".",
        _pickled(b"labels")[:-40],
        pickle.dumps([1, 2]),
        pickle.dumps({b"labels": [1]}),
        pickle.dumps({b"data": [1], b"labels": [1]}),
        pickle.dumps({b"data": PIXELS[:, :5], b"labels": LABELS}),
        _pickled(b"fine_labels"),
        _pickled(b"labels").replace(b"K\x03K\x00K\tK\x01K\x04K\x02e", b"K\x03K\x00e"),
    ],
)
def test_damaged_cifar_files_end_in_one_line_that_names_the_data_set(tmp_path, content):
    (tmp_path / "data_batch_1").write_bytes(content)
    with pytest.raises(ValueError, match="data set 'cifar10:") as caught:
        data.load(f"cifar10:{tmp_path}")
    assert "\n" not in str(caught.value)


def test_cifar_reads_only_the_published_files_of_a_folder(tmp_path):
    (tmp_path / "data_batch_1").write_bytes(_pickled(b"labels"))
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "data_batch_2").write_bytes(_pickled(b"labels"))
    assert len(data.load(f"cifar10:{tmp_path}").x_train) == len(PIXELS)


@pytest.mark.parametrize("name", ["text.npz", "short.npz", "single.npz", "flipped.npz", "archive.tar.gz", "empty.npz"])
def test_unreadable_files_end_in_one_line(tmp_path, name):
    path, whole = tmp_path / name, tmp_path / "whole.npz"
    np.savez_compressed(whole, x_train=PIXELS.reshape(-1, 3, 32, 32), y_train=LABELS)
    content = whole.read_bytes()
    damaged = bytearray(content)
    damaged[200:4000] = bytes(3800)
    single = io.BytesIO()
    np.save(single, PIXELS)
    path.write_bytes(
        {
            "text.npz": b"hello",
            "short.npz": content[: len(content) // 2],
            "single.npz": single.getvalue(),
            "flipped.npz": bytes(damaged),
            "archive.tar.gz": b"\x1f\x8b damaged",
            "empty.npz": b"",
        }[name]
    )
    kind = "cifar10" if name.endswith("gz") else "npz"
    with pytest.raises(ValueError, match=f"data set '{kind}:") as caught:
        data.load(f"{kind}:{path}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("layout", [(0, 1, 2, 3), (0, 2, 3, 1)], ids=["NCHW", "NHWC"])
def test_npz_loads_either_layout(tmp_path, layout):
    images = PIXELS.reshape(-1, 3, 32, 32)
    np.savez(tmp_path / "d.npz", x_train=images.transpose(layout), y_train=LABELS)
    loaded = data.load(f"npz:{tmp_path / 'd.npz'}")
    np.testing.assert_array_equal(loaded.x_train, images)
    assert loaded.classes == 10 and loaded.x_test.shape == (0, 3, 32, 32)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((2, 8, 8, 3)), np.array([0.0, np.nan]), "y_train holds NaN"),
        (np.zeros((2, 8, 8, 3)), np.array([0.0, 1.0]), "y_train holds float64 numbers"),
        (np.zeros((2, 8, 8, 3)), np.array([0.0, np.inf]), "y_train holds float64 numbers"),
        (np.zeros((2, 8, 8, 3)), np.array([0, -1]), "expected class numbers from 0"),
        (np.zeros((2, 8, 8, 3)), np.array([0, 1, 1]), "expected as many"),
        (np.zeros((2, 8, 8, 3)), np.array(["a", "b"]), "expected numbers"),
        (np.zeros((0, 8, 8, 3)), np.zeros(0, dtype=int), "n > 0"),
        (np.zeros((2, 8, 8, 5)), np.array([0, 1]), "expected 1 or 3 channels"),
        (np.full((2, 8, 8, 3), np.nan), np.array([0, 1]), "x_train holds NaN or infinity"),
    ],
)
def test_npz_with_wrong_contents_is_refused(tmp_path, images, labels, message):
    np.savez(tmp_path / "d.npz", x_train=images, y_train=labels)
    with pytest.raises(ValueError, match=message):
        data.load(f"npz:{tmp_path / 'd.npz'}")


def test_a_folder_gives_one_class_a_sub_folder(tmp_path):
    for number, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        Image.new("L", (9, 7), color=100 * number).save(tmp_path / name / "one.png")
    loaded = data.load(f"folder:{tmp_path}")
    assert loaded.y_train.tolist() == [0, 1] and loaded.classes == 2
    assert loaded.x_train[0].max() == 0 and loaded.x_train[1].min() == 100
    (tmp_path / "dog" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    with pytest.raises(ValueError, match="cannot be read"):
        data.load(f"folder:{tmp_path}")


@pytest.mark.parametrize("spec", ["", "cifar10", "npz:", "http://example.org", "digits:x"])
def test_a_malformed_source_lists_what_exists(spec):
    with pytest.raises(ValueError, match=r"unknown data set .*; expected one of: digits"):
        data.load(spec)


def test_batches_have_the_promised_shape_and_scale_and_never_repeat_an_image():
    source = data.load("digits")
    drawn = data.batches(source, count=3, size=500, side=8, seed=1)
    images = torch.cat([images for images, _ in drawn])
    assert images.shape == (1500, 3, 8, 8) and images.dtype == torch.float32
    assert abs(float(images.mean())) < 1e-4 and float(images.std()) == pytest.approx(1, abs=1e-3)
    assert torch.equal(images[:, 0], images[:, 2])
    counted = np.bincount(torch.cat([labels for _, labels in drawn]), minlength=10)
    np.testing.assert_array_equal(counted, np.bincount(source.y_train, minlength=10))
    assert data.batches(source, count=1, size=2, side=16)[0][0].shape == (2, 3, 16, 16)


def test_batches_follow_the_seed():
    source = data.load("noise")
    first, again, other = (data.batches(source, count=2, size=4, side=16, seed=seed)[1][0] for seed in (5, 5, 6))
    assert torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize(("count", "size"), [(0, 4), (2, 0), (2, 10_000)])
def test_impossible_batches_are_refused(count, size):
    with pytest.raises(ValueError, match=r"expected at least 1|digits has 1500 images"):
        data.batches(data.load("digits"), count=count, size=size)


def test_the_embedded_digits_are_those_of_scikit_learn():
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    found = data.load("digits")
    np.testing.assert_array_equal(found.x_train, (images[order[:1500]].reshape(-1, 1, 8, 8) * (255 / 16)).astype("u1"))
    np.testing.assert_array_equal(found.y_test, labels[order[1500:]])
