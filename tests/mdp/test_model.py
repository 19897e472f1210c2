"""Every form of a problem that is accepted means one thing, and what is not accepted is refused with its place."""

import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csc_array, csr_array

from numpyvae.mdp import (
    MDP,
    action_values,
    enumerate_policies,
    four_state_chain,
    modified_policy_iteration,
    optimal_actions,
    policy_evaluation,
    policy_iteration,
    simulate,
    value_iteration,
)
from tests.mdp.oracle import EPS, error, exact_values, random_mdp

P = np.full((3, 2, 3), 1 / 3)
R = np.arange(6.0).reshape(3, 2)


def test_the_model_is_a_read_only_copy():
    p, r = P.copy(), R.copy()
    mdp = MDP(p, r, 0.5)
    p[:], r[:] = 0, 0
    assert mdp.P.sum() == pytest.approx(6) and mdp.R.sum() == 15
    for array in (mdp.P, mdp.R, mdp.transitions):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


def test_a_row_sums_to_one_but_for_rounding():
    p = P.copy()
    p[1, 1] = [1 / 3, 1 / 3, 1 / 3 + 4 * 3 * EPS * 0.9]
    MDP(p, R, 0.5)
    p[1, 1, 2] += 4 * 3 * EPS
    with pytest.raises(
        ValueError,
        match=r"state 1, action 1 sum to 1, which differs from 1 by 4\.\de-15",
    ):
        MDP(p, R, 0.5)


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


@pytest.mark.parametrize(
    "p, r, gamma, message",
    [
        (
            changed(P, (1, 0), [0.3, 0.3, 0.3]),
            R,
            0.5,
            "P: the probabilities of state 'b', action '[+]' sum to 0.9, which differs from 1 by -0.1",
        ),
        (
            changed(P, (2, 1, 0), -0.1),
            R,
            0.5,
            "P: a probability of state 'c', action '-' is -0.1, which is negative",
        ),
        (
            changed(P, (0, 1, 2), np.nan),
            R,
            0.5,
            "P: a probability of state 'a', action '-' is nan, which is not finite",
        ),
        (
            changed(P, (0, 1, 2), np.inf),
            R,
            0.5,
            "P: a probability of state 'a', action '-' is inf, which is not finite",
        ),
        (
            P,
            changed(R, (1, 1), np.nan),
            0.5,
            "R: the reward of state 'b', action '-' is nan",
        ),
        (
            P,
            changed(R, (2, 0), np.inf),
            0.5,
            r"R: the reward of state 'c', action '\+' is inf",
        ),
        (P, R, 1.5, "gamma is 1.5; a discount factor is a number from 0 to 1"),
        (P, R, False, "gamma is False"),
        (P, R, np.False_, "gamma is False"),
        (P, R, True, "gamma is True"),
        (P, R, None, "gamma is None"),
        (P, R, -0.1, "gamma is -0.1"),
        (P, R, np.nan, "gamma is nan"),
        (
            P,
            R * 1e307,
            0.9,
            r"R: the reward of state 'c', action '-' is 5e\+307; values at gamma = 0.9 may exceed the range of float64",
        ),
        (
            np.ma.masked_array(P, mask=P > 1),
            np.ma.masked_array(R, mask=R > 4),
            0.5,
            "R is a masked array",
        ),
        (np.ma.masked_array(P, mask=P < 1), R, 0.5, "P is a masked array"),
        ([np.eye(3) * 1j, np.eye(3)], R, 0.5, "P contains complex128"),
        (
            [csr_array(np.eye(3) * 1j), csr_array(np.eye(3))],
            R,
            0.5,
            "P contains complex128",
        ),
        (P, np.full((3, 2), -np.inf), 0.5, "state 'a' has no available action"),
        (P, R, "0.5", "gamma is 0.5"),
        (
            P[:2],
            R,
            0.5,
            r"P has shape \(2, 2, 3\); it must be \(states, actions, states\), or a list of matrices",
        ),
        (
            P,
            R.T,
            0.5,
            r"R has shape \(2, 3\); P requires \(3, 2\), or \(3, 2, 3\) for rewards of transitions",
        ),
        (P, R[0], 0.5, r"R has shape \(2,\)"),
        (np.zeros((0, 2, 0)), np.zeros((0, 2)), 0.5, "P has shape"),
        (P * 1j, R, 0.5, "P contains complex128"),
        ([[1, 2], [3]], R, 0.5, "P is ragged"),
        (csr_array(np.eye(3)), R, 0.5, "P is one sparse matrix"),
        (
            [csr_array(np.eye(3))] * 3,
            R,
            0.5,
            r"R has shape \(3, 2\); P requires \(3, 3\)",
        ),
        (
            [np.eye(3), np.eye(2)],
            R,
            0.5,
            r"P is matrices of shapes \[\(3, 3\), \(2, 2\)\]; it must be one \(states, states\) per action",
        ),
        (
            [csr_array(np.eye(3)), csr_array(np.eye(3) * 0.9)],
            R,
            0.5,
            "state 'a', action '-' sum to 0.9",
        ),
        (
            [csr_array(np.eye(3)), csr_array(np.diag([1, 1, np.nan]))],
            R,
            0.5,
            "state 'c', action '-' is nan",
        ),
        (
            [csr_array([[2, -1, 0], [0, 1, 0], [0, 0, 1]])] * 2,
            R,
            0.5,
            "state 'a', action '[+]' is -1.0",
        ),
    ],
)
def test_an_invalid_problem_is_refused_with_its_place(p, r, gamma, message):
    with pytest.raises(ValueError, match=message) as caught:
        MDP(
            p,
            r,
            gamma,
            states="abc" if len(r) == 3 else None,
            actions="+-" if np.shape(r)[-1] == 2 else None,
        )
    assert "\n" not in str(caught.value)


