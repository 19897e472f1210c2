"""Optional reading: examples of business that goes on without an end."""

import math

import numpy as np

from ..model import MDP


def cars(gamma: float = 0.9, most: int = 20, moves: int = 5) -> MDP:
    """Two places that rent cars. Sutton & Barto (2018), example 4.2.

    A state is (cars at the first place, cars at the second) at the end of a day, each
    at most `most`. An action moves −moves, …, moves cars from the first to the second
    overnight, at a cost of 2 per car, as many as are there; a place keeps at most
    `most`. The next day Poisson numbers of cars are asked for, 3 and 4 on average, and
    each one that is there earns 10. Then Poisson numbers come back, 3 and 2 on average,
    and can be rented on the day after that.

    Answer at γ = 0.9: v* is 421.41 without a car and 636.99 with 20 at each place; at
    most 5 cars are moved from the first place, at most 4 from the second.
    """
    count = most + 1
    first, first_income = _rental_day(most, requests=3.0, returns=3.0)
    second, second_income = _rental_day(most, requests=4.0, returns=2.0)
    states = [(i, j) for i in range(count) for j in range(count)]
    actions = list(range(-moves, moves + 1))
    S, A = len(states), len(actions)
    P, R = np.zeros((S, A, S)), np.full((S, A), -np.inf)
    for s, (i, j) in enumerate(states):
        for a, moved in enumerate(actions):
            if -j <= moved <= i:
                i_next, j_next = min(i - moved, most), min(j + moved, most)
                P[s, a] = np.outer(first[i_next], second[j_next]).ravel()
                income = first_income[i_next] + second_income[j_next]
                R[s, a] = income - 2 * abs(moved)
    return MDP(P, R, gamma, states, actions)


def _rental_day(most: int, requests: float, returns: float) -> tuple:
    """P (n, n′): cars in the evening given the morning; and the expected income (n,)"""
    wanted, back = _poisson(requests, most), _poisson(returns, most)
    P, income = np.zeros((most + 1, most + 1)), np.zeros(most + 1)
    for n in range(most + 1):
        rented = _capped(wanted, n)
        income[n] = 10 * (np.arange(n + 1) @ rented)
        for k, probability in enumerate(rented):
            left = n - k
            P[n, left:] += probability * _capped(back, most - left)
    return P, income


def _poisson(mean: float, most: int) -> np.ndarray:
    """The probabilities of 0, 1, …, most"""
    return np.array(
        [math.exp(-mean) * mean**k / math.factorial(k) for k in range(most + 1)]
    )


def _capped(probabilities: np.ndarray, most: int) -> np.ndarray:
    """Of the smaller of the number and `most`: the tail counts as `most`"""
    below = probabilities[:most]
    return np.append(below, 1 - below.sum())


def robot(
    gamma: float = 0.9,
    alpha: float = 0.75,
    beta: float = 0.5,
    search_reward: float = 2.0,
    wait_reward: float = 1.0,
) -> MDP:
    """A robot that collects cans, with a battery. Sutton & Barto (2018), example 3.3.

    The battery is "high" or "low". Searching earns `search_reward` and keeps a high
    battery high with probability alpha, a low one low with probability beta. If a low
    one runs out, the robot is rescued: that costs 3 in place of the reward, and the
    battery is high again. Waiting earns `wait_reward` and keeps the battery. With a low
    battery the robot may also recharge, which earns nothing.

    Answer for the numbers above: search when high, recharge when low. Then v(high) =
    2 + γ(¾ v(high) + ¼ v(low)) and v(low) = γ v(high), so v(high) = 800/49.
    """
    high, low = "high", "low"
    table = {
        high: {
            "search": [
                (alpha, high, search_reward, False),
                (1 - alpha, low, search_reward, False),
            ],
            "wait": [(1.0, high, wait_reward, False)],
        },
        low: {
            "search": [
                (beta, low, search_reward, False),
                (1 - beta, high, -3.0, False),
            ],
            "wait": [(1.0, low, wait_reward, False)],
            "recharge": [(1.0, high, 0.0, False)],
        },
    }
    return MDP.from_transitions(table, gamma)


def inventory(gamma: float = 0.9) -> MDP:
    """A store of at most three units. Puterman (1994), sections 3.2 and 4.6.

    A state is the stock, 0 to 3; an action is an order, which arrives at once. Ordering
    u > 0 units costs 4 + 2u, holding n units costs n, each unit sold earns 8. The
    demand is 0, 1 or 2 with probabilities ¼, ½, ¼; what is not there is not sold.

    Answer: with three steps to go and γ = 1, `backward_induction(mdp, 3, gamma=1)`, the
    values are 67/16, 129/16, 194/16 and 227/16.
    """
    demand = {0: 0.25, 1: 0.5, 2: 0.25}
    table: dict = {stock: {} for stock in range(4)}
    for stock in range(4):
        for order in range(4 - stock):
            full = stock + order
            cost = full + (4 + 2 * order if order > 0 else 0)
            table[stock][order] = [
                (p, full - min(full, d), 8 * min(full, d) - cost, False)
                for d, p in demand.items()
            ]
    return MDP.from_transitions(table, gamma)


def forest(gamma: float = 0.9, fire: float = 0.1) -> MDP:
    """A forest that is cut or left to grow. pymdptoolbox, example `forest`.

    The trees are "young", "grown" or "old". Waiting lets them become older, unless
    there is a fire, with probability `fire`: then they are young again. Waiting earns 4
    if they are old. Cutting earns 0, 1 or 2 by age, and young trees follow.

    Answer at γ = 0.9: always wait; 26.244, 29.484 and 33.484.
    """
    older = {"young": "grown", "grown": "old", "old": "old"}
    wood = {"young": 0.0, "grown": 1.0, "old": 2.0}
    table: dict = {}
    for age, next_age in older.items():
        reward = 4.0 if age == "old" else 0.0
        table[age] = {
            "wait": [
                (1 - fire, next_age, reward, False),
                (fire, "young", reward, False),
            ],
            "cut": [(1.0, "young", wood[age], False)],
        }
    return MDP.from_transitions(table, gamma)
