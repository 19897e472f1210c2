"""The remark on a right function that loses digits: how many, and the form with all."""

import math

import numpy as np

# What keeps the digits, for each exercise that has delicate trials
FORMS = {
    "kl_divergence": "near d = logvar_q − logvar_p = 0 the terms cancel: "
    "½ (np.expm1(d) − d + …) keeps the digits",
    "sigmoid": "1/(1 + exp(−l)) keeps the digits for every l: exp may overflow, and "
    "1/inf = 0 is the limit",
    "softplus": "max(l, 0) + np.log1p(exp(−|l|)) keeps the digits, and cannot overflow",
    "log_prob": "Σ (x l − max(l, 0) − np.log1p(exp(−|l|))) keeps the digits, and "
    "cannot overflow",
    "log_prob_backward": "dy (x − 1/(1 + exp(−l))) keeps the digits for every l",
    "log_mean_exp": "with the largest a taken out first, exp cannot overflow and the "
    "sum is not 0; where all a are −inf, leave out −inf − (−inf)",
    "normalized_weights": "with the largest log w of each image taken out first, exp "
    "cannot overflow and no sum is 0",
    "class_probabilities": "with the largest log p(c) p(x|c) of each image taken out "
    "first, exp cannot overflow and no sum is 0",
    "log_marginal": "with the largest log w of each image taken out, no sum is 0; "
    "with one sample the variance is 0/0",
    "central_difference_gradient": "(f(x + h) − f(x − h))/2h has an error that falls "
    "as h², not as h",
}


def remark(name: str, words: str, output: tuple, expected: tuple) -> str:
    """Where digits are lost, in `words` if the form is known; and how many are left."""
    form = words or f"correct on paper; {FORMS.get(name, 'some digits are lost')}"
    return f"{form} ({digits_text(output, expected)})"


def digits_text(output: tuple, expected: tuple) -> str:
    """How many digits of the worst entry are right"""
    return "; ".join(
        dict.fromkeys(
            _digits(float(g), float(e))
            for got, correct in zip(output, expected, strict=True)
            for g, e in [_worst(got, correct)]
            if not _same(g, e)
        )
    )


def _worst(got: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """The entry with the largest relative error, one that is not finite before all"""
    if got.shape != expected.shape:
        return math.nan, float(np.ravel(expected)[0])
    with np.errstate(all="ignore"):
        error = np.abs(got - expected) / np.abs(expected)
    error = np.where(got == expected, 0, np.nan_to_num(error, nan=np.inf))
    i = np.unravel_index(error.argmax(), error.shape)
    return got[i], expected[i]


def _same(got: float, expected: float) -> bool:
    both_nan = math.isnan(got) and math.isnan(expected)
    return got == expected or both_nan


def _digits(got: float, expected: float) -> str:
    if not math.isfinite(got) or not math.isfinite(expected):
        return f"{got:g} where {expected:g} is correct"
    if expected == 0:
        return f"{got:.2g} where 0 is correct"
    error = abs(got / expected - 1)
    digits = max(0, math.floor(-math.log10(error)))
    return f"{digits} correct digit{'' if digits == 1 else 's'} there"
