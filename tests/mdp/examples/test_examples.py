"""The textbooks' problems have the textbooks' answers, by arithmetic of its own.

Each oracle states its problem again, in exact fractions, as a search or as a closed
form; the figures in print are compared to the digits that are printed.
"""

import doctest
from collections import deque
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy.stats import poisson

from numpyvae.mdp import (
    average_policy_iteration,
    backward_induction,
    optimal_actions,
    policy_evaluation,
    policy_iteration,
)
from numpyvae.mdp import examples as book
from tests.mdp.oracle import exact_values

HALF, FIFTH = Fraction(1, 2), Fraction(1, 5)
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))


def best(mdp) -> dict:
    """{state: v*}"""
    return dict(zip(mdp.states, policy_iteration(mdp).values.tolist(), strict=True))


def optimal_names(mdp, state) -> set:
    row = optimal_actions(mdp)[mdp.states.index(state)]
    return {mdp.actions[a] for a in np.flatnonzero(row)}


def distances(neighbors, target) -> dict:
    """{state: steps to the target}, breadth first; neighbors: state -> next states"""
    arrivals: dict = {}
    for s, following in neighbors.items():
        for t in following:
            arrivals.setdefault(t, set()).add(s)
    found, queue = {target: 0}, deque([target])
    while queue:
        t = queue.popleft()
        for s in arrivals.get(t, ()):
            if s not in found:
                found[s] = found[t] + 1
                queue.append(s)
    return found


def grid(height, width):
    return list(product(range(height), range(width)))


def clipped(row, column, height, width):
    return sorted((0, row, height - 1))[1], sorted((0, column, width - 1))[1]


def test_the_contents_list_every_example_and_their_example_runs():
    assert doctest.testmod(book).attempted > 0 and doctest.testmod(book).failed == 0
    listed = {line.split()[0] for line in book.__doc__.splitlines() if "   " in line}
    assert set(book.__all__) - {"uniform_policy"} <= listed


# Sutton & Barto, figures 3.2 and 3.5, as printed.
RANDOM_3_5 = """3.3 8.8 4.4 5.3 1.5   1.5 3.0 2.3 1.9 0.5   0.1 0.7 0.7 0.4 -0.4
                -1.0 -0.4 -0.4 -0.6 -1.2   -1.9 -1.3 -1.2 -1.4 -2.0"""
BEST_3_5 = """22.0 24.4 22.0 19.4 17.5   19.8 22.0 19.8 17.8 16.0
              17.8 19.8 17.8 16.0 14.4   16.0 17.8 16.0 14.4 13.0
              14.4 16.0 14.4 13.0 11.7"""


def test_the_grid_of_example_3_5_has_the_printed_values():
    mdp = book.gridworld_3_5()
    found = policy_evaluation(mdp, book.uniform_policy(mdp))
    assert abs(found - np.array(RANDOM_3_5.split(), float)).max() <= 0.05
    values = policy_iteration(mdp).values
    assert abs(values - np.array(BEST_3_5.split(), float)).max() <= 0.05
    # A → A′ earns 10, four steps up: a cycle of five.
    cycle = 10 / (1 - Fraction(9, 10) ** 5)
    assert best(mdp)[0, 1] == pytest.approx(float(cycle), abs=1e-12)


def test_the_random_policy_of_example_4_1_needs_14_20_22_and_18_steps():
    """(I − P)⁻¹ 1 over the fourteen inner cells, in fractions."""
    mdp = book.gridworld_4_1()
    inner = [cell for cell in grid(4, 4) if cell not in ((0, 0), (3, 3))]
    P = [[Fraction(0)] * 14 for _ in inner]
    for i, (row, column) in enumerate(inner):
        for dr, dc in MOVES:
            following = clipped(row + dr, column + dc, 4, 4)
            if following in inner:
                P[i][inner.index(following)] += Fraction(1, 4)
    exact = dict(zip(inner, exact_values(P, [-1] * 14, 1), strict=True))
    printed = {(0, 1): -14, (0, 2): -20, (0, 3): -22, (1, 1): -18}
    assert printed.items() <= exact.items()
    found = policy_evaluation(mdp, book.uniform_policy(mdp))
    for state, value in zip(mdp.states, found, strict=True):
        assert value == pytest.approx(float(exact.get(state, 0)), abs=1e-11)
    steps = {(r, c): -float(min(r + c, 6 - r - c)) for r, c in grid(4, 4)}
    assert best(mdp) == pytest.approx(steps, abs=1e-12)


