"""Directories of runs: a new one for each run; a run never overwrites another."""

import os
import re
from pathlib import Path

from ..data.dataset import printable_path


def new_directory(given: str | os.PathLike | None, parent: str = "runs") -> Path:
    """The directory `given`, which must be new or empty, else the next free runs/NNN. OSError if it is not empty."""
    if given is not None:
        directory = Path(given)
        if directory.is_file():
            raise FileExistsError(
                f"{printable_path(directory)} is a file: choose a new directory"
            )
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise FileExistsError(
                f"{printable_path(directory)} is not empty; a run never overwrites another: "
                "choose a new directory"
            )
        return directory
    Path(parent).mkdir(exist_ok=True)
    taken = [
        int(path.name)
        for path in Path(parent).iterdir()
        if re.fullmatch("[0-9]{1,9}", path.name)
    ]
    number = max(taken, default=0) + 1
    while True:
        directory = Path(parent) / f"{number:03d}"
        try:
            directory.mkdir()
            return directory
        except FileExistsError:  # another run was created concurrently
            number += 1