def test_there_is_one_label_per_state_and_action():
    with pytest.raises(ValueError, match="states: 2 labels, but P has 3 states"):
        MDP(P, R, 0.5, states="ab")
    with pytest.raises(ValueError, match="actions: 3 labels, but P has 2 actions"):
        MDP(P, R, 0.5, actions="abc")


STAY, GO = (
    np.array([[0.9, 0.1], [0.2, 0.8]]),
    np.array([[0.3, 0.7], [0.6, 0.4]]),
)  # S == A: the order shows
REWARDS = np.array([[5.0, 1.0], [0.0, 3.0]])


@pytest.mark.parametrize(
    "form",
    [
        lambda: [STAY, GO],
        lambda: (STAY, GO),
        lambda: [csr_array(STAY), csr_array(GO)],
        lambda: (csc_array(STAY), GO),
        lambda: np.stack([STAY, GO], axis=1),
        lambda: np.stack([STAY, GO], axis=1).tolist(),
    ],
)
def test_a_list_of_matrices_is_read_action_by_action(form):
    mdp = MDP(form(), REWARDS, 0.9)
    for policy in enumerate_policies(mdp):
        chosen = [(STAY, GO)[a][s] for s, a in enumerate(policy)]
        exact = exact_values(chosen, REWARDS[[0, 1], policy].tolist(), 0.9)
        assert error(policy_evaluation(mdp, policy), exact) <= 2 * EPS * 19
    assert np.array_equal(
        np.asarray(
            mdp.P if not mdp.sparse else np.stack([M.toarray() for M in mdp.P], axis=1)
        ),
        np.stack([STAY, GO], axis=1),
    )


@pytest.mark.parametrize(
    "form",
    [
        list,
        np.array,
        lambda P: [M.tolist() for M in P],
        lambda P: [csr_array(M) for M in P],
    ],
)
def test_the_named_constructor_reads_action_by_action(form):
    mdp, expected = (
        MDP.from_action_matrices(form([STAY, GO]), REWARDS, 0.9),
        MDP([STAY, GO], REWARDS, 0.9),
    )
    assert np.array_equal(action_values(mdp, [1, 2]), action_values(expected, [1, 2]))


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_rewards_of_transitions_are_averaged_over_next_states(sparse):
    rng = np.random.default_rng(0)
    dense = random_mdp(rng, 4, 3, 0.9)
    by_transition = rng.normal(size=(4, 3, 4))
    expected = [
        [
            sum(dense.P[s, a, t] * by_transition[s, a, t] for t in range(4))
            for a in range(3)
        ]
        for s in range(4)
    ]
    kind = csr_array if sparse else np.array
    matrices = [kind(dense.P[:, a]) for a in range(3)]
    for rewards in (
        by_transition,
        [np.array(by_transition[:, a]) for a in range(3)],
        [csr_array(by_transition[:, a]) for a in range(3)],
    ):
        # sums of four terms up to 2
        assert np.allclose(
            MDP(matrices, rewards, 0.9).R, expected, rtol=0, atol=1e-15 * 4
        )
    assert np.allclose(
        MDP.from_action_matrices(matrices, np.moveaxis(by_transition, 1, 0), 0.9).R,
        expected,
        rtol=0,
        atol=4e-15,
    )
    with pytest.raises(
        ValueError,
        match=r"R has shape \(4, 3, 3\); P requires \(4, 3\), or \(4, 3, 4\)",
    ):
        MDP(matrices, by_transition[..., :3], 0.9)
    by_transition[0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="R: the reward of a transition is not finite"):
        MDP(matrices, by_transition, 0.9)


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
        match="policy: state 0 has .* which is no distribution over its available actions",
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
    "argument, message",
    [
        (
            {"available": np.ones((2, 3), bool)},
            r"available is bool of shape \(2, 3\); it must be boolean \(3, 2\)",
        ),
        ({"available": np.ones((3, 2))}, "available is float64"),
        (
            {"available": [[True, True], [False, False], [True, True]]},
            "state 1 has no available action",
        ),
        (
            {"terminal": [2]},
            r"terminal is int64 of shape \(1,\); it must be boolean \(3,\)",
        ),
        ({"terminal": 1}, "terminal is"),
        ({"terminal": [True]}, r"terminal is bool of shape \(1,\)"),
        (
            {"end": np.full((3, 2), -0.1)},
            "end: a probability of state 0, action 0 is -0.1, which is negative",
        ),
        (
            {"end": np.full((3, 2), 0.5)},
            "P: the probabilities of state 0, action 0 sum to 1.5, which differs from 1 by",
        ),
        ({"end": np.zeros(3)}, r"end has shape \(3,\); it must be \(3, 2\)"),
    ],
)
def test_invalid_masks_and_endings_are_refused(argument, message):
    with pytest.raises(ValueError, match=message):
        MDP(P, R, 0.5, **argument)


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