@pytest.mark.parametrize("king, steps_from_start", [(False, 15), (True, 7)])
def test_the_windy_grid_takes_15_steps_or_7_of_a_king(king, steps_from_start):
    wind, moves = [0, 0, 0, 1, 1, 1, 2, 2, 1, 0], list(MOVES)
    if king:
        moves += product((-1, 1), (-1, 1))
    neighbors = {
        (r, c): {clipped(r + dr - wind[c], c + dc, 7, 10) for dr, dc in moves}
        for r, c in grid(7, 10)
        if (r, c) != (3, 7)
    }
    steps = distances(neighbors, (3, 7))
    assert steps[3, 0] == steps_from_start
    exact = {state: -float(count) for state, count in steps.items()}
    found = best(book.windy_grid(king=king))
    assert found == pytest.approx(exact, abs=1e-12)


def test_the_way_along_the_cliff_takes_13_steps():
    """The search never steps onto the cliff: 100 would cost more than any way."""
    cells = [c for c in grid(4, 12) if not (c[0] == 3 and 0 < c[1] < 11)]
    neighbors = {
        (r, c): {clipped(r + dr, c + dc, 4, 12) for dr, dc in MOVES} & set(cells)
        for r, c in cells
        if (r, c) != (3, 11)
    }
    steps = distances(neighbors, (3, 11))
    assert steps[3, 0] == 13
    exact = {state: -float(count) for state, count in steps.items()}
    assert best(book.cliff()) == pytest.approx(exact, abs=1e-12)
    mdp = book.cliff()
    assert optimal_names(mdp, (3, 0)) == {"up"}
    assert optimal_names(mdp, (2, 0)) == {"right"}


# Russell & Norvig: utilities at γ = 1 and a step reward of −0.04, as printed.
UTILITIES = {
    (1, 3): 0.812,
    (2, 3): 0.868,
    (3, 3): 0.918,
    (1, 2): 0.762,
    (3, 2): 0.660,
    (1, 1): 0.705,
    (2, 1): 0.655,
    (3, 1): 0.611,
    (4, 1): 0.388,
    (4, 3): 1.0,
    (4, 2): -1.0,
}


def test_the_grid_of_aima_has_the_printed_utilities():
    mdp = book.grid_4_3()
    assert best(mdp) == pytest.approx(UTILITIES, abs=0.0005)
    assert optimal_names(mdp, (3, 1)) == {"left"}  # away from −1
    assert optimal_names(mdp, (1, 1)) == {"up"}


