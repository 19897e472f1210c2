"""Chapter 6. Horizons: problems that end by themselves, and problems with a fixed number of steps.

A game or a way through a maze ends. Then the sum of rewards is finite without a discount factor, if every policy
reaches the end; MDP refuses γ = 1 otherwise. The equations of chapters 3 and 4 hold as they stand, but for H, which was
1/(1 − γ). In its place, let

    w(s) = maxₐ ( 1 + Σ_{s′} P(s′ | s, a) w(s′) ),                                                               (6.1)

the largest expected number of steps from s to the end: the optimal value if the reward of every step is 1. For every
policy w ≥ 1 + P_π w, so (I − P_π)⁻¹ 1 ≤ w. On the left are the sums of the rows of the inverse. None exceeds H = ‖w‖,
so (3.5) and (4.2) hold with this H. Any w ≥ c + P_π w with a number c > 0 gives the bound ‖w‖/c. So a computed w gives
one as well, although it satisfies (6.1) only up to rounding.

With a fixed number of steps h, the best that can be done is one step and then the best with one step less,

    v_h(s) = f(s),        v_t(s) = maxₐ ( R(s, a) + γ Σ_{s′} P(s′ | s, a) v_{t+1}(s′) ),   t = h − 1, …, 0,      (6.2)

where f is the value of the state in which the last step ends. This is backward induction. The best action depends on
the stage t: near the end an agent takes what it can get. The sum is finite, so γ = 1 needs no condition. It is h sweeps
of value iteration from f, so by (4.1) ‖v₀ − v*‖ ≤ γʰ ‖f − v*‖: a long horizon approaches the infinite one.

Source: Puterman (1994), chapter 4; Bertsekas and Tsitsiklis, An analysis of stochastic shortest path problems (1991).
"""

from typing import NamedTuple

import numpy as np

from ..errors import InputError
from ..errors import InputError
from .bellman import as_values, factorize, induced_chain
from .model import MDP
from .numerics.validation import LARGEST, read_discount, read_integer


def effective_horizon(mdp: MDP) -> float:
    """H: no row of (I − γ P_π)⁻¹ sums to more than this, whatever π. 1/(1 − γ), or at γ = 1 the ‖w‖ of (6.1).

    ValueError if an episode may be so long that float64 cannot bound it, or values as large as H·‖R‖, with
    ‖R‖ over the available actions.
    """
    if mdp.gamma < 1:
        return 1 / (1 - mdp.gamma)
    # (6.1) is solved by policy iteration, as in chapter 4, with reward 1 for every step. It is written out here because
    # that of chapter 4 needs H. No tie tolerance: gains below 1e-9 are left, and c in the bound covers them.
    policy = mdp.available.argmax(axis=1)
    states = np.arange(len(policy))
    while True:
        P, _ = induced_chain(mdp, policy)
        w = factorize(P, 1.0)(np.ones(len(policy)))
        steps = np.where(
            mdp.available, 1 + (mdp.transitions @ w).reshape(mdp.R.shape), -np.inf
        )
        longer = steps.max(axis=1) > steps[states, policy] + 1e-9 * abs(w).max()
        if not longer.any():
            break
        policy = np.where(longer, steps.argmax(axis=1), policy)
    c = (
        w - (steps.max(axis=1) - 1)
    ).min()  # 1, but for rounding and for gains of less than 1e-9
    if not c > 0.5 or w.max() / c > LARGEST / max(abs(mdp.R[mdp.available]).max(), 1):
        raise InputError(
            f"gamma is 1, and some policy needs about {abs(w).max():.2g} steps to end an episode; values "
            "may exceed the range or the precision of float64: use gamma < 1, or scale the rewards"
        )
    return float(w.max() / c)


class FiniteHorizonSolution(NamedTuple):
    """What backward_induction returns."""

    policies: np.ndarray  # (h, S) action numbers: the action at stage t in state s
    values: (
        np.ndarray
    )  # (h + 1, S): values[t] with h − t steps to go, values[h] = final


def backward_induction(
    mdp: MDP, horizon: int, final=0.0, gamma: float | None = None
) -> FiniteHorizonSolution:
    """Equation (6.2): the optimal action of every stage; ties go to the lowest index.

    horizon: h, the number of steps, a positive integer (not the effective horizon H)
    final: f, a number or (S,); an episode that has ended before does not receive it
    gamma: a discount factor for this calculation, up to and including 1; by default that of the MDP
    """
    read_integer("horizon", horizon, 1)
    gamma, S = mdp.gamma if gamma is None else read_discount(gamma), len(mdp.R)
    values, policies = np.zeros((horizon + 1, S)), np.zeros((horizon, S), dtype=np.intp)
    values[horizon] = np.where(
        mdp.terminal,
        mdp.R.max(axis=1),  # the terminal value
        as_values(mdp, np.full(S, final) if np.ndim(final) == 0 else final),
    )
    for t in range(horizon - 1, -1, -1):
        q = mdp.R + gamma * (mdp.transitions @ values[t + 1]).reshape(mdp.R.shape)
        policies[t] = q.argmax(axis=1)
        values[t] = q.max(axis=1)
    if not np.isfinite(values).all():
        raise InputError("the values exceed the range of float64: scale the rewards")
    return FiniteHorizonSolution(policies, values)
