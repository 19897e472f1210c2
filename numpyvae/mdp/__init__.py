"""Book two: Markov decision processes. Independent of the rest of the package.

    1. chain       a four-state example, solved by hand; why this book stands beside a VAE
    2. model       the process: transitions, rewards, discount factor; available actions, endings
    3. bellman     Bellman's equations, policy evaluation by a linear system, the error bound
    4. solvers     value iteration, policy iteration, modified policy iteration
    5. ties        every optimal policy
    6. horizon     undiscounted problems that end; backward induction over a finite horizon
    7. average     the long run: visited states, average reward
    8. simulation  trajectories
    9. discount    critical discount factors, Blackwell optimality
    Optional: solution (what a solver returns), rounding (tie tolerance, iterative refinement), validation (how arguments are read)

Symbols: s, s′ states, S their number; a an action, A their number; P(s′ | s, a) transition probability; R(s, a)
expected reward; γ discount factor; π policy, P_π and r_π its transition matrix and rewards; v value, q action value, v*
and q* of the best policy; T, T_π Bellman operators; H effective horizon; ‖·‖ the largest absolute entry, for R that of
the available actions; τ tie tolerance; u = 2⁻⁵² machine epsilon, the distance from 1 to the next float64; v̂ computed
values. A dot stands for all states: q(·, a) is the vector of q(s, a), one entry per state, and q(·, π) of q(s, π(s)).

Of one chapter only: m, n steps, and g for γ in formulas that are printed (1); x, y any two value vectors, c a constant,
k next states (4); w steps to the end, f final value, h number of steps (6); d visitation, μ stationary distribution, g
gain, h bias (7); n, c, p polynomials in γ (9); δ residual, e error (rounding).
"""

from .average import AverageReward, average_reward, state_visitation
from .bellman import (
    action_values,
    advantages,
    bellman_operator,
    bellman_residual,
    factorize,
    induced_chain,
    policy_evaluation,
)
from .chain import four_state_chain
from .discount import blackwell_policy, critical_discounts
from .horizon import FiniteHorizonSolution, backward_induction, effective_horizon
from .model import MDP
from .numerics.rounding import refined_policy_evaluation
from .simulation import Trajectory, simulate
from .solution import Solution
from .solvers import (
    greedy_policy,
    modified_policy_iteration,
    policy_iteration,
    value_iteration,
)
from .ties import enumerate_policies, optimal_actions, optimal_policies

__all__ = [
    "MDP",
    "AverageReward",
    "FiniteHorizonSolution",
    "Solution",
    "Trajectory",
    "action_values",
    "advantages",
    "average_reward",
    "backward_induction",
    "bellman_operator",
    "bellman_residual",
    "blackwell_policy",
    "critical_discounts",
    "effective_horizon",
    "enumerate_policies",
    "factorize",
    "four_state_chain",
    "greedy_policy",
    "induced_chain",
    "modified_policy_iteration",
    "optimal_actions",
    "optimal_policies",
    "policy_evaluation",
    "policy_iteration",
    "refined_policy_evaluation",
    "simulate",
    "state_visitation",
    "value_iteration",
]
