"""Optional reading: problems of the textbooks, ready to be solved.

    function         what it is                        γ     answer
    gridworld_3_5    two cells that pay and teleport   0.9   10/(1 − γ⁵) in the first
    gridworld_4_1    steps to one of two corners       1     −14, −20, −22, −18 random
    windy_grid       a wind that carries upward        1     15 steps
    cliff            the shortest way along a cliff    1     13 steps
    grid_4_3         AIMA: noisy steps, ends ±1        1     0.705 at (1, 1)
    frozen_lake      Gymnasium: ice and holes          1     14/17 from the start
    taxi             Gymnasium: fetch and deliver      1     7.93 on average
    random_walk      five cells, two ends              1     1/6, 2/6, …, 5/6
    gambler          stakes until 0 or 100             1     2/5 at 50, if p is 2/5
    student          Silver: classes, a pub, sleep     1     6, 8, 10 in the classes
    cars             Jack's two car rentals            0.9   421.41 to 636.99
    robot            recycling, with a battery         0.9   800/49, 720/49
    inventory        Puterman: orders for three steps  1     67, 129, 194, 227 over 16
    forest           cut, or wait for older trees      0.9   26.244, 29.484, 33.484

Each function returns an MDP, and its docstring states the problem, its source and the
answer. The states and actions have names:

    >>> from numpyvae.mdp import policy_evaluation, policy_iteration
    >>> from numpyvae.mdp.examples import forest, random_walk
    >>> print(policy_iteration(forest()).values.round(3).tolist())
    [26.244, 29.484, 33.484]
    >>> policy_evaluation(random_walk(), ["walk"] * 5).round(3).tolist()
    [0.167, 0.333, 0.5, 0.667, 0.833]

`uniform_policy` is the random policy that the books compare with.
"""

import numpy as np

from ..model import MDP
from .decisions import cars, forest, inventory, robot
from .games import gambler, random_walk, student
from .grids import (
    cliff,
    frozen_lake,
    grid_4_3,
    gridworld_3_5,
    gridworld_4_1,
    taxi,
    windy_grid,
)

__all__ = [
    "cars",
    "cliff",
    "forest",
    "frozen_lake",
    "gambler",
    "grid_4_3",
    "gridworld_3_5",
    "gridworld_4_1",
    "inventory",
    "random_walk",
    "robot",
    "student",
    "taxi",
    "uniform_policy",
    "windy_grid",
]


def uniform_policy(mdp: MDP) -> np.ndarray:
    """Probabilities (S, A): every action that a state has is equally likely."""
    return mdp.available / mdp.available.sum(axis=1, keepdims=True)
