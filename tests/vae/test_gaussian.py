"""gaussian: against quadrature, exact arithmetic, SciPy, and samples."""

import math
from decimal import Context, Decimal, localcontext

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import integrate, stats

from numpyvae.vae.gaussian import (
    cross_entropy,
    entropy,
    kl_divergence,
    kl_divergence_backward,
    log_density,
    log_density_backward,
    reparameterize,
    reparameterize_backward,
)
from numpyvae.vae.gradcheck import complex_step_gradient

EPS = np.finfo(float).eps
MEANS, LOGVARS = st.floats(-10, 10), st.floats(-8, 8)
FAR = st.floats(-1e6, 1e6)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
APART = st.floats(-8e307, 8e307)  # the difference of any two is a number


def expectation(f, mu, logvar):
    """E[f(z)], z ~ N(mu, exp(logvar)), by adaptive quadrature over ±40σ: what lies
    outside is below 1e-300
    """
    sigma = math.exp(logvar / 2)

    def integrand(t):
        return math.exp(-t * t / 2) / math.sqrt(2 * math.pi) * f(mu + sigma * t)

    return integrate.quad(
        integrand, -40, 40, points=[-8, 0, 8], epsabs=1e-12, epsrel=1e-12, limit=200
    )[0]


def close(a, b, scale=1.0):
    """Two ways to the same number agree to the 12 digits that quadrature is asked for,
    of the largest term
    """
    return abs(a - b) <= 1e-11 * max(scale, abs(a), abs(b))


# The integrals that the page rests on.


def double_factorial(n):
    return math.prod(range(n, 0, -2))


@pytest.mark.parametrize("a", [0.5, 1.0, 3.7])
@pytest.mark.parametrize("n", range(11))
def test_moments_follow_the_double_factorial_formula(n, a):
    moment, _ = integrate.quad(
        lambda x: x**n * math.exp(-a * x * x), -np.inf, np.inf, epsabs=1e-13
    )
    formula = (
        double_factorial(n - 1) / (2 * a) ** (n / 2) * math.sqrt(math.pi / a)
        if n % 2 == 0
        else 0
    )
    assert abs(moment - formula) <= 1e-10 * max(1, formula)


# log_density


@given(x=MEANS, mu=MEANS, logvar=LOGVARS)
def test_log_density_is_scipys(x, mu, logvar):
    expected = stats.norm.logpdf(x, mu, math.exp(logvar / 2))
    assert abs(log_density(x, mu, logvar) - expected) <= 20 * EPS * max(
        10, abs(expected)
    )


@pytest.mark.parametrize("mu, logvar", [(0.0, 0.0), (1.5, -3.0), (-2.0, 2.0)])
def test_density_integrates_to_one_with_variance_exp_logvar(mu, logvar):
    sigma = math.exp(logvar / 2)
    for power, expected in (0, 1.0), (2, math.exp(logvar)):
        integral, _ = integrate.quad(
            lambda x, n=power: (x - mu) ** n * math.exp(log_density(x, mu, logvar)),
            mu - 40 * sigma,
            mu + 40 * sigma,
            points=[mu],
            epsabs=0,
        )
        assert close(integral, expected, expected)


# entropy and cross-entropy


@given(mu=MEANS, logvar=LOGVARS)
def test_entropy_is_minus_the_mean_log_density(mu, logvar):
    assert close(
        entropy(logvar),
        expectation(lambda z: -log_density(z, mu, logvar), mu, logvar),
        10,
    )


@given(mu_q=MEANS, logvar_q=LOGVARS, mu_p=MEANS, logvar_p=LOGVARS)
def test_cross_entropy_is_minus_the_mean_log_density_of_the_other(
    mu_q, logvar_q, mu_p, logvar_p
):
    quadrature = expectation(lambda z: -log_density(z, mu_p, logvar_p), mu_q, logvar_q)
    assert close(cross_entropy(mu_q, logvar_q, mu_p, logvar_p), quadrature, 10)