def test_the_frozen_lake_is_crossed_with_probability_14_over_17():
    """Policy and value of the best way, checked by (I − P)⁻¹ r in fractions."""
    mdp = book.frozen_lake()
    policy = policy_iteration(mdp).policy
    order = [MOVES[3], MOVES[2], MOVES[1], MOVES[0]]  # left, down, right, up
    lake = "SFFFFHFHFFFHHFFG"
    safe = [s for s in range(16) if lake[s] in "SF"]
    P = [[Fraction(0)] * len(safe) for _ in safe]
    r = [Fraction(0)] * len(safe)
    for i, s in enumerate(safe):
        a = policy[mdp.states.index(divmod(s, 4))]
        for side in (-1, 0, 1):
            dr, dc = order[(a + side) % 4]
            row, column = clipped(s // 4 + dr, s % 4 + dc, 4, 4)
            if lake[4 * row + column] in "SF":
                P[i][safe.index(4 * row + column)] += Fraction(1, 3)
            elif lake[4 * row + column] == "G":
                r[i] += Fraction(1, 3)
    exact = exact_values(P, r, 1)
    assert exact[0] == Fraction(14, 17)
    found = best(mdp)
    for s, value in zip(safe, exact, strict=True):
        assert found[divmod(s, 4)] == pytest.approx(float(value), abs=1e-12)
    assert best(book.frozen_lake(slippery=False))[0, 0] == 1


def test_the_taxi_earns_21_minus_its_steps_and_7_93_on_average():
    """Distances by a search on the map with its walls, drawn as in Gymnasium."""
    drawing = [
        "|R: | : :G|",
        "| : | : : |",
        "| : : : : |",
        "| | : | : |",
        "|Y| : |B: |",
    ]
    neighbors = {}
    for r, c in grid(5, 5):
        found = {(r - 1, c), (r + 1, c)}
        found |= {(r, c + 1)} if drawing[r][2 * c + 2] == ":" else set()
        found |= {(r, c - 1)} if drawing[r][2 * c] == ":" else set()
        neighbors[r, c] = {cell for cell in found if cell in grid(5, 5)}
    stands = {
        name: (r, c) for r, c in grid(5, 5) for name in drawing[r][2 * c + 1].strip()
    }
    to = {name: distances(neighbors, cell) for name, cell in stands.items()}
    found, starts = best(book.taxi()), []
    for cell, passenger, target in product(grid(5, 5), stands, stands):
        if passenger != target:
            steps = to[passenger][cell] + 1 + to[target][stands[passenger]] + 1
            starts.append(21 - steps)
            value = found[cell, passenger, target]
            assert value == pytest.approx(21 - steps, abs=1e-11)
    assert len(starts) == 300 and Fraction(sum(starts), 300) == Fraction(793, 100)


def test_the_random_walk_ends_at_the_right_in_proportion_to_the_cell():
    mdp = book.random_walk()
    exact = [float(Fraction(k, 6)) for k in range(1, 6)]
    assert policy_evaluation(mdp, ["walk"] * 5) == pytest.approx(exact, abs=1e-15 * 4)
    nineteen = book.random_walk(19)
    exact = [k / 20 for k in range(1, 20)]
    assert best(nineteen) == pytest.approx(dict(enumerate(exact, 1)), abs=1e-13)


def bold_play(p: Fraction) -> list[Fraction]:
    """v(s) = p v(2s) up to 50, p + (1 − p) v(2s − 100) from there, in fractions"""
    P = [[Fraction(0)] * 99 for _ in range(99)]
    r = [Fraction(0)] * 99
    for s in range(1, 100):
        stake = min(s, 100 - s)
        if s + stake < 100:
            P[s - 1][s + stake - 1] = p
        else:
            r[s - 1] = p
        if s - stake > 0:
            P[s - 1][s - stake - 1] = 1 - p
    return exact_values(P, r, 1)


def test_bold_play_is_optimal_at_two_fifths_and_ties_with_other_stakes():
    p = Fraction(2, 5)
    exact = bold_play(p)
    mdp = book.gambler()
    values = policy_iteration(mdp).values
    assert values == pytest.approx(np.array(exact, float), abs=1e-12)
    assert exact[49] == p and exact[24] == p**2 and exact[74] == p + (1 - p) * p
    value = [Fraction(0), *exact, Fraction(1)]
    optimal = optimal_actions(mdp)
    for s in range(1, 100):
        stakes = range(1, min(s, 100 - s) + 1)
        worth = {k: p * value[s + k] + (1 - p) * value[s - k] for k in stakes}
        assert max(worth.values()) == value[s]  # so bold play is optimal: T v = v
        ties = {k for k, x in worth.items() if x == value[s]}
        assert {mdp.actions[a] for a in np.flatnonzero(optimal[s - 1])} == ties
    assert optimal_names(mdp, 51) == {1, 49}
    assert optimal_names(mdp, 36) == {11, 14, 36}


def test_timid_play_is_optimal_at_11_to_9():
    """The gambler's ruin, (1 − ρˢ)/(1 − ρ¹⁰⁰), staking 1."""
    rho = Fraction(9, 11)
    exact = {s: float((1 - rho**s) / (1 - rho**100)) for s in range(1, 100)}
    mdp = book.gambler(p=0.55)
    assert best(mdp) == pytest.approx(exact, abs=1e-12)
    assert optimal_names(mdp, 50) == {1}


def test_the_student_earns_6_8_and_10():
    mdp = book.student()
    exact = {"class 1": 6.0, "class 2": 8.0, "class 3": 10.0, "phone": 6.0}
    assert best(mdp) == pytest.approx(exact, abs=1e-12)
    # The uniform policy, by hand: states class 1, 2, 3, phone.
    P = [
        [0, HALF, 0, HALF],
        [0, 0, HALF, 0],
        [HALF * FIFTH, HALF * 2 * FIFTH, HALF * 2 * FIFTH, 0],
        [HALF, 0, 0, HALF],
    ]
    rewards = [-HALF * 3, -1, HALF * 11, -HALF]
    exact = np.array(exact_values(P, rewards, 1), float)
    assert exact.round(1).tolist() == [-1.3, 2.7, 7.4, -2.3]  # as printed
    found = policy_evaluation(mdp, book.uniform_policy(mdp))
    assert found == pytest.approx(exact, abs=1e-12)


def rentals(n: int, requests: float, returns: float) -> tuple:
    """Next evening's distribution and income with n cars, outcome by outcome"""
    asked = poisson.pmf(range(40), requests).tolist()
    returned = poisson.pmf(range(40), returns).tolist()
    P, income = np.zeros(21), 0.0
    for wanted, back in product(range(40), range(40)):
        probability = asked[wanted] * returned[back]
        rented = min(n, wanted)
        P[min(n - rented + back, 20)] += probability
        income += 10 * rented * probability
    return P, income


def test_jacks_days_are_sums_over_all_requests_and_returns():
    mdp = book.cars()
    for state, moved in (((0, 0), 0), ((20, 3), 5), ((2, 19), -4), ((7, 7), 1)):
        s, a = mdp.states.index(state), mdp.actions.index(moved)
        first, income_1 = rentals(min(state[0] - moved, 20), 3, 3)
        second, income_2 = rentals(min(state[1] + moved, 20), 4, 2)
        # what 40 requests and more add is below 1e-20
        assert abs(mdp.P[s, a] - np.outer(first, second).ravel()).max() < 1e-14
        assert mdp.R[s, a] == pytest.approx(income_1 + income_2 - 2 * abs(moved))


def test_jack_moves_at_most_five_cars_to_the_second_place_and_four_back():
    mdp = book.cars()
    solution = policy_iteration(mdp)
    moved = np.array([mdp.actions[a] for a in solution.policy]).reshape(21, 21)
    assert moved.max() == 5 and moved.min() == -4
    assert moved[20, 0] == 5 and moved[0, 20] == -4 and moved[0, 0] == 0
    values = best(mdp)
    assert values[0, 0] == pytest.approx(421.41, abs=0.005)
    assert values[20, 20] == pytest.approx(636.99, abs=0.005)


def test_the_robot_searches_when_high_and_recharges_when_low():
    """v = 2 + γ(¾ v + ¼ γ v): v(high) = 2/(1 − ¾γ − ¼γ²) = 800/49 at γ = 9/10"""
    gamma = Fraction(9, 10)
    high = 2 / (1 - Fraction(3, 4) * gamma - Fraction(1, 4) * gamma**2)
    assert high == Fraction(800, 49)
    mdp = book.robot()
    exact = {"high": float(high), "low": float(gamma * high)}
    assert best(mdp) == pytest.approx(exact, abs=1e-12)
    assert optimal_names(mdp, "high") == {"search"}
    assert optimal_names(mdp, "low") == {"recharge"}


def test_the_inventory_is_worth_67_129_194_and_227_sixteenths():
    """Backward induction over three steps, in fractions."""
    demand = {0: Fraction(1, 4), 1: Fraction(1, 2), 2: Fraction(1, 4)}
    value, orders = [Fraction(0)] * 4, []
    for _ in range(3):
        worth = [
            {
                order: sum(
                    p * (8 * min(s + order, d) + value[max(s + order - d, 0)])
                    for d, p in demand.items()
                )
                - (s + order)
                - (4 + 2 * order if order else 0)
                for order in range(4 - s)
            }
            for s in range(4)
        ]
        value = [max(choices.values()) for choices in worth]
        orders.insert(0, [max(choices, key=choices.get) for choices in worth])
    assert [16 * v for v in value] == [67, 129, 194, 227]
    mdp = book.inventory()
    found = backward_induction(mdp, 3, gamma=1.0)
    assert (16 * found.values[0]).tolist() == [67, 129, 194, 227]
    names = [[mdp.actions[a] for a in stage] for stage in found.policies]
    assert names == orders and orders[0] == [3, 0, 0, 0]


def test_the_inventory_earns_97_forty_fourths_per_step_in_the_long_run():
    """Order 3 when empty. By hand: from 3, 2, 1 the stock falls by 0, 1 or 2, and so
    (10.3) is a system in fractions with h(0) = 0."""
    q, h = Fraction(1, 4), Fraction(1, 2)
    # unknowns g, h(1), h(2), h(3): g + h(s) − Σ P h = r
    P = {0: [0, q, h, q], 1: [3 * q, q, 0, 0], 2: [q, h, q, 0], 3: [0, q, h, q]}
    r = {0: Fraction(8) - 3 - 10, 1: Fraction(6) - 1, 2: Fraction(8) - 2}
    r[3] = Fraction(8) - 3
    rows = [[Fraction(s == t) - P[s][t] for t in range(1, 4)] for s in range(4)]
    system = [[-(x) for x in (Fraction(1), *row)] for row in rows]
    for s in range(4):
        system[s][s] += 1  # exact_values solves (I − M) x = r
    gain = exact_values(system, [r[s] for s in range(4)], 1)[0]
    solution = average_policy_iteration(book.inventory())
    assert solution.policy.tolist() == [3, 0, 0, 0]
    assert solution.gain == pytest.approx(float(gain), abs=1e-12)
    assert gain == Fraction(97, 44)


def test_a_forest_is_never_cut():
    """v₂ = 4 + γ(⅒ v₀ + 9/10 v₂) and so on; waiting is best at γ = 9/10."""
    tenth = Fraction(1, 10)
    P = [[tenth, 1 - tenth, 0], [tenth, 0, 1 - tenth], [tenth, 0, 1 - tenth]]
    exact = exact_values(P, [0, 0, 4], Fraction(9, 10))
    assert exact == [
        Fraction(26244, 1000),
        Fraction(29484, 1000),
        Fraction(33484, 1000),
    ]
    mdp = book.forest()
    states = ("young", "grown", "old")
    assert best(mdp) == pytest.approx(dict(zip(states, map(float, exact), strict=True)))
    assert all(optimal_names(mdp, state) == {"wait"} for state in states)
