"""Known errors in book two's Bellman equations."""

import numpy as np

from ...mdp.bellman import (
    action_values,
    bellman_operator,
    induced_chain,
    policy_evaluation,
)
from ...mdp.improvement import greedy_policy
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


def _evaluate(system, scale=lambda gamma: 1.0):
    """policy_evaluation with system(P, gamma) in the place of I − γ P"""

    def evaluate(mdp, policy):
        P, r = induced_chain(mdp, policy)
        return _solve(system(P, mdp.gamma), scale(mdp.gamma) * r)

    return evaluate


def _advantages(mdp, policy, difference):
    v = policy_evaluation(mdp, policy)
    return difference(_q(mdp, v), v)


def _under_policy(term):
    """bellman_operator with term(P, r, gamma, v) where a policy is given"""

    def operator(mdp, v, policy=None):
        return (
            bellman_operator(mdp, v)
            if policy is None
            else term(*induced_chain(mdp, policy), mdp.gamma, v)
        )

    return operator


def _without_policy(term):
    """bellman_operator with term(mdp, v) where no policy is given"""
    return lambda mdp, v, policy=None: (
        term(mdp, v) if policy is None else bellman_operator(mdp, v, policy)
    )


def _error(name, words, function):
    return KnownError(name, words, function)


ERRORS = [
    _error(
        "action_values",
        "the discount is on the reward: γ (R + P v)",
        lambda mdp, v: mdp.gamma * _q(mdp, v, 1.0),
    ),
    _error(
        "action_values",
        "the discount factor is missing",
        lambda mdp, v: _q(mdp, v, 1.0),
    ),
    _error(
        "action_values",
        "the reward is missing: this is γ P v",
        lambda mdp, v: _q(mdp, v) - mdp.R,
    ),
    _error(
        "action_values",
        "the value of the state itself, not of the next state: R + γ v(s)",
        lambda mdp, v: mdp.R + mdp.gamma * v[:, None],
    ),
    _error(
        "action_values",
        "the discount factor is squared",
        lambda mdp, v: _q(mdp, v, mdp.gamma**2),
    ),
    _error(
        "bellman_operator",
        "the maximum is inside the expectation: max R + γ max v(s′)",
        _without_policy(
            lambda mdp, v: (
                mdp.R.max(axis=1)
                + mdp.gamma * (mdp.transitions @ v).reshape(mdp.R.shape).max(axis=1)
            )
        ),
    ),
    _error(
        "bellman_operator",
        "a minimum over the actions; it must be the maximum",
        _without_policy(
            lambda mdp, v: np.where(mdp.available, _q(mdp, v), np.inf).min(axis=1)
        ),
    ),
    _error(
        "bellman_operator",
        "a mean over the actions; it must be the maximum",
        _without_policy(lambda mdp, v: action_values(mdp, v).mean(axis=1)),
    ),
    _error(
        "bellman_operator",
        "with a policy the discount is on the reward: γ (r + P v)",
        _under_policy(lambda P, r, g, v: g * (r + P @ v)),
    ),
    _error(
        "bellman_operator",
        "with a policy the discount factor is missing",
        _under_policy(lambda P, r, g, v: r + P @ v),
    ),
    _error(
        "bellman_operator",
        "with a policy the transitions are transposed",
        _under_policy(lambda P, r, g, v: r + g * (P.T @ v)),
    ),
    _error(
        "bellman_operator",
        "the policy is ignored",
        lambda mdp, v, policy=None: bellman_operator(mdp, v),
    ),
    _error(
        "policy_evaluation",
        "(I + γ P) v = r: the sign of γ P is wrong",
        _evaluate(lambda P, g: np.eye(len(P)) + g * P),
    ),
    _error(
        "policy_evaluation",
        "(I − γ P)ᵀ v = r: the transitions are transposed",
        _evaluate(lambda P, g: np.eye(len(P)) - g * P.T),
    ),
    _error(
        "policy_evaluation",
        "(I − P) v = r: the discount factor is missing",
        _evaluate(lambda P, g: np.eye(len(P)) - P),
    ),
    _error(
        "policy_evaluation",
        "the discount is on the reward as well: v = γ (I − γ P)⁻¹ r",
        _evaluate(lambda P, g: np.eye(len(P)) - g * P, scale=lambda g: g),
    ),
    _error(
        "policy_evaluation",
        "the normalized value (1 − γ) v",
        _evaluate(lambda P, g: np.eye(len(P)) - g * P, scale=lambda g: 1 - g),
    ),
    _error(
        "policy_evaluation",
        "this is r_π: the immediate reward only",
        _evaluate(lambda P, g: np.eye(len(P))),
    ),
    _error(
        "policy_evaluation",
        "a diagonal that is set to 1, where 1 must be added: states that stay where they are go wrong",
        _evaluate(lambda P, g: np.where(np.eye(len(P)) == 1, 1.0, -g * P)),
    ),
    _error(
        "advantages",
        "v − q: the sign is turned",
        lambda mdp, policy: _advantages(mdp, policy, lambda q, v: v[:, None] - q),
    ),
    _error(
        "advantages",
        "this is q_π: v is not subtracted",
        lambda mdp, policy: _advantages(mdp, policy, lambda q, v: q),
    ),
    _error(
        "advantages",
        "the best action value is subtracted, max q, in the place of v",
        lambda mdp, policy: _advantages(
            mdp, policy, lambda q, v: q - q.max(axis=1)[:, None]
        ),
    ),
    _error(
        "greedy_policy",
        "the lowest action value; it must be the highest",
        lambda mdp, v, current=None: np.where(mdp.available, _q(mdp, v), np.inf).argmin(
            axis=1
        ),
    ),
    _error(
        "greedy_policy",
        "greedy for the immediate reward: v is ignored",
        lambda mdp, v, current=None: mdp.R.argmax(axis=1),
    ),
    _error(
        "greedy_policy",
        "`current` is ignored: a tie must keep its action",
        lambda mdp, v, current=None: _q(mdp, v).argmax(axis=1),
    ),
    _error(
        "greedy_policy",
        "ties go to the last action; they must go to the first",
        lambda mdp, v, current=None: (
            greedy_policy(mdp, v, current)
            if current is not None
            else mdp.R.shape[1] - 1 - _q(mdp, v)[:, ::-1].argmax(axis=1)
        ),
    ),
]
