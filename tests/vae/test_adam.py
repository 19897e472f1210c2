"""Adam: Algorithm 1 to the last digits, and what its authors promised of it."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpyvae.vae.adam import Adam, adam_update

STEPS = 1000
SCALES = np.array(
    [1e-8, 1e-3, 1.0, 1e4]
)  # of the gradient: at ε's own size, and far above it


def gradients(steps=STEPS):
    """A given sequence, (steps, 4): a trend, a wave and noise, at the four scales"""
    t = np.arange(1, steps + 1)[:, None]
    noise = np.random.default_rng(1).standard_normal((steps, 4))
    return (0.3 + np.sin(t / 7) + noise) * SCALES


def algorithm_1(theta, gs, lrs, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Kingma & Ba 2015, Algorithm 1, line by line with 50 digits: the theta of every
    step
    """
    with localcontext() as context:
        context.prec = 50
        beta1, beta2, epsilon = Decimal(beta1), Decimal(beta2), Decimal(epsilon)
        theta = [Decimal(value) for value in theta.tolist()]
        m, v, path = [Decimal(0)] * len(theta), [Decimal(0)] * len(theta), []
        for t, (g, lr) in enumerate(zip(gs.tolist(), lrs, strict=True), start=1):
            for i, g_i in enumerate(map(Decimal, g)):
                m[i] = beta1 * m[i] + (1 - beta1) * g_i
                v[i] = beta2 * v[i] + (1 - beta2) * g_i * g_i
                m_hat, v_hat = m[i] / (1 - beta1**t), v[i] / (1 - beta2**t)
                theta[i] -= Decimal(lr) * m_hat / (v_hat.sqrt() + epsilon)
            path.append([float(value) for value in theta])
        return np.array(path)


def path(theta, gs, lrs, **settings):
    """The theta of every step, by the class"""
    theta = theta.copy()
    adam, steps = Adam(theta, **settings), []
    for g, lr in zip(gs, lrs, strict=True):
        adam.lr = lr
        adam.step(theta, g)
        steps.append(theta.copy())
    return np.array(steps)


THETA = np.array([1.0, -1.0, 0.5, 2.0])


def test_1000_steps_agree_with_50_digits_to_1e_12():
    """The largest difference at any step, with |theta| about 1; in double precision it
    is 2e-15.
    """
    gs, lrs = gradients(), [1e-3] * STEPS
    expected = algorithm_1(THETA, gs, lrs)
    assert np.abs(path(THETA, gs, lrs) - expected).max() <= 1e-12
    assert np.abs(expected[-1] - THETA).min() > 1e-2  # and theta has gone somewhere


@pytest.mark.parametrize(
    "settings",
    [{"beta1": 0.5, "beta2": 0.9}, {"beta1": 0.0}, {"epsilon": 1e-4}],
    ids=str,
)
def test_other_settings_agree_with_50_digits(settings):
    gs, lrs = gradients(100), [1e-2] * 100
    assert (
        np.abs(
            path(THETA, gs, lrs, **settings) - algorithm_1(THETA, gs, lrs, **settings)
        ).max()
        <= 1e-12
    )


def test_the_learning_rate_may_change_between_steps():
    gs, lrs = gradients(100), [1e-2 * 0.97**t for t in range(100)]
    assert np.abs(path(THETA, gs, lrs) - algorithm_1(THETA, gs, lrs)).max() <= 1e-12


def test_epsilon_stands_outside_the_corrected_root():
    """lr c m/(√v + ε), ε left unscaled where the corrections c are folded into the
    rate, is another algorithm.
    """
    gs, theta, m, v = gradients(), THETA.copy(), 0, 0
    for t, g in enumerate(gs, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        theta -= 1e-3 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-8)
    difference = np.abs(theta - path(THETA, gs, [1e-3] * STEPS)[-1])
    assert difference[0] > 1e-3  # where the gradient is as small as ε
    assert (
        difference[2] > 1e-9
    )  # and the reference sees it, three orders above its tolerance, where it is not


def test_the_folded_step_agrees_with_algorithm_1_as_printed():
    """In float64: each step differs by a few roundings of an update of lr = 1e-3."""
    theta, m, v = THETA, np.zeros(4), np.zeros(4)
    for t, (g, folded) in enumerate(
        zip(gradients(), path(THETA, gradients(), [1e-3] * STEPS), strict=True), start=1
    ):
        theta, m, v = adam_update(theta, g, m, v, t)
        assert np.abs(theta - folded).max() <= 1e-12


