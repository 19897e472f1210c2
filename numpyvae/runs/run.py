"""A run's folder: what training leaves behind, made so that nothing is lost and nothing overwritten.

    checkpoint.npz          the whole state: resuming from it gives the same bits as never having stopped
    log.csv                 epoch, train_loss, test_loss, reconstruction, kl, seconds        (nats an image)
    samples.png             8 x 8 draws from the prior, the same z every epoch
    reconstructions.png     test images, each row above the row of its reconstructions
    curve.svg               the learning curve
    report.html             all of this and more on one page, at the end of training

The history of losses is part of the checkpoint, and the other files are made from it and from the parameters. The
checkpoint is written last: whatever it says has been done has left its files; what was done after it will be done again.

Next: latent_pictures.
"""

import csv
import hashlib
import io
import math
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np

from . import checkpoint
from ..pictures import plots as pictures
from ..pictures import samples as sampling
from ..files import atomic_write
from ..data.mnist import load_images
from ..settings import TrainingOptions
from ..training.loop import State, optimizer, pixels
from ..settings import VAEConfig
from ..vae.parameters import Parameters, parameter_shapes

COLUMNS = ("epoch", "train_loss", "test_loss", "reconstruction", "kl", "seconds")


def new_folder(out: str | None, parent: str = "runs") -> Path:
    """The folder `out`, which must be new or empty, else the next free runs/NNN. OSError names what is in the way."""
    if out is not None:
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise FileExistsError(f"{folder} is not empty; a run never overwrites another: choose a new folder for --out")
        return folder
    Path(parent).mkdir(exist_ok=True)
    number = max((int(p.name) for p in Path(parent).iterdir() if p.name.isdigit()), default=0) + 1
    while True:
        folder = Path(parent) / f"{number:03d}"
        try:
            folder.mkdir()
            return folder
        except FileExistsError:  # another run took the number in this moment
            number += 1


def digest(*arrays: np.ndarray) -> str:
    """SHA-256 over the data that a run is trained and scored on"""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(f"{array.dtype} {array.shape}".encode())
        sha.update(np.ascontiguousarray(array))
    return sha.hexdigest()


def save(folder: Path, state: State, config: VAEConfig, options: TrainingOptions, about: dict) -> None:
    """Write checkpoint.npz; `about` is kept beside the rest (data, its digest, the images' shape)."""
    arrays = {"params": state.params.vector, "adam.m": state.adam.m, "adam.v": state.adam.v}
    meta = {"config": asdict(config), "options": asdict(options), "history": state.history, "about": about,
            "adam.t": state.adam.t, "epoch": state.epoch, "batch": state.batch, "total": state.total,
            "seconds": state.seconds, "generator": state.rng and checkpoint.generator_state(state.rng),
            "numpy": np.__version__, "blas_threads": os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS")
            or f"default, {os.cpu_count()} cores"}
    checkpoint.save(folder / "checkpoint.npz", arrays, meta)


def load(path: str | os.PathLike) -> tuple[State, VAEConfig, TrainingOptions, dict]:
    """What `save` saved, from a run's folder or its checkpoint.npz. CheckpointError says what is wrong with the file."""
    path = Path(path)
    path = path / "checkpoint.npz" if path.is_dir() else path
    arrays, meta = checkpoint.load(path)
    try:
        config, options = VAEConfig(**meta["config"]), TrainingOptions(**meta["options"])
        params = Parameters(shapes := parameter_shapes(config), arrays["params"])
        if any(array.shape != (sum(map(math.prod, shapes.values())),) for array in arrays.values()):
            raise ValueError("its arrays do not have the size of its configuration")
        adam = optimizer(params, options)
        adam.t, adam.m, adam.v = meta["adam.t"], arrays["adam.m"], arrays["adam.v"]
        rng = meta["generator"] and checkpoint.restore_generator(meta["generator"])
        state = State(params, adam, meta["epoch"], meta["batch"], meta["total"], meta["seconds"],
                      rng, meta["history"])
        return state, config, options, meta["about"]
    except (KeyError, TypeError, ValueError) as error:
        raise checkpoint.CheckpointError(f"{path}: is whole, but not a run of this version of numpyvae ({error})") from error


def find_images(run: str, about: dict, data: str | None) -> tuple[dict, np.ndarray, np.ndarray]:
    """What a run was trained and scored on (training images, test images), where it was, or in `data` if it has moved;
    `about` with that place in it comes first. ValueError if it is other data."""
    here = about | ({} if data is None else {"data": data})
    images, test_images = load_images(here["data"])
    if digest(images, test_images) != about["digest"]:
        raise ValueError(f"{here['data']}: not the data that is needed: it is not what {run} was trained on "
                         f"({about['data']}); name that with --data")
    return here, images, test_images


def write_log(folder: Path, history: list[dict]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    with atomic_write(folder / "log.csv") as file:
        file.write(text.getvalue().encode())


def draw(folder: Path, state: State, config: VAEConfig, options: TrainingOptions, test_images: np.ndarray) -> None:
    """Write the pictures, from the parameters and the history as they stand."""
    drawn, compared = images(state, config, options, test_images)
    pictures.write_png(folder / "samples.png", drawn)
    pictures.write_png(folder / "reconstructions.png", compared)
    if history := state.history:
        pictures.write_svg(folder / "curve.svg", pictures.curve_svg(
            [row["epoch"] for row in history],
            {"train": [row["train_loss"] for row in history], "test": [row["test_loss"] for row in history]}))


def images(state: State, config: VAEConfig, options: TrainingOptions, test_images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(samples, reconstructions): the two grids, the same z and the same test images every time"""
    shape, rng = test_images.shape[1:], np.random.default_rng([options.seed, 0])
    drawn = pictures.grid(sampling.samples(state.params, config, shape, rng, 64), 8)
    x = pixels(test_images[:32], options.binarize, rng)
    originals = np.rint(x * 255).astype(np.uint8).reshape(-1, *shape)[: len(x) // 8 * 8 or len(x)]
    decoded = sampling.reconstructions(state.params, x[: len(originals)], config, shape)
    columns = min(8, len(originals))
    return drawn, pictures.grid(sampling.pairs(originals, decoded, columns), columns)
