"""Chapter 7. The long run: where a policy spends its time, and its average reward.

From the initial distribution d₀ the state after k steps has the distribution (P_πᵀ)ᵏ d₀. Weighted as rewards are, these
sum to

    d = (1 − γ) Σₖ γᵏ (P_πᵀ)ᵏ d₀ = (1 − γ) (I − γ P_π)⁻ᵀ d₀,                                                     (7.1)

the state-visitation distribution: that of the last state of a process that continues with probability γ per step. With
it the value is an average over states, not over time: d₀·v_π = d·r_π/(1 − γ).

The average reward per step needs no discount factor. A recurrent class is a set of states that the policy never leaves,
and in which it reaches every state from every other. Assume that the process never ends and that the policy is
unichain: it has one such class, and leaves all other states forever. Then the average, the gain g, is the same from
every state. The bias h(s) is the total by which the rewards from s on exceed it (in a periodic chain, whose sums
oscillate, their average). With the stationary distribution μ, which solves μ = P_πᵀ μ and is the limit of d as γ → 1,
they satisfy

    h + g = r_π + P_π h,        Σ_s μ(s) h(s) = 0.                                                               (7.2)

The first equation determines h up to a constant. So number the states 1, …, S and first set h₁ = 0. Then S equations in
the S unknowns g, h₂, …, h_S remain. With I(s, s′) the entries of the identity matrix they are

    g + Σ_{s′ ≥ 2} ( I(s, s′) − P_π(s, s′) ) h_{s′} = r_π(s),        s = 1, …, S.                                (7.3)

The matrix M of this system is I − P_π with ones as its first column. The same matrix gives μ: Mᵀ μ = (1, 0, …, 0) says
that μ sums to 1 and is stationary. At last subtract Σ_s μ(s) h(s) from h. Near γ = 1 the discounted value contains g
and h: v_π = g/(1 − γ) + h + terms that vanish with 1 − γ.

Source: Puterman (1994), chapter 8 and section 6.10; Howard 1960.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, eye_array, hstack
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from ..errors import InputError
from .bellman import factorize, induced_chain
from .model import MDP
from .numerics.validation import U, read_array, read_integer


class AverageReward(NamedTuple):
    """What average_reward returns."""

    gain: float  # g, the average reward per step
    bias: np.ndarray  # h (S,)
    stationary: np.ndarray  # μ (S,), the fraction of the steps spent in each state


def state_visitation(mdp: MDP, policy, start) -> np.ndarray:
    """d (S,) of (7.1). start: d₀ (S,), or a state number.

    If episodes end, the sum of d is less than 1. At γ = 1 it is the number of visits per episode: no factor 1 − γ.
    """
    S = len(mdp.R)
    number = np.ndim(start) == 0
    d0 = (
        np.eye(1, S, read_integer("start", start, 0, S - 1))[0]
        if number
        else read_array("start", start, (S,))
    )
    if not (d0 >= 0).all() or abs(d0.sum() - 1) > 4 * S * U:
        raise InputError(
            f"start is no distribution: its smallest entry is {d0.min():g}, its sum {d0.sum():.12g}"
        )
    P, _ = induced_chain(mdp, policy)
    return factorize(P, mdp.gamma)(d0, transpose=True) * (
        1 - mdp.gamma if mdp.gamma < 1 else 1
    )


def average_reward(mdp: MDP, policy) -> AverageReward:
    """Gain and bias (7.2) of a unichain policy; γ is not used. ValueError if it has several recurrent classes."""
    P, r = induced_chain(mdp, policy)
    if mdp.end.any():
        raise InputError(
            "average_reward requires a process that never ends; here an action may end the episode"
        )
    count, label = connected_components(csr_array(P), connection="strong")
    edges = csr_array(P).tocoo()
    origin, target = label[edges.row], label[edges.col]
    closed = np.setdiff1d(
        np.arange(count), origin[origin != target]
    )  # the classes that no transition leaves
    if len(closed) > 1:
        one, other = (mdp.states[int((label == c).argmax())] for c in closed[:2])
        raise InputError(
            f"average_reward requires one recurrent class; this policy has {len(closed)}: states {one!r} "
            f"and {other!r} are in different ones, each with its own gain"
        )
    first = np.eye(1, len(r))[0]
    if mdp.sparse:
        factors = splu(
            hstack(
                [np.ones((len(r), 1)), (eye_array(len(r)) - P).tocsc()[:, 1:]],
                format="csc",
            )
        )
        h = factors.solve(r)  # (7.3): g in the place of h₁
        mu = factors.solve(first, "T")
    else:
        matrix = np.eye(len(r)) - P
        matrix[:, 0] = 1
        h = np.linalg.solve(matrix, r)
        mu = np.linalg.solve(matrix.T, first)
    gain = float(h[0])
    h[0] = 0
    return AverageReward(gain, h - mu @ h, mu)
