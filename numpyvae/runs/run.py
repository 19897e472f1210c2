"""Runs: a model, its training and its data in one directory.

    checkpoint.npz        the complete state; resuming is bit-for-bit identical to an
                          uninterrupted run
    log.csv               epoch, train_loss, test_loss, reconstruction, kl, seconds,
                          active_units     (nats per image)
    samples.png           8 x 8 samples from the prior, the same z every epoch
    reconstructions.png   test images, each row above the row of its reconstructions
    curve.svg             the learning curve
    frames.idx            samples of past epochs, for the animation
    report.html           the report; while training goes on, a short one
    learning.png          the samples through the epochs, animated, at the end of training

The history of losses is part of the checkpoint; the other files are made from it and from
the parameters. In an epoch the checkpoint is written last, so the files of all epochs in
it exist; what was done after it is done again on resume.

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
import re
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data.dataset import Dataset, printable_path
from ..errors import InputError
from ..files import is_temporary, lock_unless_held, write_file
from ..pictures.plots import learning_curve_svg, write_svg
from ..pictures.png import write_png
from ..pictures.samples import enlarge, image_grid, reconstruction_grid, sample_images
from ..settings import TrainingOptions, VAEConfig, arguments, check_together
from ..training.history import COLUMNS
from ..training.model_input import model_input
from ..training.state import TrainingState, check_model
from ..training.step import NotFiniteError
from ..training.streams import stream
from . import checkpoint, record
from .checkpoint import CheckpointError
from .frames import save_frame

CHECKPOINT = "checkpoint.npz"
LOG = "log.csv"
REMEDY = "a smaller learning rate may help"


@dataclass(repr=False)
class Run:
    """A run: its directory, model, options, data source and training state.

    directory    None for a run that was loaded from a file of another name than
                 checkpoint.npz: a copy, which has no directory to write into
    conditions   processes, threads, versions and machine of the last training
    warm_start   which run the first parameters come from

    InputError if options, state or data do not fit the model.
    """

    directory: Path | None
    config: VAEConfig
    options: TrainingOptions
    source: Dataset
    state: TrainingState
    conditions: dict[str, Any] = field(default_factory=dict)
    warm_start: dict[str, Any] = field(default_factory=dict)

    # the checkpoint that this run has last read or written: which file, how far trained
    _known: tuple = field(default=(), init=False, compare=False)
    _saved: tuple[int, int] = field(default=(0, 0), init=False, compare=False)

    def __post_init__(self):
        if self.directory is not None:
            self.directory = Path(self.directory)
        if self.source is None:
            self.source = Dataset.unknown(self.config.input_dim)
        check_together(self.config, self.options)
        check_model(self.state, self.config)
        if self.source.pixels != self.config.input_dim:
            raise InputError(
                f"input_dim is {self.config.input_dim}, but an image of {self.source} "
                f"has {self.source.pixels} pixels"
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
        """A new run, saved in `directory`, which is new or empty, or in the next runs/NNN.

        source: None if the data is not known.
        """
        if source is None:
            source = Dataset.unknown(config.input_dim)
        run = cls(None, config, options, source, state, **more)
        run.save(new_directory(directory))
        return run

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Run":
        """The run in a directory, or in a checkpoint file.

        CheckpointError names the file and what is wrong with it.
        """
        path = Path(path)
        if path.is_dir():
            path = path / CHECKPOINT
        known = _identity(path)
        arrays, meta = checkpoint.load(path)
        try:
            config, options, source = record.read_settings(meta)
            run = cls(
                path.parent if path.name == CHECKPOINT else None,
                config,
                options,
                source,
                record.read_state(arrays, meta, config, options),
                record.read_plain(meta, "conditions"),
                record.read_plain(meta, "warm_start"),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            reason = f"no {error}" if isinstance(error, KeyError) else error
            raise CheckpointError(
                f"{path}: a valid checkpoint, but not a run of this version of numpyvae "
                f"({reason})"
            ) from error
        run._known, run._saved = known, run.state.progress()
        return run

    def save(
        self, directory: str | os.PathLike | None = None, *, overwrite: bool = False
    ) -> None:
        """Write the checkpoint and the log.

        directory    a new place for this run, which is made if it does not exist
        overwrite    also replace another run, or one that has been trained further

        Raises NotFiniteError, before anything is written, if a parameter or a loss of the
        last epoch is not finite: a checkpoint always holds a model that works.
        CheckpointError if the directory holds another run, or this run with more epochs
        than the state; if another process is training there; or if the file cannot be
        written. `self.directory` is then what it was.
        """
        target = self.require_directory() if directory is None else Path(directory)
        self.check_finite()
        try:
            target.mkdir(parents=True, exist_ok=True)
            with lock_unless_held(target):
                if not overwrite:
                    self._refuse_to_lose(target / CHECKPOINT)
                self._write(target)
        except OSError as error:
            raise CheckpointError(
                f"{target}: the run cannot be saved: {error.strerror or error}"
            ) from error
        self.directory = target

    def _refuse_to_lose(self, path: Path) -> None:
        """CheckpointError if the checkpoint there has what this run has not."""
        found = _identity(path)
        if not found:
            return
        if found[1:] == self._known[1:]:
            saved = self._saved
        elif found[:1] == self._known[:1]:  # someone else has written it
            saved = Run.load(path).state.progress()
        else:
            raise CheckpointError(
                f"{path.parent}: holds another run, which is never overwritten: choose a "
                "new directory"
            )
        if saved > self.state.progress():
            raise CheckpointError(
                f"{path.parent}: has been trained further, to batch {saved[1]} of epoch "
                f"{saved[0]}: load it again, or save with overwrite=True"
            )

    def _write(self, directory: Path) -> None:
        """Write checkpoint and log.

        A new directory gets the checkpoint first: if the process is killed between them
        the run can be resumed.
        """
        meta = {
            **record.settings_record(self.config, self.options, self.source),
            "state": record.state_record(self.state),
            "conditions": self.conditions,
            "warm_start": self.warm_start,
        }
        path = directory / CHECKPOINT
        is_new = not (directory / LOG).exists()
        epoch_has_ended = self.state.rng is None
        if epoch_has_ended and not is_new:
            self._write_log(directory)
        checkpoint.save(path, record.arrays_of(self.state), meta)
        self._known, self._saved = _identity(path), self.state.progress()
        if is_new:
            self._write_log(directory)

    def require_directory(self) -> Path:
        """The run's directory; InputError for a run that has none."""
        if self.directory is None:
            raise InputError(
                "this run was loaded from a copy of a checkpoint and has no directory: "
                "save(directory) names one"
            )
        return self.directory

    def check_finite(self, tested: bool = False) -> None:
        """NotFiniteError names the epoch whose loss or whose parameters are not finite.

        tested    there are test images, so the test loss must be finite too; without
                  test images it is NaN
        """
        if self.state.history:
            row = self.state.history[-1]
            _check_loss(row, "train_loss")
            if tested or not math.isnan(row["test_loss"]):
                _check_loss(row, "test_loss")
        if not np.isfinite(self.state.params.vector).all():
            raise NotFiniteError(
                f"epoch {self.state.epoch}: a parameter is not finite; {REMEDY}"
            )

    def write_log(self) -> None:
        """Write log.csv: one row per epoch."""
        self._write_log(self.require_directory())

    def _write_log(self, directory: Path) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.state.history)
        write_file(directory / LOG, text.getvalue())

    def write_images(
        self, test_images: np.ndarray, test_labels: np.ndarray | None = None
    ) -> None:
        """Write the pictures of the current state: samples, reconstructions, curve."""
        directory = self.require_directory()
        samples, reconstructions = self.image_grids(test_images, test_labels)
        write_png(directory / "samples.png", enlarge(samples))
        write_png(directory / "reconstructions.png", enlarge(reconstructions))
        if self.state.history:
            save_frame(directory, len(self.state.history), samples)
            write_svg(
                directory / "curve.svg",
                learning_curve_svg(self.state.history, self.config, self.options),
            )

    def image_grids(
        self, test_images: np.ndarray, test_labels: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """(samples, reconstructions): two grids, of the same z and test images always.

        A model that is told the class has a row of samples for each class.
        """
        params, config, shape = self.state.params, self.config, self.source.image_shape
        rng = stream("pictures", self.options.seed)
        count, labels = 64, None
        if config.num_classes:
            labels = np.arange(config.num_classes).repeat(8)
            count = len(labels)
        samples = sample_images(params, config, shape, rng, count, labels)
        samples = image_grid(samples, 8)
        data = Dataset.in_memory(test_images[:0], test_images[:32])
        if test_labels is not None:
            data = replace(data, test_labels=test_labels[:32])
        x = model_input(data, "test", config, self.options.binarize, rng)
        return samples, reconstruction_grid(params, x, config, shape)

    def command_line(self) -> str:
        """The command that trains the same model again, from any directory.

        It has the data, and what differs from the defaults. A comment names what the
        command line cannot do.
        """
        words, notes = ["numpyvae", "train"], []
        if self.source.path is None:
            notes.append("trained on arrays in memory")
        else:
            words += ["--data", absolute(self.source.path)]
        words += arguments(self.config, self.options)
        if self.warm_start:
            words += ["--from", absolute(str(self.warm_start.get("run")))]
            if self.warm_start.get("optimizer"):
                words.append("--keep-optimizer")
        if self.config.prior != VAEConfig.prior:
            notes.append(f"prior {self.config.prior}")
        command = shlex.join(words)
        if notes:
            command += f"  # {', '.join(notes)}: from Python only"
        return command

    def _repr_html_(self) -> str:
        """What a notebook shows: the last numbers and the learning curve"""
        from .report import summary_html  # here, since a report is made of a run

        return summary_html(self)

    def __repr__(self) -> str:
        place = "no directory"
        if self.directory is not None:
            place = printable_path(self.directory)
        return (
            f"<Run {place}: {architecture(self.config)}, {len(self.state.history)} of "
            f"{self.options.epochs} epochs on {self.source}>"
        )


def new_directory(given: str | os.PathLike | None, parent: str = "runs") -> Path:
    """The directory `given`, which is new or empty, else the next free runs/NNN.

    A directory counts as empty with what a process left there that was killed before its
    first checkpoint. FileExistsError if there is more in it.
    """
    if given is None:
        return _next_directory(Path(parent))
    directory = Path(given)
    if directory.is_file():
        raise FileExistsError(
            f"{printable_path(directory)} is a file: choose a new directory"
        )
    directory.mkdir(parents=True, exist_ok=True)
    if not all(map(is_temporary, directory.iterdir())):
        raise FileExistsError(
            f"{printable_path(directory)} is not empty; a run never overwrites another: "
            "choose a new directory"
        )
    return directory


def _next_directory(parent: Path) -> Path:
    parent.mkdir(exist_ok=True)
    names = [path.name for path in parent.iterdir()]
    taken = [int(name) for name in names if re.fullmatch("[0-9]{1,9}", name)]
    number = max(taken, default=0) + 1
    while True:
        directory = parent / f"{number:03d}"
        try:
            directory.mkdir()
            return directory
        except FileExistsError:  # another run was created concurrently
            number += 1


def _identity(path: Path) -> tuple:
    """(path, device, inode, time, size) of a file; () if there is none"""
    try:
        status = path.stat()
    except OSError:
        return ()
    return (
        os.path.abspath(path),
        status.st_dev,
        status.st_ino,
        status.st_mtime_ns,
        status.st_size,
    )


def _check_loss(row: dict, name: str) -> None:
    if not math.isfinite(row[name]):
        raise NotFiniteError(f"epoch {row['epoch']}: {name} is {row[name]}; {REMEDY}")


def absolute(path: str) -> str:
    """A path as text that can be printed and pasted in any directory."""
    return os.fsencode(os.path.abspath(path)).decode("utf-8", "replace")


def architecture(config: VAEConfig) -> str:
    """The sizes of the layers: 784-400-20-400-784"""
    sizes = (config.input_dim, *config.hidden_dims)
    return "-".join(map(str, (*sizes, config.latent_dim, *reversed(sizes))))
