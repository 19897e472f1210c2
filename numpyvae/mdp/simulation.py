"""Chapter 11. Simulation: trajectories of a policy.

The value (3.1) is an expectation, so the mean of the discounted returns of many trajectories estimates it without bias,
but for what follows the last step: at most γⁿ·H·‖R‖ after n steps, with ‖R‖ over the available actions. The standard
error falls as one over the square root of the number of trajectories. In a VAE the expectation has no closed form, and
samples are all there is.
"""

from typing import NamedTuple

import numpy as np

from .bellman import as_policy
from .model import MDP
from .numerics.validation import read_integer


class Trajectory(NamedTuple):
    """What simulate returns: n steps, fewer than asked for if the episode ended."""

    states: np.ndarray  # (n + 1,) state numbers, the start first; (n,) if the episode ended: nothing follows
    actions: np.ndarray  # (n,) action numbers
    rewards: np.ndarray  # (n,) the expected rewards R(s, a)
    discounted_return: float  # Σₖ γᵏ rewardₖ
    ended: bool  # whether the episode ended


def simulate(
    mdp: MDP, policy, start: int, num_steps: int, rng: np.random.Generator
) -> Trajectory:
    """Follow the policy, (S,) or (S, A), for num_steps steps from state number `start`, or until the episode ends."""
    policy = as_policy(mdp, policy)
    read_integer("num_steps", num_steps, 0)
    states, actions, ended = (
        [read_integer("start", start, 0, len(mdp.R) - 1)],
        [],
        False,
    )
    while len(actions) < num_steps and not ended:
        s = states[-1]
        a = int(policy[s]) if policy.ndim == 1 else _sample(policy[s], rng)
        actions.append(a)
        ended = bool(rng.random() < mdp.end[s, a]) if mdp.end[s, a] > 0 else False
        if not ended:
            row = mdp.transitions[[s * mdp.R.shape[1] + a]]
            states.append(
                int(row.indices[_sample(row.data, rng)])
                if mdp.sparse
                else _sample(row[0], rng)
            )
    rewards = mdp.R[states[: len(actions)], actions]
    discounted_return = float(rewards @ mdp.gamma ** np.arange(len(actions)))
    return Trajectory(
        np.array(states),
        np.array(actions, dtype=np.intp),
        rewards,
        discounted_return,
        ended,
    )


def _sample(weights, rng: np.random.Generator) -> int:
    """An index, with probability proportional to its weight."""
    cumulative = np.cumsum(weights)
    cumulative /= cumulative[-1]  # the last is 1, above every rng.random()
    return int(np.searchsorted(cumulative, rng.random(), side="right"))