def test_a_shard_is_updated_and_nothing_else_is():
    g, whole, theta = gradients(1)[0], THETA.copy(), THETA.copy()
    Adam(whole).step(whole, g)
    adam = Adam(theta)
    adam.step(theta, g, slice(1, 3))
    assert np.array_equal(theta, [THETA[0], *whole[1:3], THETA[3]])
    assert not adam.m[[0, 3]].any() and not adam.v[[0, 3]].any()


def test_without_settings_adam_has_those_of_the_paper():
    """Section 2 of Kingma & Ba: good default settings are α = 0.001, β₁ = 0.9, β₂ =
    0.999 and ε = 10⁻⁸.
    """
    adam = Adam(THETA)
    assert (adam.lr, adam.beta1, adam.beta2, adam.epsilon) == (0.001, 0.9, 0.999, 1e-8)


# What the corrections are for


@given(st.floats(-12, 100), st.sampled_from([-1, 1]))
def test_the_first_step_is_lr_long_whatever_the_gradients_scale(exponent, sign):
    """m̂ = g and v̂ = g², so the step is lr g/(|g| + ε): lr for every |g| far above ε."""
    g = sign * 10.0**exponent
    step = path(np.zeros(1), np.array([[g]]), [1e-3])[0, 0]
    assert step == pytest.approx(-1e-3 * g / (abs(g) + 1e-8), rel=1e-12)
    if exponent > 0:
        assert step == pytest.approx(-sign * 1e-3, rel=1.1e-8)  # ε/|g| below 1e-8


def test_under_a_constant_gradient_every_step_is_as_long_as_the_first():
    """m̂ = g and v̂ = g² at every t, if the corrections have the power of t; without
    it, only at t = 1.
    """
    g = np.array([-3.0, 1e-8, 2e5])
    steps = -np.diff(
        path(np.zeros(3), np.tile(g, (50, 1)), [1e-3] * 50), axis=0, prepend=0
    )
    assert steps == pytest.approx(
        np.tile(1e-3 * g / (np.abs(g) + 1e-8), (50, 1)), rel=1e-11
    )


def test_the_update_does_not_depend_on_the_scale_of_the_loss():
    gs, lrs = gradients(200)[:, 2:], [1e-3] * 200
    assert path(THETA[2:], 1e3 * gs, lrs, epsilon=1e-5) == pytest.approx(
        path(THETA[2:], gs, lrs), abs=1e-12
    )


# What it leaves alone


def test_theta_is_changed_in_place_and_the_gradient_is_not():
    theta, g = THETA.copy(), gradients(1)[0]
    adam, view, kept = Adam(theta), theta[:2], g.copy()
    assert adam.step(theta, g) is None
    assert np.array_equal(g, kept)
    assert np.all(theta != THETA) and np.all(view != THETA[:2])


def test_the_constructor_neither_changes_nor_keeps_theta():
    theta = THETA.copy()
    adam = Adam(theta)
    assert np.array_equal(theta, THETA)
    assert adam.t == 0 and not adam.m.any() and not adam.v.any()
    assert not any(np.shares_memory(theta, array) for array in (adam.m, adam.v))


def test_a_zero_gradient_changes_nothing():
    assert np.array_equal(path(THETA, np.zeros((3, 4)), [1.0] * 3), [THETA] * 3)


def test_float32_stays_float32():
    """And near the exact path: 100 steps, each rounding a number near 1, are 5e-7 off,
    so at most 1e-6.
    """
    gs, lrs = gradients(100), [1e-3] * 100
    theta = THETA.astype(np.float32)
    adam = Adam(theta)
    steps = path(theta, gs.astype(np.float32), lrs)
    adam.step(theta, gs[0].astype(np.float32))
    assert {array.dtype for array in (steps, theta, adam.m, adam.v)} == {
        np.dtype(np.float32)
    }
    assert steps[-1] == pytest.approx(algorithm_1(THETA, gs, lrs)[-1], abs=1e-6)


def test_moments_without_a_gradient_end_at_zero_and_not_at_subnormal_numbers():
    theta, tiny = np.ones(1000, np.float32), np.finfo(np.float32).tiny
    adam, rng = Adam(theta, beta2=0.9), np.random.default_rng(1)
    for t in range(1, 3001):
        adam.step(
            theta,
            rng.standard_normal(1000, dtype=np.float32)
            if t < 20
            else np.zeros(1000, np.float32),
        )
        moments = np.abs([adam.m, adam.v])
        assert ((moments == 0) | (moments >= tiny)).all()
    assert not moments.any()