@given(mu=MEANS, logvar=LOGVARS)
def test_cross_entropy_with_itself_is_the_entropy(mu, logvar):
    assert abs(cross_entropy(mu, logvar, mu, logvar) - entropy(logvar)) <= 4 * EPS * 10


# KL: what it is


@given(mu_q=MEANS, logvar_q=LOGVARS, mu_p=MEANS, logvar_p=LOGVARS)
def test_kl_is_the_mean_log_ratio(mu_q, logvar_q, mu_p, logvar_p):
    kl = kl_divergence(mu_q, logvar_q, mu_p, logvar_p)
    quadrature = expectation(
        lambda z: log_density(z, mu_q, logvar_q) - log_density(z, mu_p, logvar_p),
        mu_q,
        logvar_q,
    )
    assert close(kl, quadrature, 10)


@given(mu_q=MEANS, logvar_q=LOGVARS, mu_p=MEANS, logvar_p=LOGVARS)
def test_kl_is_cross_entropy_minus_entropy(mu_q, logvar_q, mu_p, logvar_p):
    kl = kl_divergence(mu_q, logvar_q, mu_p, logvar_p)
    cross, own = cross_entropy(mu_q, logvar_q, mu_p, logvar_p), entropy(logvar_q)
    assert abs(kl - (cross - own)) <= 10 * EPS * max(10, abs(cross), abs(own))


@given(mu=MEANS, logvar=LOGVARS)
def test_kl_from_the_standard_normal_is_kingma_and_wellings_formula(mu, logvar):
    formula = -0.5 * (1 + logvar - mu**2 - math.exp(logvar))
    assert kl_divergence(mu, logvar) == kl_divergence(mu, logvar, 0.0, 0.0)
    assert abs(kl_divergence(mu, logvar) - formula) <= 10 * EPS * max(10, formula)


@given(
    st.integers(1, 6).flatmap(
        lambda n: st.tuples(
            *[
                st.lists(values, min_size=n, max_size=n)
                for values in (MEANS, LOGVARS, MEANS, LOGVARS)
            ]
        )
    )
)
def test_kl_is_additive_over_dimensions(arguments):
    """Against the formula for full covariance matrices: ½ (tr P⁻¹Q + rᵀP⁻¹r − n + log
    det P/det Q)
    """
    mu_q, logvar_q, mu_p, logvar_p = map(np.array, arguments)
    Q, P, r = np.diag(np.exp(logvar_q)), np.diag(np.exp(logvar_p)), mu_q - mu_p
    terms = (
        np.trace(np.linalg.solve(P, Q)),
        r @ np.linalg.solve(P, r),
        -len(r),
        np.linalg.slogdet(P)[1],
        -np.linalg.slogdet(Q)[1],
    )
    kl = kl_divergence(mu_q, logvar_q, mu_p, logvar_p)
    assert abs(kl.sum() - sum(terms) / 2) <= 100 * EPS * sum(map(abs, terms))


# KL: its properties


@given(APART, FINITE, APART, FINITE)
@example(8e307, 1e308, -8e307, -1e308)
@example(8e307, 0.0, -8e307, 1500.0)
@example(1e308, -1e308, 1e308, 1e308)
@example(3.0, 0.0, 3.0, -1e308)
@example(3.0, 1e308, 3.0, -1e308)
def test_kl_is_never_negative_never_nan_and_never_warns(mu_q, logvar_q, mu_p, logvar_p):
    assert kl_divergence(mu_q, logvar_q, mu_p, logvar_p) >= 0


