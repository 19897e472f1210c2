"""Chapter 6. Undiscounted problems that end: γ = 1.

Many tasks end by themselves: a game, a way through a maze. Then the sum of rewards is finite without a discount factor,
if every policy reaches the end; MDP refuses γ = 1 otherwise (chapter 2). All equations of chapter 3 hold as they stand,
but for the number H, which was 1/(1 − γ). In its place, let

    w(s) = maxₐ ( 1 + Σ_{s′} P(s′ | s, a) w(s′) ),                                                             (6.1)

the largest expected number of steps from s to the end, over all policies. It is the optimal value of the same problem
with reward 1 for every step. For every policy w ≥ 1 + P_π w, so (I − P_π)⁻¹ 1 ≤ w, and H = ‖w‖ bounds the sum of every
row of every inverse in (3.5), (4.2) and (4.3). Any w with w ≥ c·(1 + …) for all actions, c > 0, gives the bound ‖w‖/c.
So a computed w, which satisfies (6.1) up to rounding only, still gives a bound that holds.

Source: Bertsekas and Tsitsiklis, An analysis of stochastic shortest path problems (1991).
"""

import numpy as np

from .bellman import factorize, induced_chain
from .model import MDP
from .validation import LARGEST


def effective_horizon(mdp: MDP) -> float:
    """H: no row of (I − γ P_π)⁻¹ sums to more than this, whatever π. 1/(1 − γ), or at γ = 1 the ‖w‖ of (6.1).

    ValueError if an episode may be so long that float64 cannot bound it, or values as large as H ‖R‖.
    """
    if mdp.gamma < 1:
        return 1 / (1 - mdp.gamma)
    policy = mdp.available.argmax(axis=1)
    states = np.arange(len(policy))
    while True:
        P, _ = induced_chain(mdp, policy)
        w = factorize(P, 1.0)(np.ones(len(policy)))
        steps = np.where(mdp.available, 1 + (mdp.transitions @ w).reshape(mdp.R.shape), -np.inf)
        longer = steps.max(axis=1) > steps[states, policy] + 1e-9 * abs(w).max()
        if not longer.any():
            break
        policy = np.where(longer, steps.argmax(axis=1), policy)
    c = (w - (steps.max(axis=1) - 1)).min()             # 1, but for rounding and for gains of less than 1e-9
    if not c > 0.5 or w.max() / c > LARGEST / max(abs(mdp.R[mdp.available]).max(), 1):
        raise ValueError(f"gamma is 1, and some policy needs about {abs(w).max():.2g} steps to end an episode; values may "
                         "exceed the range or the precision of float64: use gamma < 1, or scale the rewards")
    return float(w.max() / c)
