"""Runs: a model, its training and its data in one directory.

    checkpoint.npz          the complete state; resuming is bit-for-bit identical to an uninterrupted run
    log.csv                 epoch, train_loss, test_loss, reconstruction, kl, seconds, active_units     (nats per image)
    samples.png             8 x 8 samples from the prior, the same z every epoch
    reconstructions.png     test images, each row above the row of its reconstructions
    curve.svg               the learning curve
    frames.idx              samples of past epochs, for the animation
    report.html             the report, at the end of training
    learning.png            the samples through the epochs, animated, at the end of training

The history of losses is part of the checkpoint; the other files are made from it and from the parameters. The
checkpoint is written last, so the files of all epochs in it exist; what was done after it is done again on resume.

From Python:

    data = Dataset.open("data/sample")
    state = initial_state(data.images, config, options)
    run = Run.create(config, options, data, state, "runs/scripted")
    train(data.images, data.test_images, config, options, state=run.state,
          after_epoch=lambda state: run.save())

Later, load the run and train it to more epochs (`replace` is that of dataclasses):

    run = Run.load("runs/scripted")
    run.options = replace(run.options, epochs=30)
    data = run.source.load()  # ValueError if the data is not that of the run
    train(data.images, data.test_images, run.config, run.options, state=run.state,
          after_epoch=lambda state: run.save())
"""

import csv
import io
import math
import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..data.dataset import Dataset, printable_path
from ..errors import InputError
from ..files import write_file
from ..pictures.plots import learning_curve_svg, write_svg
from ..pictures.png import write_png
from ..pictures.samples import enlarge, image_grid, reconstruction_grid, sample_images
from ..settings import TrainingOptions, VAEConfig, arguments, check_together
from ..training.history import COLUMNS
from ..training.state import TrainingState, check_model
from ..training.step import NotFiniteError
from ..training.streams import stream
from . import checkpoint, record
from .checkpoint import CheckpointError
from .directory import new_directory
from .frames import save_frame

CHECKPOINT = "checkpoint.npz"
LOG = "log.csv"
REMEDY = "a smaller learning rate may help"


