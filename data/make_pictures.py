"""Make data/pictures, the pictures that the README shows.

    python data/make_pictures.py          chain.svg, gridworld.svg and step.svg: seconds
    python data/make_pictures.py RUN      also samples.png, reconstructions.png and
                                          learning.png, those of a run on all of MNIST:
                                          numpyvae train --data data/mnist --epochs 29

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

from numpyvae.book.figures.all import one_step_svg
from numpyvae.data.dataset import Dataset
from numpyvae.files import write_file
from numpyvae.pictures.chain import chain_svg

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


DRAWN = {
    "chain.svg": chain_svg,
    "gridworld.svg": gridworld_svg,
    "step.svg": step_svg,
}


def main(run: str | None = None) -> None:
    pictures = HERE / "pictures"
    for name, make in DRAWN.items():
        write_file(pictures / name, make())
    for name in OF_A_RUN if run is not None else ():
        shutil.copyfile(Path(run) / name, pictures / name)


if __name__ == "__main__":
    main(*sys.argv[1:])
