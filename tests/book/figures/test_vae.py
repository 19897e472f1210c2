"""Figures of book one: what they show, read back from their coordinates, against closed
forms and theory.
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from numpyvae.book.figures import all as figures
from numpyvae.book.figures import collapse as figures_collapse
from numpyvae.book.figures import estimators as figures_estimators
from numpyvae.book.figures import vae as figures_vae
from numpyvae.vae import gradient_estimators as estimators
from tests.pictures import reading
from tests.pictures.reading import read


def slope(x, y):
    return np.polyfit(x, y, 1)[0]


def test_the_errors_of_central_differences_form_a_v():
    (_, _), (h, error) = read(figures_vae.gradient_errors_svg(), log_x=True, log_y=True)
    left, right = (h > -11) & (h < -6.5), (h > -3) & (h < -0.9)
    assert slope(h[left], error[left]) == pytest.approx(
        -1, abs=0.1
    )  # rounding, u/h: random, hence 0.1
    assert slope(h[right], error[right]) == pytest.approx(2, abs=0.05)  # truncation, h²
    assert -6 < h[error.argmin()] < -4 and error.min() > -12


def test_the_error_of_the_complex_step_is_flat_at_rounding():
    (h, error), _ = read(figures_vae.gradient_errors_svg(), log_x=True, log_y=True)
    assert (
        h.min() == pytest.approx(-20, abs=0.1)
        and (error[h < -8] < -14).all()
        and (h < -8).sum() > 40
    )
    right = (h > -5) & (h < -0.9)
    assert slope(h[right], error[right]) == pytest.approx(2, abs=0.05)


def test_expm1_is_the_parabola_and_exp_is_not():
    (x, as_written), (d, stable) = read(figures_vae.kl_cancellation_svg())
    exact = [
        float(sum(Fraction(v) ** k / math.factorial(k) for k in range(2, 6)) / 2) * 1e7
        for v in d / 1000
    ]
    assert stable == pytest.approx(
        exact, abs=0.012
    )  # two hundredths of a pixel, and d's own rounding
    assert (
        as_written.min() < -0.2 and abs(as_written - np.interp(x, d, exact)).max() > 0.4
    )


def test_adams_first_steps_follow_the_closed_form():
    (t, without), (_, with_correction) = read(figures_vae.adam_steps_svg(), log_x=True)
    t = 10**t
    assert with_correction == pytest.approx(np.ones(len(t)), abs=0.002 * 7)
    assert without == pytest.approx((1 - 0.9**t) / np.sqrt(1 - 0.999**t), abs=0.05)
    assert (
        without[0] == pytest.approx(0.1 / math.sqrt(0.001), abs=0.05)
        and 6 < without.max() < 7
    )


def test_the_k_sample_bound_increases_to_log_p_and_stays_below():
    (_, exact), (K, bounds) = read(figures_vae.importance_bound_svg(), log_x=True)
    assert pytest.approx(2.0 ** np.arange(11), rel=0.01) == 10**K
    assert (
        (np.diff(bounds) > -1e-9).all()
        and (bounds < exact[0] + 1e-9).all()
        and exact[0] - bounds[0] > 0.5
    )
    _, values, log_px = figures_vae.importance_bounds()
    assert (
        (np.diff(values) > 0).all()
        and max(values) < log_px
        and log_px - values[-1] < 0.01
    )


def test_the_exact_log_p_of_the_linear_model_is_scipys():
    config, params, x = figures_vae.linear_model()
    W, s2 = params["decoder.0.W"], math.exp(config.logvar_x)
    normal = stats.multivariate_normal(params["decoder.0.b"], W.T @ W + s2 * np.eye(6))
    assert figures_vae.log_marginal_of_linear(config, params, x) == pytest.approx(
        normal.logpdf(x), abs=1e-12
    )


@pytest.fixture(scope="module")
def clouds():
    return figures_estimators.estimates()


def test_all_estimators_but_the_naive_one_are_unbiased(clouds):
    found, true = clouds
    assert np.linalg.norm(true) > 1
    for name, values in found.items():
        deviation = abs(values.mean(axis=0) - true) / (
            values.std(axis=0, ddof=1) / math.sqrt(len(values))
        )
        assert (
            (deviation.max() > 20)
            if name == estimators.NAIVE
            else (deviation.max() < 4)
        ), name
    naive = found[estimators.NAIVE]
    assert (
        abs(naive.mean(axis=0) / naive.std(axis=0) * math.sqrt(len(naive))).max() < 4
    )  # its mean is 0


def test_the_true_gradient_is_that_of_the_closed_form(clouds):
    """By central differences of E_q[−log p(x|z)] = ½ (‖x − mu W − b‖² + Σ_l σ_l²
    ‖W_l‖²)/s² + c, and the KL's ½ mu²
    """
    config, params, x = figures_vae.linear_model()
    W, s2 = params["decoder.0.W"], math.exp(config.logvar_x)
    y = x @ params["encoder.0.W"] + params["encoder.0.b"]
    mu = y[0, :2]

    def loss(mu):
        return (
            0.5 * ((x - mu @ W - params["decoder.0.b"]) ** 2).sum() / s2
            + 0.5 * (mu**2).sum()
        )

    h = 1e-5
    numerical = [(loss(mu + h * e) - loss(mu - h * e)) / (2 * h) for e in np.eye(2)]
    assert clouds[1] == pytest.approx(numerical, abs=1e-6)


def test_the_rings_stand_at_the_means_and_the_dots_are_the_estimates(clouds):
    found, true = clouds
    svg = figures_estimators.estimator_clouds_svg()
    rings = reading.elements(svg, "circle", "mean")
    crosses = reading.elements(svg, "line", "axis true")
    dots = [dot for dot in reading.elements(svg, "circle") if dot.get("r") == "1.6"]
    dots = np.array([[float(dot.get("cx")), float(dot.get("cy"))] for dot in dots])
    assert len(rings) == len(found) and len(crosses) == 2 * len(found)
    for i, values in enumerate(found.values()):
        shown = dots[i * figures_estimators.SHOWN :][: figures_estimators.SHOWN]
        scale = [slope(values[: len(shown), k], shown[:, k]) for k in (0, 1)]
        offset = shown[0] - values[0] * scale
        assert scale[1] < 0 < scale[0] and shown == pytest.approx(
            values[: len(shown)] * scale + offset, abs=0.05
        )
        ring = [float(rings[i].get(k)) for k in ("cx", "cy")]
        assert ring == pytest.approx(values.mean(axis=0) * scale + offset, abs=0.05)
        vertical, horizontal = crosses[2 * i : 2 * i + 2]
        cross = float(vertical.get("x1")), float(horizontal.get("y1"))
        assert cross == pytest.approx(true * scale + offset, abs=0.05)


def test_the_variance_falls_as_one_over_j():
    svg = figures_estimators.estimator_variance_svg()
    lines = dict(
        zip(reading.legend(svg), read(svg, log_x=True, log_y=True), strict=True)
    )
    for name, (J, variance) in lines.items():
        assert slope(J, variance) == pytest.approx(-1, abs=0.15), (
            name
        )  # 32 groups at J = 64: an error of 25%
    assert (
        lines[estimators.SCORE][1][0] - lines[estimators.PATHWISE][1][0] > 1
    )  # more than ten times


@pytest.fixture(scope="module")
def collapse(sample):
    return figures_collapse.train_linear_model(sample[0])


def test_a_unit_collapses_where_its_axis_has_less_variance_than_the_decoder(
    sample, collapse
):
    x = sample[0].reshape(len(sample[0]), -1) / 255
    variances = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1][
        : figures_collapse.UNITS
    ]
    theory = np.maximum(0.5 * np.log(variances / figures_collapse.DECODER_VARIANCE), 0)
    kl = np.sort(collapse.kl[-1])[::-1]
    assert ((kl > figures_collapse.ACTIVE_KL) == (theory > 0)).all() and (
        theory > 0
    ).sum() == 6
    assert kl == pytest.approx(
        theory, abs=0.08
    )  # minibatches of 100 keep the parameters from settling


def test_the_collapse_plot_shows_each_units_kl(collapse):
    svg = figures_collapse.collapse_svg(collapse)
    assert list(reading.legend(svg)) == [
        "6 active units",
        "4 collapsed, below 0.02",
    ]
    order = np.argsort(-collapse.kl[-1])
    *units, (_, border) = read(svg, log_y=True)
    assert 10**border == pytest.approx([0.02, 0.02], rel=0.01)
    for unit, (epoch, kl) in zip(order, units, strict=True):
        assert epoch == pytest.approx(
            np.arange(1, figures_collapse.EPOCHS + 1), abs=0.02
        )
        assert 10**kl == pytest.approx(np.maximum(collapse.kl[:, unit], 1e-5), rel=0.01)


def test_traversing_a_collapsed_unit_changes_nothing(collapse):
    image = figures_collapse.traversal_image(collapse, (28, 28)).astype(float)
    rows = [image[2 + 30 * i : 30 + 30 * i] for i in range(figures_collapse.UNITS)]
    changes = [
        abs(row[:, 2:30] - row[:, 212:240]).max() for row in rows
    ]  # first and last of 8
    assert min(changes[:5]) > 50 > max(changes[6:]) and image.shape == (302, 242)


def test_the_numbers_in_captions_are_those_of_the_figures():
    captions = {name: words for name, _, _, words, _ in figures._WITHOUT_IMAGES}
    without, _ = read(figures_vae.adam_steps_svg(), log_x=True)
    assert max(without[1]) == pytest.approx(6.6, abs=0.05)
    assert "6.6 times" in captions["adam"]
    complex_step, central = read(figures_vae.gradient_errors_svg(), True, True)
    small = complex_step[0] < -8  # below h = 10⁻⁸ rounding alone is left
    assert (complex_step[1][small] < -14).all()
    assert min(central[1]) > -12 and "h = 10⁻⁸" in captions["gradcheck"]
