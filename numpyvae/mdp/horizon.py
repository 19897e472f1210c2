"""Chapter 7. Finite horizon: backward induction.

With h steps to go, the best that can be done is one step and then the best with h − 1 steps to go:

    v_h(s) = g(s),        v_t(s) = maxₐ ( R(s, a) + γ Σ_{s′} P(s′ | s, a) v_{t+1}(s′) ),    t = h − 1, …, 0,   (7.1)

where g is the value of the state in which the last step ends. The maximizing action depends on the stage t: near the
end an agent takes what it can get. Everything is a finite sum, so γ = 1 needs no condition. For γ < 1, v₀ approaches v*
as h grows: by (4.1) ‖v₀ − v*‖ ≤ γʰ ‖g − v*‖, for (7.1) is value iteration started from g.

Source: Puterman (1994), chapter 4; Bellman 1957.
"""

from typing import NamedTuple

import numpy as np

from .bellman import as_values
from .model import MDP
from .validation import check_count, read_discount


class FiniteHorizonSolution(NamedTuple):
    """What backward_induction returns."""

    policies: np.ndarray    # (h, S) action numbers: the action at stage t in state s
    values: np.ndarray      # (h + 1, S): values[t] with h − t steps to go, values[h] = final


def backward_induction(mdp: MDP, horizon: int, final=0.0, gamma: float | None = None) -> FiniteHorizonSolution:
    """Equation (7.1): the optimal action of every stage; ties go to the lowest index.

    horizon: h, a positive integer
    final: g, a number or (S,); an episode that has ended before does not receive it
    gamma: a discount factor for this calculation, up to and including 1; by default that of the MDP
    """
    check_count("horizon", horizon, 1)
    gamma = mdp.gamma if gamma is None else read_discount(gamma)
    S = len(mdp.R)
    values, policies = np.zeros((horizon + 1, S)), np.zeros((horizon, S), dtype=np.intp)
    values[horizon] = np.where(mdp.terminal, 0, as_values(mdp, np.full(S, final) if np.ndim(final) == 0 else final))
    for t in range(horizon - 1, -1, -1):
        q = mdp.R + gamma * (mdp.transitions @ values[t + 1]).reshape(mdp.R.shape)
        policies[t] = q.argmax(axis=1)
        values[t] = q.max(axis=1)
    if not np.isfinite(values).all():
        raise ValueError("the values exceed the range of float64: scale the rewards")
    return FiniteHorizonSolution(policies, values)
