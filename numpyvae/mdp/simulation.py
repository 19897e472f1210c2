"""Chapter 11. Simulation: trajectories of a policy.

The value (3.1) is an expectation, so the mean of the discounted returns of many
trajectories estimates it. What follows the last step is missing: after n steps at most
γⁿ·H·‖R‖, with ‖R‖ over the available actions. But for that the estimate is unbiased.
Its standard error falls as one over the square root of the number of trajectories. In a
VAE the expectation has no closed form, and samples are all there is.

For example, one state with reward 1 that ends with probability ½, at γ = 1. The return
is the number of steps: 1 with probability ½, 2 with ¼, …, on average 2.

    >>> import numpy as np
    >>> from numpyvae.mdp import MDP, simulate
    >>> mdp = MDP([[[0.5]]], [[1]], 1.0, end=[[0.5]])
    >>> rng = np.random.default_rng(0)
    >>> paths = [simulate(mdp, [0], 0, 100, rng) for _ in range(10_000)]
    >>> returns = [path.discounted_return for path in paths]
    >>> bool(abs(np.mean(returns) - 2) < 4 * np.std(returns) / 100)  # 4 standard errors
    True
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

from .bellman import as_policy
from .model import MDP
from .numerics.validation import read_integer


class Trajectory(NamedTuple):
    """What `simulate` returns: n steps, fewer than asked for if the episode ended.

    states: (n + 1,) state numbers, the start first; (n,) if the episode ended, as then
       nothing follows
    actions: (n,) action numbers
    rewards: (n,) the expected rewards R(s, a)
    discounted_return: Σₖ γᵏ rewardₖ
    ended: whether the episode ended
    """

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    discounted_return: float
    ended: bool


def simulate(
    mdp: MDP, policy, start: int, num_steps: int, rng: np.random.Generator
) -> Trajectory:
    """Follow the policy for num_steps steps, or until the episode ends.

    policy: (S,) action numbers, or (S, A) probabilities
    start: a state number
    rng: where all randomness comes from
    """
    policy = as_policy(mdp, policy)
    read_integer("num_steps", num_steps, 0)
    states = [read_integer("start", start, 0, len(mdp.R) - 1)]
    actions: list[int] = []
    ended = False
    while len(actions) < num_steps and not ended:
        s = states[-1]
        a = int(policy[s]) if policy.ndim == 1 else _sample(policy[s], rng)
        actions.append(a)
        # A number is drawn only where both may happen.
        ended = mdp.end[s, a] > 0 and bool(rng.random() < mdp.end[s, a])
        if not ended:
            states.append(_next_state(mdp, s, a, rng))
    rewards = mdp.R[states[: len(actions)], actions]
    discounts = mdp.gamma ** np.arange(len(actions))
    return Trajectory(
        np.array(states),
        np.array(actions, dtype=np.intp),
        rewards,
        float(rewards @ discounts),
        bool(ended),
    )


def _next_state(mdp: MDP, s: int, a: int, rng: np.random.Generator) -> int:
    row = mdp.transitions[[s * mdp.R.shape[1] + a]]
    if issparse(row):
        return int(row.indices[_sample(row.data, rng)])
    return _sample(row[0], rng)


def _sample(weights, rng: np.random.Generator) -> int:
    """An index, with probability proportional to its weight."""
    cumulative = np.cumsum(weights)
    cumulative /= cumulative[-1]  # the last is 1, above every rng.random()
    return int(np.searchsorted(cumulative, rng.random(), side="right"))