@given(
    d=st.one_of(st.floats(-1e-6, 1e-6), st.floats(-1e-14, 1e-14)),
    mu=MEANS,
    logvar=LOGVARS,
)
def test_kl_is_not_negative_near_equality_in_either_precision(d, mu, logvar):
    for dtype in np.float64, np.float32:
        mu_q, mu_p, logvar_p = np.array([mu, mu, logvar], dtype)
        logvar_q = np.array(logvar * (1 + d), dtype)
        assert kl_divergence(mu_q, logvar_q, mu_p, logvar_p) >= 0
        assert kl_divergence(mu_q, np.array(d, dtype), mu_p, np.array(0, dtype)) >= 0


@given(FINITE, FINITE)
def test_kl_is_zero_at_equality_and_so_is_its_gradient(mu, logvar):
    assert kl_divergence(mu, logvar, mu, logvar) == 0
    if abs(logvar) < 700:
        assert kl_divergence_backward(1.0, mu, logvar, mu, logvar) == (0, 0)


@given(
    mu=MEANS,
    logvar=LOGVARS,
    shift=st.floats(1e-7, 10),
    d=st.floats(1e-7, 10),
    sign=st.sampled_from([-1, 1]),
)
def test_kl_is_positive_away_from_equality(mu, logvar, shift, d, sign):
    assert kl_divergence(mu + sign * shift, logvar, mu, logvar) > 0
    assert kl_divergence(mu, logvar + sign * d, mu, logvar) > 0


@given(d=st.floats(1e-14, 1e-5), sign=st.sampled_from([-1, 1]))
def test_kl_of_nearly_equal_variances_is_accurate(d, sign):
    """exp(d) − 1 − d = d²/2 + …, from a difference of two numbers as large as d: off by
    a few ε d, not a few ε
    """
    d *= sign
    assert abs(kl_divergence(0.0, d) - d * d / 4 * (1 + d / 3)) <= EPS * abs(d)


@given(
    arguments=st.tuples(MEANS, LOGVARS, MEANS, LOGVARS),
    shift=st.floats(-100, 100),
    scale=st.floats(0.01, 100),
)
def test_kl_is_invariant_under_a_common_shift_and_scale(arguments, shift, scale):
    mu_q, logvar_q, mu_p, logvar_p = arguments
    moved = (
        scale * mu_q + shift,
        logvar_q + 2 * math.log(scale),
        scale * mu_p + shift,
        logvar_p + 2 * math.log(scale),
    )
    # Moving rounds the means, which may be far from 0 in units of σ_p, and the logvars,
    # which are within 20 of it.
    far = (20 + abs(shift) / scale) * math.exp(-logvar_p / 2)
    kl = kl_divergence(*arguments)
    assert abs(kl_divergence(*moved) - kl) <= 100 * EPS * (
        10 + kl + far * math.sqrt(kl + 1)
    )


def test_kl_is_not_symmetric():
    assert kl_divergence(0.0, 2.0) > 2 * kl_divergence(0.0, 0.0, 0.0, 2.0) > 0
    assert kl_divergence(0.0, 2.0) == pytest.approx((math.e**2 - 3) / 2, rel=4 * EPS)
    assert kl_divergence(0.0, 0.0, 0.0, 2.0) == pytest.approx(
        (math.e**-2 + 1) / 2, rel=4 * EPS
    )


def test_kl_in_its_limits():
    assert kl_divergence(0.0, -700.0) == (700 - 1) / 2  # a point: −½ log σ² − ½
    assert kl_divergence(1e6, 0.0) == 1e12 / 2  # far away: ½ mu²
    assert kl_divergence(0.0, 50.0) == pytest.approx(
        math.exp(50) / 2, rel=1e-14
    )  # wide: ½ σ²
    assert (
        kl_divergence(3.0, 0.0, 0.0, 700.0) == (700 - 1) / 2
    )  # a wide prior: ½ log σ_p² − ½, wherever q is


# KL: its range, against exact arithmetic

FIFTY_DIGITS = Context(
    prec=50
)  # and exponents to ±999,999, where a float's end at ±308


