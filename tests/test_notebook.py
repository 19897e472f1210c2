"""In a notebook results are shown: runs, plots, pictures, without a line of plotting."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from numpyvae.data.dataset import Dataset
from numpyvae.pictures.plots import line_plot_svg
from numpyvae.pictures.samples import Picture, enlarge, image_grid
from numpyvae.runs.run import Run
from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training.loop import train
from numpyvae.training.state import initial_state
from tests.pictures import reading

ROOT = Path(__file__).parents[1]
TOOLS = all(importlib.util.find_spec(name) for name in ("nbclient", "ipykernel"))


def test_grids_are_shown_as_the_images_that_they_are():
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 5), dtype=np.uint8)
    grid = image_grid(images, 3)
    assert np.array_equal(reading.decode_png(grid._repr_png_()), grid)
    large = enlarge(images[0], 3)
    assert np.array_equal(reading.decode_png(large._repr_png_()), large)


def test_parts_of_a_picture_that_are_no_image_are_not_shown_as_one():
    picture = np.zeros((2, 3), np.uint8).view(Picture)
    for part in (picture[0], picture / 255, picture[:0]):
        assert part._repr_png_() is None


def test_a_run_is_shown_by_its_numbers_and_its_curve(tiny):
    config = VAEConfig(input_dim=30, hidden_dims=(8,), latent_dim=2)
    options = TrainingOptions(epochs=2, batch_size=16)
    state = initial_state(tiny[0], config, options)
    run = Run(None, config, options, Dataset.of(*tiny), state)
    assert "no directory" in run._repr_html_() and "<svg" not in run._repr_html_()
    train(*tiny, config, options, state=state, processes=1)
    shown = run._repr_html_()
    assert shown.count("<svg xmlns") == 1 and "2 of 2 epochs" in shown
    assert f"<td>{state.history[-1]['test_loss']:.4f}</td>" in shown


CELLS = [
    """
    import numpy as np
    from numpyvae import Run, TrainingOptions, VAEConfig, train
    from numpyvae.pictures.samples import image_grid, sample_images
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (64, 6, 5), dtype=np.uint8)
    config = VAEConfig(input_dim=30, hidden_dims=(8,), latent_dim=2)
    options = TrainingOptions(epochs=2, batch_size=16)
    state = train(images, images[:16], config, options, processes=1)
    run = Run(None, config, options, None, state)
    run.source = run.source.of(images, images[:16])
    run
    """,
    "image_grid(sample_images(state.params, config, (6, 5), rng, 8), 8)",
    """
    from numpyvae.pictures.plots import line_plot_svg
    line_plot_svg([1, 2], {'a': [1, 2]})
    """,
    "from numpyvae.runs.compare import compare\ncompare([run])",
]


@pytest.mark.skipif(not TOOLS, reason="nbclient and ipykernel are not installed")
def test_a_notebook_goes_from_training_to_pictures(monkeypatch):
    import inspect

    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.v4.new_notebook()
    for cell in CELLS:
        notebook.cells.append(nbformat.v4.new_code_cell(inspect.cleandoc(cell)))
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [set(cell.outputs[-1]["data"]) for cell in notebook.cells]
    assert "text/html" in shown[0] and "image/png" in shown[1]
    assert "image/svg+xml" in shown[2] and "text/html" in shown[3]


def test_a_plot_is_shown_as_a_picture():
    svg = line_plot_svg([1, 2], {"a": [1, 2]})
    assert svg._repr_svg_().startswith("<svg ")
