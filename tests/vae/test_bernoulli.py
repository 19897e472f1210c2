"""bernoulli: against exact arithmetic, over all logits."""

import math
from decimal import Context, Decimal, localcontext

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from numpyvae.vae.bernoulli import log_prob, log_prob_backward, sigmoid, softplus
from numpyvae.vae.gradcheck import complex_step_gradient

PIXELS = st.floats(0, 1)
LOGITS = st.one_of(st.floats(-40, 40), st.floats(-1e308, 1e308))
FIFTY_DIGITS = Context(prec=50)


def four_ulp(x, dtype):
    """What NumPy promises of its exp and log (measured here: 1.5 in double precision,
    2.9 in single)
    """
    eps, smallest = (
        Decimal(float(value))
        for value in (np.finfo(dtype).eps, np.finfo(dtype).smallest_subnormal)
    )
    return 4 * (eps * abs(Decimal(float(x))) + smallest)


def log1p(e):
    return (1 + e).ln() if e > Decimal("1e-12") else e - e**2 / 2 + e**3 / 3 - e**4 / 4


def exact_softplus(l):
    l = Decimal(float(l))
    return max(l, Decimal(0)) + log1p((-abs(l)).exp())


def exact_sigmoid(l):
    l = Decimal(float(l))
    return 1 / (1 + (-l).exp()) if l > -1000 else Decimal(0)  # e^−1000 is no float


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(l=LOGITS)
@example(l=0.0)
@example(l=-0.6931471805599453)  # e = ½
@example(l=-36.7)  # e is just above ε/2
@example(l=-800.0)  # e underflows
@example(l=1e308)
@example(l=-1e308)
def test_minus_log_prob_of_0_is_softplus_to_4_ulp(l, dtype):
    l = dtype(np.clip(l, -np.finfo(dtype).max, np.finfo(dtype).max))
    result = -log_prob(np.zeros(1, dtype), np.array([l]))
    assert result.dtype == dtype
    with localcontext(FIFTY_DIGITS):
        assert abs(Decimal(float(result)) - exact_softplus(l)) <= four_ulp(
            result, dtype
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(l=LOGITS)
@example(l=-709.0)
@example(l=-1e308)
@example(l=1e308)
def test_sigmoid_is_accurate_to_4_ulp_until_the_exponential_overflows(l, dtype):
    l = dtype(np.clip(l, -np.finfo(dtype).max, np.finfo(dtype).max))
    result = sigmoid(np.array([l]))[0]
    assert result.dtype == dtype and 0 <= result <= 1
    with localcontext(FIFTY_DIGITS):
        error = abs(Decimal(float(result)) - exact_sigmoid(l))
        assert (
            error <= four_ulp(result, dtype)
            if -l < math.log(np.finfo(dtype).max)
            else error < np.finfo(dtype).tiny
        )


@given(x=PIXELS, l=LOGITS)
@example(x=1.0, l=1e308)
@example(x=0.0, l=-1e308)
@example(x=0.5, l=1e308)
@example(x=1.0, l=-1e308)
def test_log_prob_is_accurate_to_4_ulp_of_its_terms(x, l):
    """x l − softplus(l): where the two cancel, the result is as good as they are."""
    result = log_prob(np.array([x]), np.array([l]))
    with localcontext(FIFTY_DIGITS):
        terms = Decimal(x) * Decimal(l), exact_softplus(l)
        assert abs(Decimal(float(result)) - (terms[0] - terms[1])) <= four_ulp(
            max(map(abs, terms)), np.float64
        )
    assert np.isfinite(result) and np.isfinite(
        log_prob_backward(np.array(1.0), np.array([x]), np.array([l]))
    )


@given(l=LOGITS)
def test_softplus_is_right_to_4_ulp_for_all_logits(l):
    with localcontext(FIFTY_DIGITS):
        result = softplus(np.array(l))
        assert abs(Decimal(float(result)) - exact_softplus(l)) <= four_ulp(
            result, np.float64
        )


def test_pixels_of_0_and_1_may_be_booleans():
    rng = np.random.default_rng(0)
    x, logits = rng.random((3, 30)) < 0.5, rng.standard_normal((2, 3, 30))
    plain, dy = x.astype(float), rng.standard_normal((2, 3))
    assert np.array_equal(log_prob(x, logits), log_prob(plain, logits))
    assert np.array_equal(
        log_prob_backward(dy, x, logits), log_prob_backward(dy, plain, logits)
    )


@pytest.mark.parametrize(
    "x",
    [
        np.array([255, 0], np.uint8),
        np.array([1, 0]),
        np.array([1 + 0j, 0]),
        np.ma.masked_array([1.0, 0.0], [False, True]),
    ],
    ids=["bytes", "integers", "complex", "masked"],
)
def test_pixels_that_would_count_for_something_else_are_refused(x):
    with pytest.raises(ValueError, match=r"^x (must be|is a masked)"):
        log_prob(x, np.zeros(2))


def test_unsigned_logits_are_refused_and_signed_integers_are_numbers():
    """−2 is 254 as a byte: sigmoid would be 0 where 0.88 is right."""
    with pytest.raises(ValueError, match="logits must be floats, not uint8"):
        sigmoid(np.array([2], np.uint8))
    assert sigmoid(np.array([2])) == pytest.approx(1 / (1 + math.exp(-2)), rel=1e-15)


@given(x=PIXELS, l=st.floats(-30, 30))
def test_log_prob_weights_the_two_log_probabilities_by_the_pixel(x, l):
    p = 1 / (1 + math.exp(-l))
    expected = x * math.log(p) + (1 - x) * math.log1p(-p)
    # 1 − p has lost digits to p near 1: an error of ε/2 in p is one of e^l ε/2 in log(1
    # − p)
    assert abs(log_prob(np.array([x]), np.array([l])) - expected) <= 1e-15 * (
        40 + math.exp(l)
    )


@pytest.mark.parametrize(
    "x, l, expected",
    [
        (1.0, 1e308, 0.0),  # a certain decoder that is right
        (0.0, -1e308, 0.0),
        (1.0, -1e308, -1e308),  # and one that is wrong
        (0.0, 1e308, -1e308),
        (0.5, 1e308, -5e307),  # half a pixel can be neither
        (0.5, -1e308, -5e307),
        (1.0, 0.0, -math.log(2)),
        (0.0, 0.0, -math.log(2)),
    ],
)
def test_limits_are_exact(x, l, expected):
    assert log_prob(np.array([x]), np.array([l])) == expected


@given(st.floats(-700, 700))
def test_the_probabilities_of_0_and_1_sum_to_1(l):
    p = np.exp(log_prob(np.array([[1.0], [0.0]]), np.array([[l], [l]])))
    assert abs(p.sum() - 1) <= 1e-15 * (1 + abs(l))


@given(x=PIXELS, l=st.floats(-30, 30), dy=st.floats(0.1, 10))
@example(x=0.3, l=0.0, dy=1.0)  # where max(l, 0) and |l| have kinks, which cancel
def test_gradient_is_the_complex_step(x, l, dy):
    x = np.array([x])
    numeric = complex_step_gradient(
        lambda i: (dy * log_prob(x, i["l"])).sum(), {"l": np.array([l])}, "l"
    )
    by_hand = log_prob_backward(np.array(dy), x, np.array([l]))
    assert abs(by_hand - numeric) <= 4 * np.finfo(float).eps * dy


@pytest.mark.parametrize("x", [0.0, 0.25, 1.0])
def test_likelihood_is_largest_where_the_probability_is_the_pixel(x):
    l = np.array([math.log(x / (1 - x)) if 0 < x < 1 else math.copysign(800, x - 0.5)])
    assert abs(log_prob_backward(np.array(1.0), np.array([x]), l)) < 1e-15


def test_pixels_are_summed_and_images_and_samples_are_not():
    rng = np.random.default_rng(1)
    x, l = rng.random((5, 7)), rng.standard_normal((4, 5, 7))
    log_px = log_prob(x, l)
    assert log_px.shape == (4, 5)
    one = sum(log_prob(x[2, d : d + 1], l[3, 2, d : d + 1]) for d in range(7))
    assert log_px[3, 2] == pytest.approx(one, rel=1e-14)
    assert log_prob_backward(np.ones((4, 5)), x, l).shape == l.shape


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_backward_keeps_dtype_is_reproducible_and_modifies_nothing(dtype):
    rng = np.random.default_rng(2)
    arguments = (
        rng.standard_normal((4, 5)),
        rng.random((5, 7)),
        9 * rng.standard_normal((4, 5, 7)),
    )
    dy, x, l = arguments = [array.astype(dtype) for array in arguments]
    before = [array.copy() for array in arguments]
    y, dl = log_prob(x, l), log_prob_backward(dy, x, l)
    assert all(np.array_equal(a, b) for a, b in zip(before, arguments, strict=True))
    assert y.dtype == dl.dtype == dtype
    assert np.array_equal(y, log_prob(x, l)) and np.array_equal(
        dl, log_prob_backward(dy, x, l)
    )
    assert not log_prob_backward(np.zeros_like(dy), x, l).any()


@pytest.mark.parametrize("x", [0.1, 0.5, 0.75])
def test_a_gray_pixel_costs_its_entropy_however_well_it_is_known(x):
    """And as much as pixels that are 1 with probability x cost on average."""
    p = np.linspace(0.001, 0.999, 999)  # has x
    logits = np.log(p / (1 - p))[:, None]
    loss, of_1, of_0 = (-log_prob(np.array([b]), logits) for b in (x, 1.0, 0.0))
    entropy = -x * math.log(x) - (1 - x) * math.log(1 - x)
    assert p[loss.argmin()] == pytest.approx(x, abs=1e-9)
    assert loss.min() == pytest.approx(entropy, abs=1e-12)
    np.testing.assert_allclose(loss, x * of_1 + (1 - x) * of_0, rtol=1e-12)