def expm1(d):
    return (
        d.exp() - 1
        if abs(d) > Decimal("1e-5")
        else sum(d**k / math.factorial(k) for k in range(1, 11))
    )


def exact_kl(mu_q, logvar_q, mu_p, logvar_p):
    """Decimal(x) is the float x itself, unrounded."""
    d, r = Decimal(logvar_q) - Decimal(logvar_p), Decimal(mu_q) - Decimal(mu_p)
    return (expm1(d) - d + r**2 * Decimal(-logvar_p).exp()) / 2


def rounding(mu_q, logvar_q, mu_p, logvar_p):
    """A few ε of each term, of what the rounding of d and of log σ_p does to an
    exponential, and what underflows
    """
    d = Decimal(logvar_q) - Decimal(logvar_p)
    r2 = (Decimal(mu_q) - Decimal(mu_p)) ** 2 * Decimal(-logvar_p).exp()
    terms = abs(expm1(d)) + abs(d) * (1 + d.exp()) + r2 * (1 + abs(Decimal(logvar_p)))
    return 4 * Decimal(EPS) * terms + Decimal("1e-323")


@given(mu=FAR, logvar=st.floats(-700, 700))
@example(1e6, 700.0)
@example(-1e6, -700.0)
def test_kl_from_the_standard_normal_is_right_over_mu_1e6_and_logvar_700(mu, logvar):
    dmu, dlogvar = kl_divergence_backward(1.0, mu, logvar)
    with localcontext(FIFTY_DIGITS):
        assert abs(
            Decimal(float(kl_divergence(mu, logvar))) - exact_kl(mu, logvar, 0, 0)
        ) <= rounding(mu, logvar, 0, 0)
        slope = expm1(Decimal(logvar)) / 2
        assert dmu == mu and abs(Decimal(float(dlogvar)) - slope) <= 2 * Decimal(
            EPS
        ) * abs(slope) + Decimal("1e-323")


@given(mu_q=FAR, logvar_q=st.floats(-300, 300), mu_p=FAR, logvar_p=st.floats(-300, 300))
@example(1e6, 300.0, -1e6, -300.0)
@example(1e6, -300.0, -1e6, 300.0)
def test_kl_from_a_general_prior_is_right_for_logvars_within_300(
    mu_q, logvar_q, mu_p, logvar_p
):
    q_and_p = mu_q, logvar_q, mu_p, logvar_p
    with localcontext(FIFTY_DIGITS):
        assert abs(
            Decimal(float(kl_divergence(*q_and_p))) - exact_kl(*q_and_p)
        ) <= rounding(*q_and_p)
    assert np.isfinite(
        kl_divergence_backward(1.0, mu_q, logvar_q, mu_p, logvar_p)
    ).all()


@given(
    mu_q=FAR, logvar_q=st.floats(-2000, 2000), mu_p=FAR, logvar_p=st.floats(-1400, 2000)
)  # 1/σ_p is a number
@example(0.0, 720.0, 0.0, 0.0)
@example(1.0, -1000.0, 0.0, -1000.0)
@example(1.0, -1000.0, 1.0, -1000.0)
@example(1e-160, 0.0, 0.0, -700.0)
def test_kl_overflows_to_inf_where_its_true_value_does_and_nowhere_else(
    mu_q, logvar_q, mu_p, logvar_p
):
    kl = kl_divergence(mu_q, logvar_q, mu_p, logvar_p)
    with localcontext(FIFTY_DIGITS):
        exact = exact_kl(mu_q, logvar_q, mu_p, logvar_p)
        largest = Decimal(np.finfo(float).max)
        assume(
            not largest / 4 < exact < largest * 2
        )  # here a term may overflow of which the half would not
        assert np.isinf(kl) == (exact > largest)


# Gradients


