"""Live figures: what is drawn without a script, and what the script shows in a browser."""

import html
import json
import math
import re
import shutil
import subprocess

import numpy as np
import pytest
from scipy import integrate, stats

from numpyvae.book.figures import touch
from numpyvae.book.live import controls, script
from numpyvae.book.page import figure_html
from numpyvae.mdp import four_state_chain, policy_iteration
from numpyvae.pictures.page import html_page
from tests.pictures import reading

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")


def test_the_terms_of_the_bound_are_integrals():
    mu, sigma, s = 0.4, 0.7, math.sqrt(touch.DECODER_VARIANCE)
    q = stats.norm(mu, sigma)

    def mean(f):
        return integrate.quad(lambda z: q.pdf(z) * f(z), mu - 9, mu + 9)[0]

    terms = touch.bound_terms(mu, sigma)
    reconstruction = mean(lambda z: -stats.norm.logpdf(touch.X, z, s))
    kl = mean(lambda z: q.logpdf(z) - stats.norm.logpdf(z))
    marginal = integrate.quad(
        lambda z: stats.norm.pdf(z) * stats.norm.pdf(touch.X, z, s), -9, 9
    )[0]
    assert terms["reconstruction"] == pytest.approx(reconstruction, rel=1e-7)
    assert terms["kl"] == pytest.approx(kl, rel=1e-7)
    assert touch.log_px() == pytest.approx(math.log(marginal), rel=1e-7)
    assert terms["gap"] == pytest.approx(math.log(marginal) + reconstruction + kl, 1e-6)


def test_the_gap_is_zero_at_the_posterior_that_the_caption_names():
    assert touch.bound_terms(1.0, 1 / math.sqrt(3))["gap"] == pytest.approx(
        0, abs=1e-12
    )


def test_the_figures_show_their_numbers_without_a_script():
    svg = touch.bound_svg()
    elbo = reading.read(svg)[0]
    terms = touch.bound_terms(touch.MUS, touch.SIGMA)
    expected = -(terms["reconstruction"] + terms["kl"])
    assert elbo[1] == pytest.approx(expected, abs=0.03)
    values = touch.sweeps(touch.GAMMA)
    for i, (xs, ys) in enumerate(reading.read(touch.sweeps_svg())):
        assert xs == pytest.approx(range(touch.SWEEPS + 1), abs=0.05)
        assert ys == pytest.approx(values[:, i], abs=0.03)


def test_controls_are_hidden_until_the_script_shows_them():
    made = controls(touch.bound_live())
    assert made.startswith('<div class="live"') and " hidden>" in made
    assert made.count("<input") == 2 and controls(None) == ""


def test_the_script_is_small_and_asks_for_nothing():
    lines = script().splitlines()
    assert len(lines) <= 150 and max(map(len, lines)) <= 100
    assert not re.search(r"fetch|XMLHttp|import |eval|https?:|localStorage", script())
    assert "</" not in script()


@pytest.fixture(scope="module")
def browse(tmp_path_factory):
    """Opens a page with the live figures, runs some JavaScript in it, and returns what
    it gives.
    """
    if BROWSER is None:
        pytest.skip("Chromium is not installed")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (64, 6, 5), dtype=np.uint8)
    plane = touch.plane(images)
    drawn = {
        "live-bound": (touch.bound_svg(), touch.bound_live()),
        "live-sweeps": (touch.sweeps_svg(), touch.sweeps_live()),
        "live-plane": (touch.plane_svg(plane), touch.plane_live(plane)),
    }
    body = '<nav class="contents"><ol></ol></nav>'
    for name, (svg, live) in drawn.items():
        body += figure_html(name, "t", "c", svg, controls(live))
    directory = tmp_path_factory.mktemp("browser")

    def run(code):
        asked = (
            "const move = (name, i, value) => { const s = document.querySelectorAll("
            "`#figure-${name} input`)[i]; s.value = value; "
            "s.dispatchEvent(new Event('input')); };"
            "const says = name => document.querySelector("
            "`#figure-${name} output.says`).value;"
            f"document.title = JSON.stringify((() => {{ {code} }})());"
        )
        page = html_page("t", "", body, script=script() + asked)
        (directory / "page.html").write_text(page, "utf-8")
        done = subprocess.run(
            [
                BROWSER,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                f"--user-data-dir={directory / 'profile'}",
                "--dump-dom",
                (directory / "page.html").as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        title = re.search("<title>(.*?)</title>", done.stdout)
        assert title, done.stderr[-500:]
        return json.loads(html.unescape(title[1]))

    return run


def test_a_browser_shows_what_the_packages_functions_give(browse):
    """One start of the browser for all three figures, since a start takes seconds."""
    found = browse(
        """
        const panels = [...document.querySelectorAll(".live")].map(p => p.hidden);
        move("live-bound", 0, 1.5); move("live-bound", 1, 0.5);
        const bound = says("live-bound");
        const curve = document.querySelector("#figure-live-bound polyline");
        const sweeps = {};
        for (const gamma of [0.364, 0.368, 0.9]) {
          move("live-sweeps", 0, gamma);
          sweeps[gamma] = [says("live-sweeps"), [...document.querySelectorAll(
            "#figure-live-sweeps polyline")].map(l => l.getAttribute("points"))];
        }
        const whole = document.querySelector(".whole");
        const box = whole.getBoundingClientRect();
        whole.dispatchEvent(new PointerEvent("pointermove", {
          clientX: box.left + box.width - 1, clientY: box.top + 1 }));
        return { panels, bound, points: curve.getAttribute("points"), sweeps,
          one: document.querySelector(".one").getAttribute("viewBox"),
          place: says("live-plane") };
        """
    )
    assert found["panels"] == [False, False, False]
    terms = touch.bound_terms(1.5, 0.5)
    assert found["bound"] == (
        f"reconstruction {terms['reconstruction']:.3f}, KL {terms['kl']:.3f}, "
        f"gap {terms['gap']:.3f}"
    )
    moved = touch.bound_terms(touch.MUS, 0.5)
    _, y = pixels(found["points"])
    to_y = reading.reader(touch.bound_svg(), "y")
    elbo = -(moved["reconstruction"] + moved["kl"])
    assert to_y(y) == pytest.approx(elbo, abs=0.03)

    svg = touch.sweeps_svg()
    to_y = reading.reader(svg, "y")
    for gamma, (said, lines) in found["sweeps"].items():
        values = touch.sweeps(float(gamma))
        for i, line in enumerate(lines):
            assert to_y(pixels(line)[1]) == pytest.approx(values[:, i], abs=0.03)
        policy = policy_iteration(four_state_chain(float(gamma))).policy
        arrows = " ".join("←→"[action] for action in policy)
        side = "below" if float(gamma) < 0.366 else "above"
        assert said == f"greedy policy {arrows}, {side} γ* = 0.3660"

    # The pointer is in the upper right corner: z₁ and z₂ are the largest quantile.
    z = stats.norm.ppf(1 - 0.5 / touch.PLANE_SIDE)
    assert found["place"] == f"z = ({z:.3f}, {z:.3f})"
    assert found["one"] == f"{(touch.PLANE_SIDE - 1) * 5} 0 5 6"


def pixels(points):
    """The x and y of a polyline's points"""
    pairs = [point.split(",") for point in points.split()]
    return np.array(pairs, float).T