@dataclass(repr=False)
class Run:
    """A run: its directory, model, options, data source and training state.

    directory is None for a run that was loaded from a file of another name than checkpoint.npz: a copy, which has no
    directory to write into. conditions: processes, threads, versions and machine of the last training. warm_start:
    which run the first parameters come from. ValueError if options, state or data do not fit the model.
    """

    directory: Path | None
    config: VAEConfig
    options: TrainingOptions
    source: Dataset
    state: TrainingState
    conditions: dict[str, Any] = field(default_factory=dict)
    warm_start: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        if self.directory is not None:
            self.directory = Path(self.directory)
        if self.source is None:
            self.source = Dataset.unknown(self.config.input_dim)
        check_together(self.config, self.options)
        check_model(self.state, self.config)
        if self.source.pixels != self.config.input_dim:
            raise InputError(
                f"input_dim is {self.config.input_dim}, but an image of {self.source} has "
                f"{self.source.pixels} pixels"
            )

    @classmethod
    def create(
        cls,
        config: VAEConfig,
        options: TrainingOptions,
        source: Dataset | None,
        state: TrainingState,
        directory: str | os.PathLike | None = None,
        **more,
    ) -> "Run":
        """A new run, saved in `directory`, which must be new or empty, or in runs/NNN, the next free number."""
        run = cls(None, config, options, source, state, **more)
        run.directory = new_directory(directory)
        run.save()
        return run

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Run":
        """The run in a directory, or in a checkpoint file. CheckpointError names the file and what is wrong with it."""
        path = Path(path)
        path = path / CHECKPOINT if path.is_dir() else path
        arrays, meta = checkpoint.load(path)
        try:
            config, options, source = record.read_settings(meta)
            state = record.read_state(arrays, meta, config, options)
            directory = path.parent if path.name == CHECKPOINT else None
            return cls(
                directory,
                config,
                options,
                source,
                state,
                record.read_plain(meta, "conditions"),
                record.read_plain(meta, "warm_start"),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            reason = f"no {error}" if isinstance(error, KeyError) else error
            raise CheckpointError(
                f"{path}: a valid checkpoint, but not a run of this version of numpyvae "
                f"({reason})"
            ) from error

    def save(self, directory: str | os.PathLike | None = None) -> None:
        """Write the checkpoint and the log. `directory`: a new place for this run, which is made if it does not exist.

        Raises NotFiniteError, before anything is written, if a parameter or a loss of the last epoch is not finite: a
        checkpoint always holds a model that works. CheckpointError if the file cannot be written.
        """
        if directory is not None:
            self.directory = Path(directory)
        if self.directory is None:
            raise InputError(
                "this run was loaded from a copy of a checkpoint and has no directory: "
                "save(directory) names one"
            )
        self.check_finite()
        self.directory.mkdir(parents=True, exist_ok=True)
        if (
            self.state.rng is None or not (self.directory / LOG).exists()
        ):  # an epoch has ended, or the directory is new
            self.write_log()
        meta = {
            **record.settings_record(self.config, self.options, self.source),
            "state": record.state_record(self.state),
            "conditions": self.conditions,
            "warm_start": self.warm_start,
        }
        checkpoint.save(self.directory / CHECKPOINT, record.arrays_of(self.state), meta)

    def check_finite(self, tested: bool = False) -> None:
        """NotFiniteError names the epoch whose loss is not finite, or after which a parameter is not.

        tested: there are test images, so the test loss must be finite too (without test images it is NaN).
        """
        for row in self.state.history[-1:]:
            for name in ("train_loss", "test_loss"):
                if not math.isfinite(row[name]) and (
                    tested or name == "train_loss" or math.isinf(row[name])
                ):
                    raise NotFiniteError(
                        f"epoch {row['epoch']}: {name} is {row[name]}; {REMEDY}"
                    )
        if not np.isfinite(self.state.params.vector).all():
            raise NotFiniteError(
                f"epoch {self.state.epoch}: a parameter is not finite; {REMEDY}"
            )

    def write_log(self) -> None:
        """Write log.csv: one row per epoch."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.state.history)
        write_file(self.directory / LOG, text.getvalue())

    def write_images(self, test_images: np.ndarray) -> None:
        """Write samples.png, reconstructions.png, curve.svg and the frame of the last epoch, from the current state."""
        samples, reconstructions = self.image_grids(test_images)
        write_png(self.directory / "samples.png", enlarge(samples))
        write_png(self.directory / "reconstructions.png", enlarge(reconstructions))
        if self.state.history:
            save_frame(self.directory, len(self.state.history), samples)
            write_svg(
                self.directory / "curve.svg",
                learning_curve_svg(self.state.history, self.config, self.options),
            )

    def image_grids(self, test_images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(samples, reconstructions): two grids, from the same z and the same test images every time."""
        params, config, shape = self.state.params, self.config, self.source.image_shape
        rng = stream("pictures", self.options.seed)
        samples = image_grid(sample_images(params, config, shape, rng, 64), 8)
        data = Dataset.in_memory(test_images[:0], test_images[:32])
        x = data.input("test", self.options.binarize, rng)
        return samples, reconstruction_grid(params, x, config, shape)

    def command_line(self) -> str:
        """The command that trains the same model again, from any directory: the data,
        and what differs from the defaults.
        """
        data = str(self.source) if self.source.path is None else self.source.path
        words = ["numpyvae", "train", "--data", absolute(data)]
        words += arguments(self.config, self.options)
        if self.warm_start:
            words += ["--from", absolute(str(self.warm_start.get("run")))]
            words += ["--keep-optimizer"] * bool(self.warm_start.get("optimizer"))
        note = (
            ""
            if self.config.prior == VAEConfig.prior
            else f"  # prior {self.config.prior}: from Python only"
        )
        return shlex.join(words) + note

    def _repr_html_(self) -> str:
        """What a notebook shows: the last numbers and the learning curve"""
        from .report import summary_html  # here, since a report is made of a run

        return summary_html(self)

    def __repr__(self) -> str:
        done = len(self.state.history)
        place = (
            "no directory" if self.directory is None else printable_path(self.directory)
        )
        return f"<Run {place}: {architecture(self.config)}, {done} of {self.options.epochs} epochs on {self.source}>"


def absolute(path: str) -> str:
    """A path as text that can be printed and pasted in any directory."""
    return os.fsencode(os.path.abspath(path)).decode("utf-8", "replace")


def architecture(config: VAEConfig) -> str:
    """The sizes of the layers: 784-400-20-400-784"""
    sizes = (config.input_dim, *config.hidden_dims)
    return "-".join(map(str, (*sizes, config.latent_dim, *reversed(sizes))))
