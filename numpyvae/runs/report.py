"""A run's page, report.html: what was trained, how it went, and what came of it, in one file that needs no other.

It is made from what the run's folder holds and from the test images: the learning curve, the two terms of the bound,
draws from the prior, reconstructions, the latent space, the units in use, the figures, the settings, and the command
that does it again. Pictures stand in it as SVG and as PNG in data: addresses; there is no script. It follows the
reader's light or dark setting, and the width of the window.

Next: estimator.
"""

import base64
from html import escape

import numpy as np

from ..pictures import latent as latent_pictures
from ..pictures import plots as pictures
from ..pictures import samples as sampling
from ..files import write_file
from ..data.pixels import apply_static, to_input
from ..training.evaluation import ACTIVE_UNIT_VARIANCE, count_active_units
from ..data.mnist import load_mnist
from ..settings import BINARIZATIONS
from ..vae.likelihoods import LIKELIHOODS
from ..vae.model import encode
from .run import Run, architecture

FILE = "report.html"
POINTS = 2500  # as many test images as the latent picture shows

STYLE = """
:root { color-scheme: light dark; --page: #f5f6f8; --paper: #fff; --ink: #333a44; --faint: #6a7380; --grid: #e4e7eb; --axis: #8a929c }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171b; --paper: #1d2127; --ink: #dfe3e8; --faint: #99a3af; --grid: #343b44; --axis: #77808b } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 24px 16px 48px; max-width: 1180px; background: var(--page); color: var(--ink);
       font: 16px/1.5 system-ui, 'Helvetica Neue', Arial, sans-serif }
h1 { margin: 0; font-size: 26px; line-height: 1.25; overflow-wrap: anywhere } h2 { margin: 0 0 8px; font-size: 17px }
p { margin: 4px 0 0 } .faint { color: var(--faint) }
main { display: grid; gap: 16px; margin-top: 20px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 500px), 1fr)) }
section { min-width: 0; padding: 16px; border-radius: 10px; background: var(--paper); border: 1px solid var(--grid) }
svg, img { display: block; width: 100%; height: auto } img { image-rendering: pixelated; border-radius: 4px }
table { width: 100%; border-collapse: collapse } td, th { padding: 5px 0; text-align: left; font-weight: 400; border-top: 1px solid var(--grid) }
td { text-align: right; overflow-wrap: anywhere; font-variant-numeric: tabular-nums } tr:first-child > * { border-top: 0 }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 14px/1.5 ui-monospace, Menlo, Consolas, monospace }
"""


def write(run: Run, note: str = "") -> None:
    """Write report.html of a run that has finished an epoch, with the test images of its data source.

    note: a sentence at the head of the page, about a run that did not reach its end.
    """
    if not run.state.history:
        raise ValueError(f"{run.directory}: no epoch is done yet, so there is nothing to report")
    html = page(run, *load_mnist(run.source.path, "test"), note)
    write_file(run.directory / FILE, html)


def page(run: Run, test_images: np.ndarray, labels: np.ndarray, remark: str = "") -> str:
    """The page, as text."""
    state, config, options = run.state, run.config, run.options
    drawn, compared = run.image_grids(test_images)
    x = to_input(apply_static(test_images, options.binarize, "test"), options.binarize, np.random.default_rng(options.seed))
    mu = encode(state.params, x, config)[0][0].astype(np.float64)
    last = state.history[-1]
    figures = {"training loss": f"{last['train_loss']:.4f}", "test loss, the negative ELBO": f"{last['test_loss']:.4f}",
               "its reconstruction, −log p(x|z)": f"{last['reconstruction']:.4f}", "its KL": f"{last['kl']:.4f}",
               "active units": f"{count_active_units(mu)} of {config.latent_dim}", "parameters": f"{state.params.vector.size:,}",
               "epochs": f"{last['epoch']}", "training time": f"{sum(row['seconds'] for row in state.history):,.0f} s"}
    settings = {**vars(config), **vars(options)}
    note = "; the normal decoder's figures are log densities, and may be positive" if LIKELIHOODS[config.likelihood].is_density else ""
    epochs = [row["epoch"] for row in state.history]

    def curves(title, **columns):
        return pictures.curve_svg(epochs, {name: [row[column] for row in state.history] for name, column in columns.items()},
                                  title, width=480, height=320)

    sections = {
        "Figures": table(figures),
        "How it went": curves("Loss: training and test", train="train_loss", test="test_loss"),
        "The bound's two terms": curves("Test loss = reconstruction + KL", reconstruction="reconstruction", KL="kl"),
        "The latent units": latent_pictures.units(mu.var(axis=0), ACTIVE_UNIT_VARIANCE),
        "Drawn from the prior": image(drawn, "64 draws from the prior, decoded"),
        "Test images, each row above its reconstructions": image(compared, "test images and their reconstructions"),
        "The latent space": latent_pictures.scatter(*latent_pictures.principal_axes(mu[:POINTS]), labels[:POINTS])}
    if config.latent_dim == 2:
        plane = pictures.grid(sampling.manifold(state.params, config, run.source.image_shape), 20)
        sections["The latent plane"] = image(plane, "the decoder's mean at the prior's quantiles")
    sections["Settings"] = table({name.replace("_", " "): show(value) for name, value in settings.items()})
    sections["Do it again"] = f"<pre>{escape(run.command_line())}</pre>"
    return "\n".join([
        '<!DOCTYPE html>', '<html lang="en">', '<head>', '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">', '<link rel="icon" href="data:,">',
        f"<title>numpyvae: {escape(run.directory.name)}</title>", f"<style>{STYLE}</style>", "</head>", "<body>",
        f"<h1>{architecture(config)}, {last['epoch']} epochs on {escape(str(run.source))}</h1>",
        *([f"<p><strong>{escape(remark)}</strong></p>"] if remark else []),
        f'<p class="faint">A variational autoencoder in NumPy. Losses are in nats an image, of {BINARIZATIONS[options.binarize]}{note}.</p>', "<main>",
        *(f"<section><h2>{title}</h2>{body}</section>" for title, body in sections.items()), "</main>", "</body>", "</html>", ""])


def image(pixels: np.ndarray, text: str) -> str:
    data = base64.b64encode(pictures.png(pixels)).decode()
    return f'<img alt="{escape(text)}" width="{pixels.shape[1]}" height="{pixels.shape[0]}" src="data:image/png;base64,{data}">'


def table(rows: dict[str, str]) -> str:
    return "<table>" + "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows.items()) + "</table>"


def show(value) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(show, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else "none" if value is None else str(value)
