"""Chapter 4. A fixed number of steps: backward induction.

Let the process stop after h steps. Let f(s) be the value of being in s when no step
is left. With no step left, the value is f. With one step more, the best
that can be done is one step and then the best with the steps that remain:

    v_h(s) = f(s),
    v_t(s) = maxₐ ( R(s, a) + γ Σ_{s′} P(s′ | s, a) v_{t+1}(s′) ),             (4.1)

for the stages t = h − 1, h − 2, …, 0. This is backward induction. Each line is one
application of the operator T of (3.4), so v₀ = Tʰ f.

Why this is the best. With no step left there is no choice. If v_{t+1} is the best
value with one step less, no plan can gain more than R(s, a) + γ Σ P v_{t+1} after
action a in stage t, and v_t takes the largest of these. The plan may know the whole
past, or throw dice: the right side of (4.1) depends on the present state only.

The best action depends on the stage: near the end an agent takes what it can get.
The sum has h terms, so it is finite at γ = 1 as well, with no condition on the
problem.

For example, two states. In A the agent stays with reward 1, or goes to B with
reward 0. In B it stays with reward 2. Three steps, γ = 1, f = 0:

    stage 2    v₂(A) = max(1, 0)         = 1    stay          v₂(B) = 2
    stage 1    v₁(A) = max(1 + 1, 0 + 2) = 2    either        v₁(B) = 2 + 2 = 4
    stage 0    v₀(A) = max(1 + 2, 0 + 4) = 4    go            v₀(B) = 2 + 4 = 6

    >>> from numpyvae.mdp import MDP, backward_induction
    >>> stay, go = [[1, 0], [0, 1]], [[0, 1], [0, 1]]
    >>> mdp = MDP.from_action_matrices([stay, go], [[1, 0], [2, 2]], 0.5)
    >>> solution = backward_induction(mdp, 3, gamma=1)
    >>> solution.values.tolist()
    [[4.0, 6.0], [2.0, 4.0], [1.0, 2.0], [0.0, 0.0]]
    >>> solution.policies[:, 0].tolist()
    [1, 0, 0]

What happens as h grows is the next chapter.

Source: Puterman (1994), chapter 4.
"""

from typing import NamedTuple

import numpy as np

from ..errors import InputError
from .bellman import as_values
from .model import MDP
from .numerics.validation import read_discount, read_integer


class FiniteHorizonSolution(NamedTuple):
    """What backward_induction returns.

    policies: (h, S) action numbers: the action at stage t in state s
    values: (h + 1, S): values[t] with h − t steps to go; values[h] is f, and in
       a terminal state its terminal value
    """

    policies: np.ndarray
    values: np.ndarray


def backward_induction(
    mdp: MDP, horizon: int, final=0.0, gamma: float | None = None
) -> FiniteHorizonSolution:
    """Equation (4.1): the best action of every stage; ties go to the lowest index.

    horizon: h, the number of steps, a positive integer
    final: f, a number or (S,); an episode that has ended before does not receive
       it; a terminal state keeps its terminal value
    gamma: a discount factor for this calculation, 0 ≤ γ ≤ 1; by default that of the
       MDP

    ValueError if the values exceed the range of float64.
    """
    read_integer("horizon", horizon, 1)
    gamma = mdp.gamma if gamma is None else read_discount(gamma)
    S = len(mdp.R)
    final = as_values(mdp, np.full(S, final) if np.ndim(final) == 0 else final)
    values = np.zeros((horizon + 1, S))
    policies = np.zeros((horizon, S), dtype=np.intp)
    terminal_value = mdp.R.max(axis=1)
    values[horizon] = np.where(mdp.terminal, terminal_value, final)
    for t in range(horizon - 1, -1, -1):
        q = mdp.R + gamma * (mdp.transitions @ values[t + 1]).reshape(mdp.R.shape)
        policies[t] = q.argmax(axis=1)
        values[t] = q.max(axis=1)
    if not np.isfinite(values).all():
        raise InputError("the values exceed the range of float64: scale the rewards")
    return FiniteHorizonSolution(policies, values)
