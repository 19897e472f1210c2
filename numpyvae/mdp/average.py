"""Chapter 7. The long run: where a policy spends its time, and its average reward.

From the initial distribution d₀ the state after k steps has the distribution (P_πᵀ)ᵏ d₀. Weighted as rewards are, these
sum to

    d = (1 − γ) Σₖ γᵏ (P_πᵀ)ᵏ d₀ = (1 − γ) (I − γ P_π)⁻ᵀ d₀,                                                     (7.1)

the state-visitation distribution: that of the last state of a process that continues with probability γ per step. With
it the value is an average over states, not over time: d₀·v_π = d·r_π/(1 − γ).

The average reward per step needs no discount factor. Assume that the process never ends and that the states that recur
form one class (the policy is unichain). Then the average, the gain g, is the same from every state. The bias h(s) is
the total by which the rewards from s on exceed it. With d = P_πᵀ d the stationary distribution, they satisfy

    h + g = r_π + P_π h,        Σ_s d(s) h(s) = 0.                                                               (7.2)

The first equation determines h up to a constant. So set h = 0 in the first state and solve for g and the other entries,
one linear system: its matrix is I − P_π with ones in the first column. The transposed system with right-hand side
(1, 0, …, 0) gives d. Near γ = 1 the discounted value contains both: v_π = g/(1 − γ) + h + terms that vanish with 1 − γ.

Source: Puterman (1994), chapter 8 and section 6.10; Howard 1960.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, eye_array, hstack
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from .bellman import factorize, induced_chain
from .model import MDP
from .validation import U, read_array, read_integer


class AverageReward(NamedTuple):
    """What average_reward returns."""

    gain: float                 # g, the average reward per step
    bias: np.ndarray            # h (S,)
    stationary: np.ndarray      # d (S,), the fraction of the steps spent in each state


def state_visitation(mdp: MDP, policy, start) -> np.ndarray:
    """d (S,) of (7.1). start: d₀ (S,), or a state number.

    If episodes end, the sum of d is less than 1. At γ = 1 it is the number of visits per episode: no factor 1 − γ.
    """
    S = len(mdp.R)
    number = np.ndim(start) == 0
    d0 = np.eye(1, S, read_integer("start", start, 0, S - 1))[0] if number else read_array("start", start, (S,))
    if not (d0 >= 0).all() or abs(d0.sum() - 1) > 4 * S * U:
        raise ValueError(f"start is no distribution: its smallest entry is {d0.min():g}, its sum {d0.sum():.12g}")
    P, _ = induced_chain(mdp, policy)
    return factorize(P, mdp.gamma)(d0, transpose=True) * (1 - mdp.gamma if mdp.gamma < 1 else 1)


def average_reward(mdp: MDP, policy) -> AverageReward:
    """Gain and bias (7.2) of a unichain policy; γ is not used. ValueError if it has several recurrent classes."""
    P, r = induced_chain(mdp, policy)
    if mdp.end.any():
        raise ValueError("average_reward requires a process that never ends; here an action may end the episode")
    count, label = connected_components(csr_array(P), connection="strong")
    edges = csr_array(P).tocoo()
    origin, target = label[edges.row], label[edges.col]
    closed = np.setdiff1d(np.arange(count), origin[origin != target])       # the classes that no transition leaves
    if len(closed) > 1:
        one, other = (mdp.states[int((label == c).argmax())] for c in closed[:2])
        raise ValueError(f"average_reward requires one recurrent class; this policy has {len(closed)}: states {one!r} "
                         f"and {other!r} are in different ones, each with its own gain")
    first = np.eye(1, len(r))[0]
    if mdp.sparse:
        factors = splu(hstack([np.ones((len(r), 1)), (eye_array(len(r)) - P).tocsc()[:, 1:]], format="csc"))
        h, d = factors.solve(r), factors.solve(first, "T")
    else:
        matrix = np.eye(len(r)) - P
        matrix[:, 0] = 1
        h, d = np.linalg.solve(matrix, r), np.linalg.solve(matrix.T, first)
    gain, h[0] = float(h[0]), 0
    return AverageReward(gain, h - d @ h, d)
