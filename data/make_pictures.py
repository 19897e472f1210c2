"""Make data/pictures, the pictures that the README shows.

    python data/make_pictures.py          chain.svg, gridworld.svg and step.svg: seconds
    python data/make_pictures.py RUN      also samples.png, reconstructions.png and
                                          learning.png, those of a run on all of MNIST:
                                          numpyvae train --data data/mnist --epochs 29
    python data/make_pictures.py RUN TOLD     also sevens.png and styles.png, of a run
                                              that is told the class:
                                              numpyvae train --data data/mnist
                                              --binarize dynamic --epochs 30
                                              --decay-epochs 20 --conditional --latent 4

gridworld.svg is what the README's own code writes. step.svg is the book's figure. Its
last digits depend on the machine, the other two are the same everywhere.
"""

import contextlib
import io
import os
import re
import runpy
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from numpyvae.book.figures.all import one_step_svg
from numpyvae.data.dataset import Dataset
from numpyvae.files import write_file
from numpyvae.pictures.chain import chain_svg
from numpyvae.pictures.png import write_png
from numpyvae.pictures.samples import change_class, enlarge, image_grid, sample_images
from numpyvae.runs.run import Run
from numpyvae.training.model_input import model_input
from numpyvae.training.streams import stream

HERE = Path(__file__).parent
OF_A_RUN = ("samples.png", "reconstructions.png", "learning.png")


def gridworld_svg() -> str:
    """The file that the README's code on the frozen lake writes."""
    readme = (HERE.parent / "README.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (code,) = [block for block in blocks if '"gridworld.svg"' in block]
    place = os.getcwd()
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        Path("readme.py").write_text(code, "utf-8")
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                runpy.run_path("readme.py")
        finally:
            os.chdir(place)
        return Path(directory, "gridworld.svg").read_text("utf-8")


def step_svg() -> str:
    """One training step of a model that has seen the sample."""
    data = Dataset.open(HERE / "sample")
    return one_step_svg(data.images, data.test_images)


def write_classes(pictures: Path, told: str) -> None:
    """Sevens; and five test images, each in its own style as every class"""
    run = Run.load(told)
    columns = run.config.num_classes + 1
    sevens = sample_images(
        run.state.params,
        run.config,
        run.source.image_shape,
        stream("sample", 1),
        2 * columns,
        np.full(2 * columns, 7),
    )
    write_png(pictures / "sevens.png", enlarge(image_grid(sevens, columns), 2))
    rng = stream("pictures", 1)
    x = model_input(
        run.source.load(), "test", run.config, run.options.binarize, rng, slice(10)
    )
    images = change_class(run.state.params, x[:5], run.config, run.source.image_shape)
    write_png(pictures / "styles.png", enlarge(image_grid(images, columns), 2))


DRAWN = {
    "chain.svg": chain_svg,
    "gridworld.svg": gridworld_svg,
    "step.svg": step_svg,
}


def main(run: str | None = None, told: str | None = None) -> None:
    pictures = HERE / "pictures"
    for name, make in DRAWN.items():
        write_file(pictures / name, make())
    for name in OF_A_RUN if run is not None else ():
        shutil.copyfile(Path(run) / name, pictures / name)
    if told is not None:
        write_classes(pictures, told)


if __name__ == "__main__":
    main(*sys.argv[1:])
