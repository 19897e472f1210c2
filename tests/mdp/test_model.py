"""A model is a read-only copy, and its endings mean what chapter 2 says."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from numpyvae.mdp import (
    MDP,
    backward_induction,
    enumerate_policies,
    four_state_chain,
    modified_policy_iteration,
    optimal_actions,
    policy_evaluation,
    policy_iteration,
    simulate,
    value_iteration,
)
from tests.mdp.oracle import random_mdp

P = np.full((3, 2, 3), 1 / 3)
R = np.arange(6.0).reshape(3, 2)


def test_a_sparse_model_has_the_matrices_that_it_was_made_of():
    dense = random_mdp(np.random.default_rng(8), 4, 3, 0.9)
    matrices = [csr_array(dense.P[:, a]) for a in range(3)]
    sparse = MDP(matrices, dense.R, 0.9).P
    assert len(sparse) == 3
    for a in range(3):
        assert np.array_equal(sparse[a].toarray(), dense.P[:, a])


def test_the_model_is_a_read_only_copy():
    p, r = P.copy(), R.copy()
    mdp = MDP(p, r, 0.5)
    p[:], r[:] = 0, 0
    assert mdp.P.sum() == pytest.approx(6) and mdp.R.sum() == 15
    for array in (mdp.P, mdp.R, mdp.transitions):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


STAY, GO = (
    np.array([[0.9, 0.1], [0.2, 0.8]]),
    np.array([[0.3, 0.7], [0.6, 0.4]]),
)  # S == A: the order shows


REWARDS = np.array([[5.0, 1.0], [0.0, 3.0]])


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("by_mask", [False, True], ids=["-inf", "mask"])
def test_an_unavailable_action_is_as_if_it_were_not_there(sparse, by_mask):
    rng = np.random.default_rng(1)
    full = random_mdp(rng, 5, 2, 0.9)
    p = np.concatenate(
        [full.P, np.full((5, 1, 5), np.nan)], axis=1
    )  # a third action that no state has
    r = np.concatenate(
        [full.R, np.full((5, 1), np.nan if by_mask else -np.inf)], axis=1
    )
    available = np.array([[True, True, False]] * 5)
    mdp = MDP(
        [csr_array(p[:, a]) for a in range(3)] if sparse else p,
        r,
        0.9,
        available=available if by_mask else None,
    )
    assert np.array_equal(mdp.available, available)
    exact = policy_iteration(full).values
    for solve in (policy_iteration, value_iteration, modified_policy_iteration):
        solution = solve(mdp)
        assert (
            np.allclose(solution.values, exact, rtol=0, atol=2e-8)
            and solution.policy.max() < 2
        )
    assert np.array_equal(
        optimal_actions(mdp),
        np.column_stack([optimal_actions(full), np.zeros(5, bool)]),
    )
    assert len(list(enumerate_policies(mdp))) == 2**5
    with pytest.raises(
        ValueError,
        match="policy: state 2 takes action 2; actions are numbered 0 to 2, and not",
    ):
        policy_evaluation(mdp, [0, 0, 2, 0, 0])
    with pytest.raises(
        ValueError,
        match=r"policy: state 0 has .* no distribution over its available actions",
    ):
        policy_evaluation(mdp, np.full((5, 3), 1 / 3))
    uniform = np.array([[0.5, 0.5, 0]] * 5)
    assert np.allclose(
        policy_evaluation(mdp, uniform),
        policy_evaluation(full, uniform[:, :2]),
        rtol=1e-13,
        atol=0,
    )


@pytest.mark.parametrize(
    "terminal", [[False, False, True], np.array([False, False, True])]
)
def test_a_terminal_state_equals_an_absorbing_state_without_reward(terminal):
    p, r = P.copy(), R.copy()
    mdp = MDP(p, r, 0.9, terminal=terminal)
    p[2], r[2] = [0, 0, 1], 0
    absorbing = MDP(p, r, 0.9)
    assert (
        mdp.terminal.tolist() == [False, False, True] and not absorbing.terminal.any()
    )
    for policy in enumerate_policies(mdp):
        assert np.allclose(
            policy_evaluation(mdp, policy),
            policy_evaluation(absorbing, policy),
            rtol=1e-14,
            atol=0,
        )
    for solve in (policy_iteration, value_iteration, modified_policy_iteration):
        assert np.allclose(
            solve(mdp).values, solve(absorbing).values, rtol=0, atol=2e-8
        )


@given(st.integers(0, 2**32 - 1))
def test_an_ending_equals_a_move_to_an_absorbing_state(seed):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(4), (4, 2))
    p[3] = [0, 0, 0, 1]
    r = rng.normal(size=(4, 2))
    r[3] = 0
    ending = MDP(p[:3, :, :3], r[:3], 0.9, end=p[:3, :, 3])
    assert np.allclose(
        policy_iteration(ending).values,
        policy_iteration(MDP(p, r, 0.9)).values[:3],
        rtol=1e-12,
        atol=1e-12,
    )


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_a_pickled_model_is_equal_and_read_only(sparse):
    mdp = MDP(
        [csr_array(STAY), csr_array(GO)] if sparse else [STAY, GO],
        REWARDS,
        0.9,
        states="ab",
        actions="xy",
    )
    for other in (pickle.loads(pickle.dumps(mdp)), mdp.with_discount(0.9)):
        transitions = (
            (other.transitions.data, other.transitions.indices)
            if sparse
            else (other.transitions,)
        )
        arrays = [other.R, other.end, *transitions]
        assert other.states == ("a", "b") and not any(
            array.flags.writeable for array in arrays
        )
        assert np.array_equal(
            policy_iteration(other).values, policy_iteration(mdp).values
        )
        with pytest.raises(AttributeError, match="gamma: an MDP cannot be changed"):
            other.gamma = 0.5


def test_with_discount_checks_the_new_discount_factor():
    mdp = four_state_chain(0.5).with_discount(0.9)
    assert mdp.gamma == 0.9 and mdp.states == (-1, 0, 1, 2)
    assert (mdp.P == four_state_chain(0.1).P).all() and (
        mdp.R == four_state_chain(0.1).R
    ).all()
    for gamma, message in (
        (1.1, "gamma is 1.1"),
        (False, "gamma is False"),
    ):
        with pytest.raises(ValueError, match=message):
            mdp.with_discount(gamma)
    large = MDP([[[1.0]]], [[1e306]], 0.5)
    with pytest.raises(
        ValueError, match="may exceed the range of float64: scale the rewards"
    ):
        large.with_discount(0.999)


def test_the_chain_as_a_dictionary_is_simulated_by_its_labels():
    path = simulate(four_state_chain(0.5), [0, 1, 1, 1], 0, 4, np.random.default_rng(0))
    assert [four_state_chain(0.5).states[s] for s in path.states] == [-1, 0, 1, 2, 0]


WALK = {"a": {"go": [(0.5, "goal", 1.0, False), (0.5, "pit", 0.0, False)]}}


def test_a_terminal_value_is_the_same_at_every_stage_of_a_finite_horizon():
    mdp = MDP.from_transitions(WALK, 0.5, terminal={"goal": 8, "pit": -4})
    values = backward_induction(mdp, 2, final=7.0).values
    assert values.tolist() == [[1.5, 8, -4], [1.5, 8, -4], [7, 8, -4]]


def test_a_model_prints_one_line():
    assert repr(four_state_chain(0.5)) == (
        "<MDP: 4 states, 2 actions (-, +), gamma 0.5>"
    )
    sparse = [csr_array(np.eye(1200))] * 8
    mdp = MDP(sparse, np.zeros((1200, 8)), 1 / 3, terminal=np.arange(1200) > 1197)
    assert repr(mdp) == (
        "<MDP: 1,200 states, 8 actions (0, 1, 2, 3, 4, 5, …), 2 terminal, sparse, "
        "gamma 0.333333333333>"
    )