def test_gradients_as_small_as_1e_15_still_move_theta():
    """In float32, against Algorithm 1 in float64: 500 updates of 1e-10, whose sum is
    rounded 500 times.
    """
    theta, g = np.zeros(3, np.float32), np.array([1e-15, -1e-15, 2e-15], np.float32)
    adam, expected, m, v = Adam(theta), np.zeros(3), 0, 0
    for t in range(1, 501):
        adam.step(theta, g)
        expected, m, v = adam_update(expected, g.astype(np.float64), m, v, t)
    assert theta == pytest.approx(expected, rel=500 * 2**-24)


def test_with_the_smallest_epsilon_no_cut_of_small_numbers_is_seen():
    """100 gradients of 1e-18, v then about 1e-34, are cut in step 100; then none."""
    theta, expected, m, v = np.zeros(1, np.float32), np.zeros(1), 0, 0
    adam = Adam(theta, epsilon=1e-12)
    for t in range(1, 151):
        g = np.full(1, 1e-18 if t <= 100 else 0, np.float32)
        adam.step(theta, g)
        expected, m, v = adam_update(expected, g.astype(float), m, v, t, epsilon=1e-12)
    # √v̂ = 1e-18 beside epsilon, 1e-6 of it; and 150 roundings of float32
    assert theta == pytest.approx(expected, rel=1e-6 + 150 * 2**-24)
    assert adam.v[0] == 0 and abs(theta[0]) > 1e-8


# Where epsilon stands


def test_an_epsilon_inside_the_root_acts_as_its_root_outside():
    """At t = 1, g = 1e-4: |g|/√(g² + 1e-8) is 1/√2, |g|/(|g| + 1e-8) nearly 1."""
    g = 1e-4
    inside = g / math.sqrt(g**2 + 1e-8)
    step = -path(np.zeros(1), np.array([[g]]), [1.0])[0, 0]
    assert inside == pytest.approx(1 / math.sqrt(2)) and step > 0.9999


# What would be a silent number


@pytest.mark.parametrize(
    "name, value",
    [
        ("lr", -1.0),
        ("lr", math.nan),
        ("lr", math.inf),
        ("beta1", 1.0),
        ("beta1", -0.1),
        ("beta2", 2.0),
        ("beta2", math.nan),
        ("epsilon", -1.0),
        ("epsilon", 0.0),
        ("epsilon", 1e-13),
        ("epsilon", 1e-46),
        ("epsilon", math.nan),
        ("epsilon", math.inf),
    ],
)
def test_settings_that_make_no_step_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=rf"^{name} must be"):
        Adam(THETA, **{name: value})


@pytest.mark.parametrize("theta", [np.zeros(2, int), np.zeros(2, complex)])
def test_a_theta_that_is_no_floats_is_refused(theta):
    with pytest.raises(ValueError, match=r"^theta must be floats"):
        Adam(theta)


@pytest.mark.parametrize(
    "name, wrong",
    [
        ("g", np.ones(1)),  # would broadcast
        ("g", np.ones((4, 1))),
        ("g", np.ones(4, complex)),
        ("g", np.ones(4, int)),
        ("g", np.ma.masked_array(np.ones(4), True)),
        ("theta", np.ones(5)),
        ("theta", np.ones(4, int)),
        ("lr", -1.0),
        ("lr", math.nan),
    ],
)
def test_a_step_that_is_refused_changes_nothing_and_is_not_counted(name, wrong):
    theta, g = THETA.copy(), gradients(1)[0]
    adam = Adam(theta)
    adam.step(theta, g)
    before = theta.copy(), adam.m.copy(), adam.v.copy()
    if name == "lr":
        adam.lr = wrong
    arguments = {"theta": theta, "g": g}
    if name in arguments:
        arguments[name] = wrong
    with pytest.raises(ValueError, match=rf"^{name} must"):
        adam.step(**arguments)
    assert adam.t == 1
    for array, kept in zip((theta, adam.m, adam.v), before, strict=True):
        assert np.array_equal(array, kept)


def test_an_adam_for_each_shard_is_the_same_as_one_for_all():
    gs, whole, theta = gradients(50), THETA.copy(), THETA.copy()
    one = Adam(whole)
    shards = [(slice(0, 1), Adam(theta)), (slice(1, 4), Adam(theta))]
    for g in gs:
        one.step(whole, g)
        for shard, adam in shards:
            adam.step(theta, g, shard)
    assert np.array_equal(theta, whole)
    assert [adam.t for _, adam in shards] == [50, 50]
