"""Chapter 8. Every optimal policy.

Where two actions are equally good, the optimal policy is not one but many. The actions
that attain the maximum of Bellman's equation are the optimal actions,

    q*(s, a) = v*(s),                                                           (8.1)

and for γ < 1 every choice among them, state by state, is an optimal policy: such a
policy has T_π v* = v*, and T_π has one fixed point, so v_π = v*. No other policy is
optimal. If π takes an action with q*(s, a) < v*(s) in some state s, then v_π(s) ≤ q*(s,
a) < v*(s).

At γ = 1 one thing must be added: the policy must end, or stay where nothing is to be
earned and v* = 0 (chapter 9). An action that walks in a circle for nothing satisfies
(8.1); a policy that walks there for ever does not get v*.

Computed values differ by rounding, so "equal" means: by no more than the errors of the
two, which (R.1) bounds. The values are policy iteration's, refined to the last bit.
With the error of a linear solver instead, which grows as H, worse actions would pass as
equal near γ = 1.

For example, the two states of chapter 5 at γ = ½. In A, staying gives 1/(1 − ½) = 2 and
going to B gives ½·4 = 2. In B both actions stay:

    >>> from numpyvae.mdp import MDP, optimal_actions, optimal_policies
    >>> stay, go = [[1, 0], [0, 1]], [[0, 1], [0, 1]]
    >>> mdp = MDP.from_action_matrices([stay, go], [[1, 0], [2, 2]], 0.5)
    >>> optimal_actions(mdp).tolist()
    [[True, True], [True, True]]
    >>> len(list(optimal_policies(mdp)))
    4
    >>> optimal_actions(mdp.with_discount(0.51)).tolist()
    [[False, True], [True, True]]

Source: Puterman (1994), section 6.2.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np

from ..errors import InputError
from .bellman import action_values, induced_chain, never_ends
from .improvement import policy_iteration, solve_exactly
from .model import MDP
from .numerics.graphs import can_reach
from .numerics.rounding import tie_tolerance
from .solution import Solution


def optimal_actions(mdp: MDP, policy=None) -> np.ndarray:
    """Boolean (S, A): whether q*(s, a) = v*(s).

    policy: where policy iteration starts
    """
    solution, error = solve_exactly(mdp, policy)
    q = action_values(mdp, solution.values)
    tau = tie_tolerance(mdp, solution.values, error)
    best = q.argmax(axis=1)[:, None]
    gap = np.take_along_axis(q, best, axis=1) - q
    return mdp.available & (gap <= np.take_along_axis(tau, best, axis=1) + tau)


def optimal_policies(mdp: MDP) -> Iterator[np.ndarray]:
    """All deterministic policies (S,) that are optimal. May be very many."""
    policies = _choices(optimal_actions(mdp))
    if mdp.gamma < 1:
        return policies
    solution = policy_iteration(mdp)
    return (policy for policy in policies if _attains(mdp, policy, solution))


def _attains(mdp: MDP, policy, solution: Solution) -> bool:
    """Whether a policy of optimal actions is worth v* at γ = 1.

    It is if it ends from every state, or comes to states that are worth 0 and stays.
    """
    P, r = induced_chain(mdp, policy)
    worthless = ~can_reach(P, r != 0)
    stays = worthless & never_ends(mdp, policy, P)
    return not (abs(solution.values[stays]) > solution.error_bound).any()


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
    for policy in product(*[np.flatnonzero(row) for row in actions]):
        yield np.array(policy)
