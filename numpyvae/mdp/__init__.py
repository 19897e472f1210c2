"""Book two: Markov decision processes. It is independent of the rest of the package.

    chain, bellman, solvers, discount, rounding
"""

from .bellman import MDP, action_values, policy_evaluation, residual
from .discount import blackwell_policy, discount_switches
from .solvers import (Solution, Trajectory, enumerate_policies, greedy_policy, modified_policy_iteration,
                      optimal_actions, optimal_policies, policy_iteration, simulate, value_iteration)

