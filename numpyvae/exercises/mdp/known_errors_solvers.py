"""Known errors in book two's solvers."""

import numpy as np

from ...mdp.bellman import (
    action_values,
    bellman_operator,
    induced_chain,
    policy_evaluation,
)
from ...mdp.horizon import FiniteHorizonSolution
from ...mdp.improvement import greedy_policy
from ...mdp.solution import Solution
from ..judge.known_errors import KnownError


def _q(mdp, v, gamma=None):
    return mdp.R + (mdp.gamma if gamma is None else gamma) * (
        mdp.transitions @ v
    ).reshape(mdp.R.shape)


def _solve(matrix, b):
    """NaN where the matrix is singular"""
    try:
        return np.linalg.solve(matrix, b)
    except np.linalg.LinAlgError:
        return np.full(len(b), np.nan)


def _sweeps(stop, update=None):
    """value_iteration with stop(change, gamma) for its error, and update(mdp, v) for T v"""

    def iterate(mdp, tolerance=1e-8, v=None, *rest):
        v = np.zeros(len(mdp.R)) if v is None else v
        for sweep in range(1, 20_000):
            last, v = (
                v,
                action_values(mdp, v).max(axis=1) if update is None else update(mdp, v),
            )
            error = stop(v - last, mdp.gamma)
            if error <= tolerance:
                break
        return Solution(greedy_policy(mdp, v), v, sweep, float(error))

    return iterate


def _largest(change, gamma):
    return abs(change).max() * gamma / (1 - gamma)


def _modified(sweeps, minus=False):
    """modified_policy_iteration, with an error in how it stops or sweeps"""

    def iterate(mdp, tolerance=1e-8, inner=50, max_rounds=10_000, v=None):
        v = np.zeros(len(mdp.R)) if v is None else v
        for k in range(1, max_rounds):
            policy, last, v = greedy_policy(mdp, v), v, bellman_operator(mdp, v)
            if abs(v - last).max() <= tolerance:
                break
            v = sweeps(mdp, policy, v, inner)
        return Solution(policy, v, k, float(abs(v - last).max()))

    return iterate


def _evaluated(mdp, policy, v, inner):
    for _ in range(inner):
        v = bellman_operator(mdp, v, policy)
    return v


def _policy_iteration(rounds, better=greedy_policy):
    """policy_iteration that ends after a number of rounds, or with another improvement"""

    def iterate(mdp, policy=None, v=None, on_iteration=None):
        policy = (
            better(mdp, mdp.R.max(axis=1) if v is None else v)
            if policy is None
            else np.asarray(policy)
        )
        for k in range(1, rounds + 1):
            values = policy_evaluation(mdp, policy)
            previous, policy = policy, better(mdp, values)
            if (policy == previous).all():
                break
        return Solution(previous, values, k, 0.0)

    return iterate


def _induction(q=_q, future=lambda values, t: values[t + 1], ended=True):
    """backward_induction with one of its parts replaced"""

    def induce(mdp, horizon, final=0.0, gamma=None):
        gamma, S = mdp.gamma if gamma is None else gamma, len(mdp.R)
        values, policies = np.zeros((horizon + 1, S)), np.zeros((horizon, S), np.intp)
        values[horizon] = np.where(mdp.terminal & ended, 0, final)
        for t in range(horizon - 1, -1, -1):
            each = q(mdp, future(values, t), gamma)
            policies[t] = each.argmax(axis=1)
            values[t] = each[np.arange(S), policies[t]]
        return FiniteHorizonSolution(policies, values)

    return induce


def _visited(d, mdp, policy, start):
    start = np.eye(len(mdp.R))[start] if np.ndim(start) == 0 else start
    P, _ = induced_chain(mdp, policy)
    return d(np.eye(len(P)), P, mdp.gamma, start)


def _error(name, words, function):
    return KnownError(name, words, function)


ERRORS = [
    _error(
        "value_iteration",
        "stops when the last change is below the tolerance; the error is up to γ/(1 − γ) times that",
        _sweeps(lambda change, gamma: abs(change).max()),
    ),
    _error(
        "value_iteration",
        "stops on the span of the change: the values may be far from v*",
        _sweeps(lambda change, gamma: np.ptp(change) * gamma / (1 - gamma)),
    ),
    _error(
        "value_iteration", "stops after one sweep", _sweeps(lambda change, gamma: 0.0)
    ),
    _error(
        "value_iteration",
        "the discount is on the reward: v ← γ max (R + P v)",
        _sweeps(
            _largest,
            lambda mdp, v: (
                mdp.gamma * _q(mdp, v, 1.0).max(axis=1) if mdp.gamma < 1 else v
            ),
        ),
    ),
    _error(
        "policy_iteration",
        "ends after one improvement; it must go on until the policy is unchanged",
        _policy_iteration(1),
    ),
    _error(
        "policy_iteration",
        "improves by the immediate reward: the values are ignored",
        _policy_iteration(20, lambda mdp, v: mdp.R.argmax(axis=1)),
    ),
    _error(
        "policy_iteration",
        "takes the worst action in each state",
        _policy_iteration(
            20,
            lambda mdp, v: np.where(mdp.available, _q(mdp, v), np.inf).argmin(axis=1),
        ),
    ),
    _error(
        "modified_policy_iteration",
        "stops when the last change is below the tolerance; the error is up to H times that",
        _modified(_evaluated),
    ),
    _error(
        "modified_policy_iteration",
        "stops when the last change is below the tolerance, and makes no sweeps: this is value iteration",
        _modified(lambda mdp, policy, v, inner: v),
    ),
    _error(
        "backward_induction",
        "the discount is on the reward: γ (R + P v)",
        _induction(lambda mdp, v, g: g * _q(mdp, v, 1.0)),
    ),
    _error(
        "backward_induction",
        "the discount factor is missing",
        _induction(lambda mdp, v, g: _q(mdp, v, 1.0)),
    ),
    _error(
        "backward_induction",
        "the given gamma is ignored",
        _induction(lambda mdp, v, g: _q(mdp, v)),
    ),
    _error(
        "backward_induction",
        "every stage has the final values after it, not those of the next stage",
        _induction(future=lambda values, t: values[-1]),
    ),
    _error(
        "backward_induction",
        "the final values are ignored: f is 0",
        lambda mdp, horizon, final=0.0, gamma=None: _induction()(
            mdp, horizon, 0.0, gamma
        ),
    ),
    _error(
        "backward_induction",
        "a terminal state has its final value; an episode that has ended does not receive it",
        _induction(ended=False),
    ),
    _error(
        "backward_induction",
        "the stages are in reverse order: the first must be the first step",
        lambda *args: FiniteHorizonSolution(*(x[::-1] for x in _induction()(*args))),
    ),
    _error(
        "state_visitation",
        "the factor 1 − γ is missing: the sum is H, not 1",
        lambda *args: _visited(lambda I, P, g, d: _solve((I - g * P).T, d), *args),
    ),
    _error(
        "state_visitation",
        "the factor 1 − γ at γ = 1: there it is omitted",
        lambda *args: _visited(
            lambda I, P, g, d: (1 - g) * _solve((I - g * P).T, d), *args
        ),
    ),
    _error(
        "state_visitation",
        "the transitions are not transposed",
        lambda *args: _visited(
            lambda I, P, g, d: (1 - g if g < 1 else 1) * _solve(I - g * P, d), *args
        ),
    ),
    _error(
        "state_visitation",
        "one step only: P_πᵀ d₀",
        lambda *args: _visited(lambda I, P, g, d: P.T @ d, *args),
    ),
]
