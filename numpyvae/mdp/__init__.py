"""Book two: Markov decision processes. Independent of the rest of the package.

    1. chain        a four-state example, solved by hand; why it stands beside a VAE
    2. model        the process: transitions, rewards, discount factor, endings
    3. bellman      Bellman's equations, evaluation by a linear system, the error bound
    4. horizon      a fixed number of steps: backward induction
    5. contraction  value iteration: why it converges, and when it may stop
    6. improvement  policy iteration: why it ends, and why its end is optimal
    7. span         modified policy iteration, and the bound by the span
    8. ties         every optimal policy
    9. episodes     γ = 1: problems that end
    10. average     the long run: visited states, average reward
    11. simulation  trajectories
    12. discount    critical discount factors, Blackwell optimality
    13. optimal_average  the best average reward

    Optional: solution (what a solver returns)

mdp/examples has problems of the textbooks, ready to be solved, and their answers.
mdp/numerics is optional as well: rounding (which differences between actions are
significant, refined values), graphs (which states are reached, loops), validation (how
arguments are read). The chapters can be read without it.

Symbols:

    s, s′, S       a state, the next state, the number of states
    a, A           an action, the number of actions
    P(s′ | s, a)   the probability of the next state
    R(s, a)        the expected reward
    γ              the discount factor
    π              a policy
    P_π, r_π       the transition matrix and the rewards of π
    v, v_π, v*     values; those of π; the best ones
    q, q_π, q*     action values, likewise
    q(·, a)        the vector of q(s, a), one entry per state
    q(·, π)        the vector of q(s, π(s))
    T, T_π         Bellman operators: one step of the best action, or of π
    H              the effective horizon: 1/(1 − γ), or the longest expected episode
    ‖·‖            the largest absolute entry, for R that of the available actions
    u              2⁻⁵², the distance from 1 to the next float64
    v̂              computed values

Of one chapter only:

    m, n           steps before a cycle and in it (1)
    g              γ, in formulas that are printed (1)
    f, h, t        final value, number of steps, stage (4)
    x, y, ε        any two value vectors, the error of a value vector (5)
    k              next states of an action; in sequences, the number of a step (5)
    m              sweeps of T_π (7)
    c, low, high   a shift, the extremes of T v − v (7)
    π′             the improved, or the greedy policy (6, 9, 13)
    y              values at the end of a round (7)
    C, μ, σ        a loop, the time in each of its states; a policy that ends (9)
    p              the probability to reach the end within S steps (9)
    w, θ, d, δ     steps to the end; what is near; the size of T v − v; T v − v (9)
    x              values that no policy exceeds (9)
    d₀, d, μ       first state, visitation, stationary distribution (10)
    M              the matrix of (10.4) (10)
    g, h           gain, bias (10, 13)
    n, c, p        polynomials in γ (12)
    T, low, high   T of γ = 1, the extremes of T h − h (13)
    T̃, δ, μ′       half a step of T; what is better in one step; the μ of π′ (13)
    τ, δ, e        tie tolerance, residual, error (rounding)
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
from .contraction import value_iteration
from .discount import blackwell_policy, critical_discounts
from .episodes import effective_horizon
from .horizon import FiniteHorizonSolution, backward_induction
from .improvement import greedy_policy, policy_iteration
from .model import MDP
from .numerics.rounding import refined_policy_evaluation
from .optimal_average import (
    OptimalAverageReward,
    average_policy_iteration,
    relative_value_iteration,
)
from .simulation import Trajectory, simulate
from .solution import Solution
from .span import modified_policy_iteration
from .ties import enumerate_policies, optimal_actions, optimal_policies

__all__ = [
    "MDP",
    "AverageReward",
    "FiniteHorizonSolution",
    "OptimalAverageReward",
    "Solution",
    "Trajectory",
    "action_values",
    "advantages",
    "average_policy_iteration",
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
    "relative_value_iteration",
    "simulate",
    "state_visitation",
    "value_iteration",
]
