"""Chapter 8. The long run: where a policy spends its time, and its average reward.

How often is each state visited? From the initial distribution d₀, the state after k steps has the distribution P_πᵀᵏ d₀.
Weighted as rewards are, these sum to

    d = (1 − γ) Σₖ γᵏ P_πᵀᵏ d₀ = (1 − γ) (I − γ P_π)⁻ᵀ d₀,                                                     (8.1)

the state-visitation distribution: the distribution of the state at which a process stops that continues with
probability γ after each step. With it the value is an average over states, not over time: d₀·v_π = d·r_π/(1 − γ).

If the process never ends, the average reward per step is another criterion, without a discount factor. Assume that the
states that recur form one class (the policy is unichain). Then the average, the gain g, is the same from every state.
The bias h(s) is the total by which the rewards from s on exceed it. They satisfy

    h + g = r_π + P_π h,        Σ_s d(s) h(s) = 0,                                                             (8.2)

with d the stationary distribution, d = P_πᵀ d. Without the second condition h is determined up to a constant. So set
h = 0 in the first state and solve for g and the other entries of h, one linear system: its matrix is I − P_π with ones
in the first column. The transposed system, with right-hand side (1, 0, …, 0), gives d. The discounted value near γ = 1
contains both: v_π = g/(1 − γ) + h + terms that vanish with 1 − γ.

Source: Puterman (1994), chapter 8 and section 6.10; Howard 1960.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, eye_array, hstack
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from .bellman import factorize, induced_chain
from .model import MDP
from .validation import U, read_array, read_state


class AverageReward(NamedTuple):
    """What average_reward returns."""

    gain: float                 # g, the average reward per step
    bias: np.ndarray            # h (S,)
    stationary: np.ndarray      # d (S,), the fraction of the steps spent in each state


def state_visitation(mdp: MDP, policy, start) -> np.ndarray:
    """d (S,) of (8.1). It sums to 1, less the discounted probability of having ended. start: d₀ (S,), or a state number.

    At γ = 1 the factor 1 − γ is omitted: d is the expected number of visits per episode.
    """
    S = len(mdp.R)
    if np.ndim(start) == 0:
        d0 = np.eye(1, S, read_state("start", start, S))[0]
    else:
        d0 = read_array("start", start, (S,))
        if not (d0 >= 0).all() or abs(d0.sum() - 1) > 4 * S * U:
            raise ValueError(f"start is no distribution over the states: its smallest entry is {d0.min():g}, its sum "
                             f"{d0.sum():.12g}")
    P, _ = induced_chain(mdp, policy)
    return factorize(P, mdp.gamma)(d0, transpose=True) * (1 - mdp.gamma if mdp.gamma < 1 else 1)


def average_reward(mdp: MDP, policy) -> AverageReward:
    """The gain and the bias (8.2) of a unichain policy. γ is not used. ValueError if it has several recurrent classes."""
    P, r = induced_chain(mdp, policy)
    if mdp.end.any():
        raise ValueError("average_reward requires a process that never ends; here an action may end the episode")
    count, label = connected_components(csr_array(P), connection="strong")
    edges = csr_array(P).tocoo()
    origin, target = label[edges.row], label[edges.col]
    closed = np.setdiff1d(np.arange(count), origin[origin != target])       # the classes that no transition leaves
    if len(closed) > 1:
        names = " and ".join(repr(mdp.states[int((label == c).argmax())]) for c in closed[:2])
        raise ValueError(f"average_reward requires one recurrent class; this policy has {len(closed)}, and from state "
                         f"{names} it stays in different ones, each with a gain of its own")
    first = np.eye(1, len(r))[0]
    if mdp.sparse:
        factors = splu(hstack([np.ones((len(r), 1)), (eye_array(len(r)) - P).tocsc()[:, 1:]], format="csc"))
        h, d = factors.solve(r), factors.solve(first, "T")
    else:
        matrix = np.eye(len(r)) - P
        matrix[:, 0] = 1
        h, d = np.linalg.solve(matrix, r), np.linalg.solve(matrix.T, first)
    gain = float(h[0])
    h[0] = 0
    return AverageReward(gain, h - d @ h, d)