@given(
    mu_q=MEANS, logvar_q=LOGVARS, mu_p=MEANS, logvar_p=LOGVARS, dy=st.floats(0.1, 10)
)
def test_kl_gradient_is_its_complex_step(mu_q, logvar_q, mu_p, logvar_p, dy):
    q = {"mu": np.array(mu_q), "logvar": np.array(logvar_q)}
    by_hand = kl_divergence_backward(dy, mu_q, logvar_q, mu_p, logvar_p)
    for name, gradient in zip(q, by_hand, strict=True):
        numeric = complex_step_gradient(
            lambda q: dy * kl_divergence(q["mu"], q["logvar"], mu_p, logvar_p), q, name
        )
        assert abs(gradient - numeric) <= 4 * EPS * (abs(numeric) + abs(dy))


@given(x=MEANS, mu=MEANS, logvar=LOGVARS, dy=st.floats(0.1, 10))
def test_log_density_gradient_is_its_complex_step(x, mu, logvar, dy):
    inputs = {"x": np.array(x), "mu": np.array(mu), "logvar": np.array(logvar)}
    for name, gradient in zip(
        inputs, log_density_backward(dy, x, mu, logvar), strict=True
    ):
        numeric = complex_step_gradient(
            lambda inputs: dy * log_density(**inputs), inputs, name
        )
        assert abs(gradient - numeric) <= 8 * EPS * (abs(numeric) + abs(dy))


# Reparameterization


@pytest.mark.parametrize("mu, logvar", [(0.0, 0.0), (2.0, -3.0), (-1.0, 2.5)])
def test_samples_have_the_mean_and_standard_deviation(mu, logvar):
    n, sigma = 200_000, math.exp(logvar / 2)
    z = reparameterize(
        np.full(n, mu), np.full(n, logvar), np.random.default_rng(5).standard_normal(n)
    )
    assert abs(z.mean() - mu) < 4 * sigma / math.sqrt(
        n
    )  # four standard errors, 1 in 16,000; the seed is fixed
    assert abs(z.std() - sigma) < 4 * sigma / math.sqrt(2 * n)
    assert stats.kstest(z, stats.norm(mu, sigma).cdf).pvalue > 0.001
    if logvar != 0:  # and not σ² for σ
        assert stats.kstest(z, stats.norm(mu, sigma**2).cdf).pvalue < 1e-9


@given(MEANS, LOGVARS, st.floats(-6, 6))
def test_noise_is_the_distance_from_the_mean_in_standard_deviations(mu, logvar, eps):
    z = reparameterize(mu, logvar, eps)
    assert reparameterize(mu, logvar, 0.0) == mu
    limit = (
        8 * EPS * (abs(eps) + abs(mu) * math.exp(-logvar / 2)) + 1e-300
    )  # of the terms; and where they underflow
    assert abs((z - mu) / math.sqrt(math.exp(logvar)) - eps) <= limit


def test_gradients_of_many_samples_are_summed():
    rng = np.random.default_rng(6)
    mu, logvar, eps, dz = (
        rng.standard_normal(shape) for shape in ((5, 3), (5, 3), (4, 5, 3), (4, 5, 3))
    )
    assert np.array_equal(
        reparameterize(mu, logvar, eps), [reparameterize(mu, logvar, e) for e in eps]
    )
    one_by_one = [
        reparameterize_backward(d, mu, logvar, e) for d, e in zip(dz, eps, strict=True)
    ]
    for together, apart in zip(
        reparameterize_backward(dz, mu, logvar, eps),
        zip(*one_by_one, strict=True),
        strict=True,
    ):
        assert together.shape == mu.shape
        np.testing.assert_allclose(together, sum(apart), rtol=1e-14, atol=1e-15)


@given(mu=MEANS, logvar=LOGVARS, eps=st.floats(-6, 6), dz=st.floats(0.1, 10))
def test_gradient_through_a_sample_is_its_complex_step(mu, logvar, eps, dz):
    inputs = {"mu": np.array(mu), "logvar": np.array(logvar)}
    for name, gradient in zip(
        inputs, reparameterize_backward(dz, mu, logvar, eps), strict=True
    ):
        numeric = complex_step_gradient(
            lambda inputs: dz * reparameterize(**inputs, eps=eps), inputs, name
        )
        assert abs(gradient - numeric) <= 4 * EPS * abs(numeric) + 1e-300