def table_of(mdp, states, actions):
    return {
        s: {
            a: [(mdp.P[i, j, k], t, mdp.R[i, j], False) for k, t in enumerate(states)]
            for j, a in enumerate(actions)
        }
        for i, s in enumerate(states)
    }


@pytest.mark.parametrize("dense_states", [500, 3])
def test_a_dictionary_of_transitions_is_the_same_problem(dense_states, monkeypatch):
    monkeypatch.setattr("numpyvae.mdp.numerics.validation.DENSE_STATES", dense_states)
    mdp = random_mdp(np.random.default_rng(2), 5, 3, 0.9)
    found = MDP.from_transitions(table_of(mdp, "abcde", "xyz"), 0.9)
    assert (
        found.states == tuple("abcde")
        and found.actions == tuple("xyz")
        and found.sparse == (dense_states == 3)
    )
    assert np.allclose(
        found.transitions.toarray() if found.sparse else found.transitions,
        mdp.transitions,
        rtol=1e-15,
        atol=0,
    )
    assert np.allclose(found.R, mdp.R, rtol=1e-14, atol=0)  # Σ p·r for one r


def test_done_ends_the_episode_wherever_it_leads():
    """Three outcomes with probability 1/3 each: two of them end the episode, with rewards 2 and 3."""
    mdp = MDP.from_transitions(
        {
            0: {
                "go": [
                    (1 / 3, 0, 1.0, False),
                    (1 / 3, 0, 2.0, True),
                    (1 / 3, "outside", 3.0, True),
                ]
            }
        },
        0.5,
    )
    assert mdp.R.tolist() == [[pytest.approx(2.0)]] and mdp.end.tolist() == [[2 / 3]]
    assert policy_evaluation(mdp, [0]) == pytest.approx(2 / (1 - 0.5 / 3))


def test_states_without_actions_are_terminal_and_missing_ones_unavailable():
    mdp = MDP.from_transitions(
        {"a": {"x": [(1, "b", 4, False)]}, "b": {"y": [(1, "c", 8, False)]}, "c": {}},
        0.5,
    )
    assert mdp.available.tolist() == [[True, False], [False, True], [True, True]]
    assert mdp.terminal.tolist() == [False, False, True]
    assert policy_iteration(mdp).values.tolist() == [8, 8, 0] and policy_iteration(
        mdp
    ).policy.tolist()[:2] == [0, 1]


@pytest.mark.parametrize(
    "table, message",
    [
        ({}, "transitions is empty"),
        ({0: {}}, "transitions is empty"),
        (
            {0: {0: [(1.0, 1, 0.0, False)]}},
            r"state 0, action 0 has \(1.0, 1, 0.0, False\); it must be \(probability, next state",
        ),
        ({0: {0: [(1.0, 0, 0.0)]}}, r"state 0, action 0 has \(1.0, 0, 0.0\)"),
        ({0: {0: [(1.5, 0, 0.0, False)]}}, "state 0, action 0 has"),
        ({0: {0: [(1.0, 0, np.inf, False)]}}, "state 0, action 0 has"),
        ({0: {0: [("1", 0, 0.0, False)]}}, "state 0, action 0 has"),
        (
            {0: {0: [(0.5, 0, 0.0, False), (0.4, 0, 0.0, True)]}},
            "P: the probabilities of state 0, action 0 sum to 0.9",
        ),
    ],
)
def test_an_invalid_dictionary_is_refused_with_its_place(table, message):
    with pytest.raises(ValueError, match=message):
        MDP.from_transitions(table, 0.5)


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


@pytest.mark.parametrize(
    "table", [[], None, {0: [(1.0, 0, 0.0, False)]}, {0: {0: [(1.0, 0, 0.0, "no")]}}]
)
def test_a_table_of_transitions_of_another_type_is_refused(table):
    with pytest.raises(ValueError, match="transitions"):
        MDP.from_transitions(table, gamma=0.9)
