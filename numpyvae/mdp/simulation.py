"""Chapter 9. Simulation: trajectories of a policy.

The value (3.1) is an expectation, so the mean of the discounted returns of many trajectories estimates it without bias,
but for what is cut off after the last step: at most γⁿ·H·‖R‖ after n steps. Its standard error falls as one over the
square root of the number of trajectories. This is the other road of a VAE: there the expectation has no closed form,
and samples are all there is.
"""

from typing import NamedTuple

import numpy as np

from .bellman import as_policy
from .model import MDP
from .validation import check_count, read_state


class Trajectory(NamedTuple):
    """What simulate returns. n is the number of steps, fewer than asked for if the episode ended."""

    states: np.ndarray          # (n + 1,) state numbers, the start first; (n,) if the episode ended: nothing follows
    actions: np.ndarray         # (n,) action numbers
    rewards: np.ndarray         # (n,) the expected rewards R(s, a)
    discounted_return: float    # Σₖ γᵏ rewardₖ
    ended: bool                 # whether the episode ended


def simulate(mdp: MDP, policy, start: int, num_steps: int, rng: np.random.Generator) -> Trajectory:
    """Follow the policy, (S,) or (S, A), for num_steps steps from state number `start`, or until the episode ends."""
    S, A = mdp.R.shape
    policy = as_policy(mdp, policy)
    check_count("num_steps", num_steps, 0)
    states, actions, ended = [read_state("start", start, S)], [], False
    while len(actions) < num_steps and not ended:
        s = states[-1]
        a = int(policy[s]) if policy.ndim == 1 else _sample(np.arange(A), policy[s], rng)
        actions.append(a)
        following = _sample_next_state(mdp, s, a, rng)
        ended = following is None
        if not ended:
            states.append(following)
    rewards = mdp.R[states[:len(actions)], actions]
    discounted_return = float(rewards @ mdp.gamma ** np.arange(len(actions)))
    return Trajectory(np.array(states), np.array(actions, dtype=np.intp), rewards, discounted_return, ended)


def _sample_next_state(mdp: MDP, s: int, a: int, rng: np.random.Generator) -> int | None:
    """None if the episode ends."""
    if mdp.end[s, a] > 0 and rng.random() < mdp.end[s, a]:
        return None
    row = s * mdp.R.shape[1] + a
    if not mdp.sparse:
        return _sample(np.arange(len(mdp.R)), mdp.transitions[row], rng)
    entries = slice(*mdp.transitions.indptr[row:row + 2])
    return _sample(mdp.transitions.indices[entries], mdp.transitions.data[entries], rng)


def _sample(values, weights, rng: np.random.Generator) -> int:
    """One of the values, with probability proportional to its weight."""
    cumulative = np.cumsum(weights)
    cumulative /= cumulative[-1]                                    # the last is 1, above every rng.random()
    return int(values[np.searchsorted(cumulative, rng.random(), side="right")])
