"""Simulated trajectories have the probabilities of the problem, and their mean return
is the value.
"""

import numpy as np
import pytest
from scipy.sparse import csr_array

from numpyvae.mdp import (
    MDP,
    four_state_chain,
    induced_chain,
    policy_evaluation,
    simulate,
)
from tests.mdp.oracle import random_mdp


def test_a_deterministic_trajectory_is_followed():
    mdp = four_state_chain(0.5)
    path = simulate(
        mdp, np.array([0, 1, 1, 1]), start=0, num_steps=5, rng=np.random.default_rng(0)
    )
    assert path.states.tolist() == [0, 1, 2, 3, 1, 2] and path.actions.tolist() == [
        0,
        1,
        1,
        1,
        1,
    ]
    assert (
        path.rewards.tolist() == [1, 0, 0, 3, 0] and path.discounted_return == 1 + 3 / 8
    )
    assert (
        simulate(
            mdp,
            np.array([0, 1, 1, 1]),
            start=0,
            num_steps=0,
            rng=np.random.default_rng(0),
        ).discounted_return
        == 0
    )


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_the_mean_return_is_the_value(sparse):
    rng = np.random.default_rng(3)
    mdp = random_mdp(rng, 4, 2, 0.7)
    policy = np.array([[0.5, 0.5], [1, 0], [0.25, 0.75], [0, 1]])
    v = policy_evaluation(mdp, policy)
    if sparse:
        mdp = MDP([csr_array(mdp.P[:, a]) for a in range(2)], mdp.R, 0.7)
    returns = np.array(
        [simulate(mdp, policy, 2, 30, rng).discounted_return for _ in range(400)]
    )
    cut = 0.7**30 * abs(mdp.R).max() / 0.3
    # four standard errors, and the steps cut off
    assert abs(returns.mean() - v[2]) <= 4 * returns.std(ddof=1) / 20 + cut
    assert returns.std(ddof=1) < 3


@pytest.mark.parametrize("start", [4, -1, True, False, 1.0, "0", None])
def test_a_start_that_is_no_state_is_refused(start):
    with pytest.raises(
        ValueError, match=f"start is {start!r}; it must be an integer from 0 to 3"
    ):
        simulate(
            four_state_chain(0.5),
            np.zeros(4, dtype=int),
            start,
            10,
            np.random.default_rng(0),
        )


@pytest.mark.parametrize("num_steps", [-1, 2.0, True])
def test_a_number_of_steps_without_meaning_is_refused(num_steps):
    with pytest.raises(
        ValueError, match=f"num_steps is {num_steps}; it must be an integer, at least 0"
    ):
        simulate(
            four_state_chain(0.5),
            np.zeros(4, dtype=int),
            0,
            num_steps,
            np.random.default_rng(0),
        )


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_transitions_and_actions_have_their_probabilities(sparse):
    mdp = random_mdp(np.random.default_rng(1), 4, 3, 0.5)
    if sparse:
        mdp = MDP([csr_array(mdp.P[:, a]) for a in range(3)], mdp.R, 0.5)
    policy = np.array([[0.2, 0, 0.8]] * 4)
    path = simulate(mdp, policy, 0, 20_000, np.random.default_rng(2))
    assert np.array_equal(path.rewards, mdp.R[path.states[:-1], path.actions])
    P, _ = induced_chain(mdp, policy)
    for s in range(4):
        visits = path.states[:-1] == s
        found = np.bincount(path.states[1:][visits], minlength=4) / visits.sum()
        # five standard errors of a fraction of some 5,000; and what has no probability
        # never happens
        expected = P.toarray()[s] if sparse else P[s]
        assert abs(found - expected).max() <= 5 * 0.5 / np.sqrt(visits.sum())
    assert not (path.actions == 1).any() and abs(
        (path.actions == 0).mean() - 0.2
    ) <= 5 * 0.4 / np.sqrt(20_000)


def test_an_episode_ends_with_its_probability():
    mdp = MDP.from_transitions(
        {0: {0: [(0.75, 0, 1.0, False), (0.25, 0, 1.0, True)]}}, 1.0
    )
    rng = np.random.default_rng(3)
    paths = [simulate(mdp, [0], 0, 1_000, rng) for _ in range(4_000)]
    lengths = np.array([len(path.actions) for path in paths])
    assert all(
        path.ended and len(path.states) == len(path.actions) == path.discounted_return
        for path in paths
    )
    assert abs(lengths.mean() - 4) <= 5 * np.sqrt(
        12 / 4_000
    )  # geometric: mean 4, variance 0.75/0.25² = 12
    assert not simulate(mdp, [0], 0, 0, rng).ended


def test_a_seed_fixes_the_trajectory():
    mdp = random_mdp(np.random.default_rng(1), 4, 3, 0.5)
    one, two, other = (
        simulate(mdp, np.zeros(4, int), 0, 50, np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one.states, two.states) and not np.array_equal(
        one.states, other.states
    )
