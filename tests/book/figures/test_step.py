"""The graph of one step: its arrays are those of the package's step, its numbers and
images show them.
"""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from numpyvae.book.figures import all as figures
from numpyvae.book.figures import step_graph
from numpyvae.book.figures.arrays import array_image
from numpyvae.settings import VAEConfig
from numpyvae.vae import elbo_terms, init_params, negative_elbo, negative_elbo_backward
from tests.book.figures.test_arrays import shades
from tests.pictures import reading

ROOT = Path(__file__).parents[3]
CONFIGS = {
    "bernoulli": VAEConfig(
        input_dim=12, hidden_dims=(5,), latent_dim=3, beta=1.5, prior=(0.3, -0.4)
    ),
    "normal": VAEConfig(
        input_dim=12, hidden_dims=(), latent_dim=3, likelihood="normal"
    ),
}


def inputs(config):
    rng = np.random.default_rng(1)
    return (
        init_params(config, rng, np.float64),
        rng.random((1, 12)),
        rng.standard_normal((1, 1, 3)),
        config,
    )


def plain(element):
    """An element's markup without its namespace"""
    return re.sub(
        r"ns\d+:|xmlns:\w+=\"[^\"]*\"", "", ElementTree.tostring(element, "unicode")
    )


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_the_sums_are_the_gradients_of_the_encoders_last_bias(config):
    """With one image, dmu and dlogvar are the gradients of the bias that is added to mu
    and logvar.
    """
    a = step_graph.step(*inputs(config))
    log_px, kl, _ = elbo_terms(*inputs(config))
    loss, cache = negative_elbo(*inputs(config))
    grads = negative_elbo_backward(cache)
    bias = grads[f"encoder.{len(config.hidden_dims)}.b"]
    assert np.concatenate([a["dmu"][0], a["dlogvar"][0]]) == pytest.approx(
        bias, abs=1e-13
    )
    assert a["dy"].ravel() == pytest.approx(
        grads[f"decoder.{len(config.hidden_dims)}.b"], abs=1e-13
    )
    assert a["loss"] == loss and a["kl"] == kl and a["log_px"] == log_px
    for name in ("mu", "logvar"):
        assert a[f"d{name} from z"] + a[f"d{name} from KL"] == pytest.approx(
            a[f"d{name}"]
        )
        assert (
            np.abs(a[f"d{name} from KL"]).max()
            > 1e-3
            < np.abs(a[f"d{name} from z"]).max()
        )


def test_each_array_is_drawn_with_its_own_values():
    arguments = inputs(CONFIGS["bernoulli"])
    a, svg = step_graph.step(*arguments), step_graph.step_graph_svg(*arguments, (3, 4))
    groups = {
        g.get("data-name"): g for g in reading.elements(svg, "g") if g.get("data-name")
    }
    sums = {
        f"d{name}{part}"
        for name in ("mu", "logvar")
        for part in ("", " from z", " from KL")
    }
    assert set(groups) == {"x", "eps", "mu", "logvar", "z", "mean", "dy", "dz", *sums}
    for name, group in groups.items():
        square = name in ("x", "mean", "dy")
        array = a[name].reshape((3, 4) if square else (1, -1))
        drawn = next(
            g for g in group.iter(reading.SVG + "g") if g.get("class") == "array"
        )
        assert shades(plain(drawn)) == shades(
            array_image(array, 0, 0, 1, signed=name not in ("x", "mean"))
        ), name


def test_shapes_loss_and_both_sums_are_marked():
    arguments = inputs(CONFIGS["bernoulli"])
    svg = step_graph.step_graph_svg(*arguments, (3, 4))
    words = reading.texts(svg)
    assert {
        "x (1, 12)",
        "mu (1, 3)",
        "logvar (1, 3)",
        "z (1, 1, 3)",
        "eps (1, 1, 3)",
        "y (1, 1, 12)",
    } <= set(words)
    assert {
        "encode",
        "reparameterize",
        "decode",
        "log_prob",
        "kl_divergence",
        "loss",
    } <= set(words)
    assert f"{negative_elbo(*arguments)[0]:.2f}" in words and "dkl = 1.5" in words
    assert len(reading.elements(svg, "circle", "paper sum")) == 2
    assert words.count("through z") == words.count("of the KL") == 2


def test_the_file_that_the_readme_shows_is_such_a_graph(sample):
    """Its digit is the one that is named; its numbers agree: loss = kl − log_px, to the
    digits shown.
    """
    svg = (ROOT / "data" / "pictures" / "step.svg").read_text("utf-8")
    digit = sample[1][figures.STEP_IMAGE] / np.float32(255)
    (x,) = [g for g in reading.elements(svg, "g") if g.get("data-name") == "x"]
    drawn = next(g for g in x if g.get("class") == "array")
    assert shades(plain(drawn)) == shades(array_image(digit, 0, 0, 1, signed=False))
    words = " ".join(reading.texts(svg)).replace("−", "-")
    kl, log_px = (
        float(re.search(rf"\b{name} (-?[\d.]+)", words)[1]) for name in ("kl", "log_px")
    )
    loss = float(re.search(r"loss ([\d.]+)", words)[1])
    assert loss == pytest.approx(kl - log_px, abs=0.06) and 60 < loss < 250


def test_nothing_leaves_the_frame():
    svg = step_graph.step_graph_svg(*inputs(CONFIGS["normal"]), (3, 4))
    for points in reading.curves(svg):
        assert (points >= 8).all() and (
            points <= [step_graph.WIDTH - 8, step_graph.HEIGHT - 8]
        ).all()
    for t in reading.elements(svg, "text"):
        width = 7.8 * len(t.text)
        left = float(t.get("x")) - {"middle": width / 2, "end": width}.get(
            t.get("text-anchor"), 0
        )
        assert left > 0 and left + width < step_graph.WIDTH, t.text


def test_more_than_one_image_is_refused():
    params, x, eps, config = inputs(CONFIGS["normal"])
    with pytest.raises(ValueError, match="one image"):
        step_graph.step(
            params, np.repeat(x, 2, axis=0), np.repeat(eps, 2, axis=1), config
        )
