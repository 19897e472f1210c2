"""Chapter 5. Every optimal policy.

Where two actions are equally good, the optimal policy is not one but many: any choice among the optimal actions of each
state, those with q*(s, a) = v*(s). Computed values differ by rounding, so "equal" means: by no more than the error of
the two, τ(s, a) + τ(s, a′) of (4.5). The values are those of policy iteration, refined, so τ has no factor H.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np

from ..errors import InputError
from ..errors import InputError
from .bellman import action_values
from .model import MDP
from .numerics.rounding import tie_tolerance
from .solvers import solve_exactly


def optimal_actions(mdp: MDP, policy=None) -> np.ndarray:
    """Boolean (S, A): whether q*(s, a) = v*(s), for every action. policy: initial policy of policy iteration."""
    solution, error = solve_exactly(mdp, policy)
    q, tau = (
        action_values(mdp, solution.values),
        tie_tolerance(mdp, solution.values, error),
    )
    best = q.argmax(axis=1)[:, None]
    gap = np.take_along_axis(q, best, axis=1) - q
    return mdp.available & (gap <= np.take_along_axis(tau, best, axis=1) + tau)


def optimal_policies(mdp: MDP) -> Iterator[np.ndarray]:
    """All deterministic policies (S,) that are optimal. May be very many."""
    return _choices(optimal_actions(mdp))


def enumerate_policies(mdp: MDP, limit: int = 100_000) -> Iterator[np.ndarray]:
    """All deterministic policies (S,). ValueError if there may be more than `limit`."""
    S, A = mdp.R.shape
    if limit < A**S:
        raise InputError(
            f"{A} actions in {S} states make {A}^{S} policies, more than {limit}; "
            "use policy_iteration or optimal_policies"
        )
    return _choices(mdp.available)


def _choices(actions: np.ndarray) -> Iterator[np.ndarray]:
    return (
        np.array(policy)
        for policy in product(*[np.flatnonzero(row) for row in actions])
    )
