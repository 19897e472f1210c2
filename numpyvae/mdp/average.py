"""Chapter 10. The long run: where a policy spends its time, and its average reward.

Where it spends its time. Draw the first state from a distribution d₀. After k steps the
state has the distribution (P_πᵀ)ᵏ d₀. Weight step k by γᵏ, as its reward is. These
weights sum to 1/(1 − γ), so

    d = (1 − γ) Σₖ γᵏ (P_πᵀ)ᵏ d₀ = (1 − γ) (I − γ P_π)⁻ᵀ d₀                      (10.1)

sums to 1. It is the state-visitation distribution: that of the last state of a process
that continues with probability γ after each step. With it the value is an average over
states, not over time: d₀·v_π = d·r_π/(1 − γ).

The average reward. A process that never ends also has an average reward per step, which
needs no discount factor. A recurrent class is a set of states that the policy never
leaves, and in which it reaches every state from every other. All states outside such
classes are transient: the policy leaves them forever. Assume that the policy has one
recurrent class. It is then called unichain, and its average, the gain g, is the same
from every state: each start leads into that class, and what came before has no share in
the average.

The bias h(s) is the total by which the rewards from s on exceed the gain,

    h(s) = E[ Σₖ ( R(sₖ, aₖ) − g ) | s₀ = s ].                                   (10.2)

In a periodic chain these sums oscillate, and h is the limit of their running means.
That limit exists: over n steps a cycle of length n is averaged out. Separate the first
reward, as in chapter 3: the rest is the bias of the next state. So

    h + g = r_π + P_π h,        Σ_s μ(s) h(s) = 0.                               (10.3)

Here μ is the stationary distribution: it solves μ = P_πᵀ μ and sums to 1. It is the
limit of d as γ → 1. The product of μ and the first equation is g = μ·r_π, since
μ·P_π h = μ·h. The second equation is needed because h plus a constant solves the first
one too.

Which classes there are is read from the graph of the transitions with P_π > 0: they are
its strongly connected components that no transition leaves. A probability that is
exactly 0 is no transition; any other is one, however small.

Several recurrent classes are refused. In each of them μ can be taken on that class
alone, so g = μ·r_π is another number for each class. Then no single g solves (10.3):
the average depends on where the process starts. An ending is refused as well: a process
that ends has no long run.

To solve (10.3), number the states 1, …, S and first set h₁ = 0. Then S equations in the
S unknowns g, h₂, …, h_S remain. With I(s, s′) the entries of the identity matrix they
are

    g + Σ_{s′ ≥ 2} ( I(s, s′) − P_π(s, s′) ) h_{s′} = r_π(s),    s = 1, …, S.    (10.4)

The matrix M of this system is I − P_π with ones as its first column. It is regular.
Suppose it takes (g, h₂, …, h_S) to 0. By the product with μ, g = 0. So h = P_π h: each
h(s) is the average of h over the next states. Where h is largest, the next states must
have the same h, and theirs too, so h has this value in the whole recurrent class. In
the same way it has its smallest value there. So h is constant, and h₁ = 0 makes it 0.

The same matrix gives μ, from Mᵀ μ = (1, 0, …, 0). The first of these equations says
that μ sums to 1. The others are μ(s′) = Σ_s μ(s) P_π(s, s′) for s′ = 2, …, S. That of
s′ = 1 is missing, but it follows: the differences of the two sides sum to 0 over all
s′, because every row of P_π sums to 1. If all but one are 0, so is that one. At last
subtract Σ_s μ(s) h(s) from h.

Near γ = 1 the discounted value contains gain and bias,

    v_π = g/(1 − γ) + h + terms that vanish with 1 − γ.                          (10.5)

Put v = g/(1 − γ) + h into T_π v − v. As g/(1 − γ) − γ g/(1 − γ) = g, this is
r_π − g + γ P_π h − h, and by (10.3) it is −(1 − γ) P_π h. So by (3.5)

    v_π − v = −(1 − γ) (I − γ P_π)⁻¹ P_π h.

By (10.1) each row of (1 − γ) (I − γ P_π)⁻¹ is the d of one start. It tends to μ, so
each entry of the right side tends to −μ·P_π h = −μ·h = 0. (These are the first terms of
the Laurent series of v_π in 1 − γ: Puterman, section 8.2.)

On paper: a machine is good or worn. A step of a good one earns 4, and wears it with
probability ½. A worn one is repaired, which costs 2. With the good state first, (10.4)
is g − ½ h₂ = 4 and g + h₂ = −2. So h₂ = −4 and g = 2. The machine is good two thirds of
the time, μ = (⅔, ⅓), and indeed g = ⅔·4 − ⅓·2. With μ·h = −4/3 subtracted,
h = (4/3, −8/3).

    >>> from numpyvae.mdp import MDP, average_reward
    >>> machine = {
    ...     "good": {"run": [(0.5, "good", 4, False), (0.5, "worn", 4, False)]},
    ...     "worn": {"repair": [(1.0, "good", -2, False)]},
    ... }
    >>> mdp = MDP.from_transitions(machine, gamma=0.9)  # γ is not used
    >>> gain, bias, stationary = average_reward(mdp, ["run", "repair"])
    >>> round(gain, 9), bias.round(3).tolist(), stationary.round(3).tolist()
    (2.0, [1.333, -2.667], [0.667, 0.333])

Source: Puterman (1994), chapter 8 and section 6.9; Howard 1960.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse import csr_array, eye_array, hstack, issparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from ..errors import InputError
from .bellman import as_policy, factorize, induced_chain, require_end
from .model import MDP
from .numerics.validation import U, read_array, read_integer


class AverageReward(NamedTuple):
    """What average_reward returns.

    gain: g, the average reward per step
    bias: h (S,)
    stationary: μ (S,), the fraction of the steps spent in each state
    """

    gain: float
    bias: np.ndarray
    stationary: np.ndarray


def state_visitation(mdp: MDP, policy, start) -> np.ndarray:
    """d (S,) of (10.1). start: d₀ (S,), or a state number.

    If episodes end, the sum of d is less than 1. At γ = 1 it is the number of visits
    per episode: there is no factor 1 − γ.
    """
    S = len(mdp.R)
    if np.ndim(start) == 0:
        d0 = np.zeros(S)
        d0[read_integer("start", start, 0, S - 1)] = 1
    else:
        d0 = read_array("start", start, (S,))
    if not (d0 >= 0).all() or abs(d0.sum() - 1) > 4 * S * U:
        raise InputError(
            f"start is no distribution: its smallest entry is {d0.min():g}, its sum "
            f"{d0.sum():.12g}"
        )
    P, _ = induced_chain(mdp, policy)
    if mdp.gamma == 1:
        require_end(mdp, policy, P)
    visits = factorize(P, mdp.gamma)(d0, transpose=True)
    return visits * (1 - mdp.gamma) if mdp.gamma < 1 else visits


def average_reward(mdp: MDP, policy) -> AverageReward:
    """Gain and bias (10.3) of a unichain policy; γ is not used.

    InputError if the policy has several recurrent classes, or may end an episode.
    """
    policy = as_policy(mdp, policy)
    P, r = induced_chain(mdp, policy)
    if policy.ndim == 1:
        end = mdp.end[np.arange(len(r)), policy]
    else:
        end = (policy * mdp.end).sum(axis=1)
    if end.any():
        raise InputError(
            "average_reward requires a process that never ends; in state "
            f"{mdp.states[int(end.argmax())]!r} this policy may end the episode"
        )
    classes = recurrent_classes(P)
    if len(classes) > 1:
        one, other = (mdp.states[states[0]] for states in classes[:2])
        raise InputError(
            f"average_reward requires one recurrent class; this policy has "
            f"{len(classes)}: states {one!r} and {other!r} are in different ones, each "
            "with its own gain"
        )
    return solve_gain_equations(P, r)


def recurrent_classes(P) -> list[np.ndarray]:
    """The states of each recurrent class, of a chain that never ends.

    They are the strongly connected components that no transition leaves.
    """
    edges: Any = csr_array(P).tocoo()
    count, component = connected_components(edges, connection="strong")
    origin, target = component[edges.row], component[edges.col]
    left = np.unique(origin[origin != target])
    closed = np.setdiff1d(np.arange(count), left)
    classes = [np.flatnonzero(component == number) for number in closed]
    return sorted(classes, key=lambda states: states[0])


def solve_gain_equations(P, r) -> AverageReward:
    """Gain, bias and stationary distribution from (10.4); P has one recurrent class."""
    S = len(r)
    first = np.zeros(S)
    first[0] = 1
    if issparse(P):
        others = (eye_array(S) - P).tocsc()[:, 1:]
        factors = splu(hstack([np.ones((S, 1)), others], format="csc"))
        solution, mu = factors.solve(r), factors.solve(first, "T")
    else:
        M = np.eye(S) - P
        M[:, 0] = 1
        lu = lu_factor(M)
        solution, mu = lu_solve(lu, r), lu_solve(lu, first, trans=1)
    gain, h = float(solution[0]), solution
    h[0] = 0
    return AverageReward(gain, h - mu @ h, mu)