# Every function alike

PAIRS = [  # forward, backward, the shapes of their arguments
    (log_density, log_density_backward, [(5, 3)] * 3),
    (kl_divergence, kl_divergence_backward, [(5, 3)] * 2),
    (kl_divergence, kl_divergence_backward, [(5, 3), (5, 3), (3,), (3,)]),
    (reparameterize, reparameterize_backward, [(5, 3)] * 3),
    (reparameterize, reparameterize_backward, [(5, 3), (5, 3), (4, 5, 3)]),
]


@pytest.mark.parametrize("forward, backward, shapes", PAIRS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_backward_keeps_dtype_is_reproducible_and_modifies_nothing(
    forward, backward, shapes, dtype
):
    rng = np.random.default_rng(7)
    arguments = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    dy = rng.standard_normal(forward(*arguments).shape).astype(dtype)
    before = [array.copy() for array in (dy, *arguments)]
    y, gradients = forward(*arguments), backward(dy, *arguments)
    assert all(
        np.array_equal(a, b) for a, b in zip(before, (dy, *arguments), strict=True)
    )
    assert {array.dtype for array in (y, *gradients)} == {np.dtype(dtype)}
    assert np.array_equal(y, forward(*arguments))
    assert all(
        np.array_equal(a, b)
        for a, b in zip(gradients, backward(dy, *arguments), strict=True)
    )
    assert all(
        not g.any() for g in backward(np.zeros_like(dy), *arguments)
    )  # zero in, exactly zero out


def test_single_precision_stays_single_beside_plain_python_numbers():
    mu, logvar = np.float32([[0.5]]), np.float32([[0.3]])
    results = [
        log_density(mu, 0.0, 0.0),
        *log_density_backward(1.0, mu, 0.0, 0.0),
        entropy(logvar),
        cross_entropy(mu, logvar, 0.0, 1.0),
        kl_divergence(mu, logvar, 1.0, 2.0),
        *kl_divergence_backward(1.0, mu, logvar, 1.0, 2.0),
    ]
    assert {array.dtype for array in results} == {np.dtype(np.float32)}


def test_kl_from_n_0_1_is_the_formula_that_most_programs_have():
    """(2.8), in the exercise sheets' form"""
    mu, sigma = np.array([0.3, -1.2, 2.0]), np.array([0.5, 1.0, 3.0])
    expected = 0.5 * (mu**2 + sigma**2 - 1 - np.log(sigma**2)).sum()
    assert kl_divergence(mu, np.log(sigma**2)).sum() == pytest.approx(expected)


@pytest.mark.parametrize(
    "dz, mu, eps",
    [
        ((5, 3), (1, 3), (5, 3)),  # one mu for five rows: a gradient of mu has one row
        ((2, 4, 5, 3), (5, 3), (2, 4, 5, 3)),  # two axes of samples
        ((5, 3), (5, 3), (2, 5, 3)),
    ],
)
def test_noise_whose_gradient_would_not_have_the_shape_of_mu_is_refused(dz, mu, eps):
    with pytest.raises(ValueError, match=r"eps of shape .* must have the shape of mu"):
        reparameterize_backward(np.ones(dz), np.ones(mu), np.ones(mu), np.ones(eps))


@pytest.mark.parametrize("function", [log_density, kl_divergence, cross_entropy])
def test_unsigned_integers_are_refused_where_a_minus_would_wrap(function):
    byte = np.array([2], np.uint8)
    arguments = [byte] * (3 if function is log_density else 4)
    with pytest.raises(ValueError, match="unsigned integers wrap"):
        function(*arguments)
