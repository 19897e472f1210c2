"""Optional reading: examples on a grid. A state is a cell, (row, column) from the top.

The actions are up, right, down and left, unless a docstring says otherwise.
"""

from collections.abc import Mapping
from itertools import product

from ..model import MDP

STEPS = {"up": (-1, 0), "right": (0, 1), "down": (1, 0), "left": (0, -1)}


def _move(cell: tuple, step: tuple, height: int, width: int) -> tuple:
    """The cell after a step; the same cell if the step leads out of the grid"""
    row, column = cell[0] + step[0], cell[1] + step[1]
    inside = 0 <= row < height and 0 <= column < width
    return (row, column) if inside else cell


def _cells(height: int, width: int) -> list[tuple]:
    return list(product(range(height), range(width)))


def gridworld_3_5(gamma: float = 0.9) -> MDP:
    """5 x 5 cells, two of which pay. Sutton & Barto (2018), examples 3.5 and 3.8.

    In cell (0, 1) every action earns 10 and leads to (4, 1), in (0, 3) every action
    earns 5 and leads to (2, 3). A step against the edge costs 1 and goes nowhere. Other
    steps earn nothing.

    Answer: 3.3, 8.8, 4.4, 5.3, 1.5 in the first row under the uniform policy, and 22.0,
    24.4, 22.0, 19.4, 17.5 at best. The best way repeats five steps that earn 10, so
    v*(0, 1) = 10/(1 − γ⁵).
    """
    jumps = {(0, 1): ((4, 1), 10.0), (0, 3): ((2, 3), 5.0)}

    def outcome(cell, step):
        if cell in jumps:
            following, reward = jumps[cell]
            return 1.0, following, reward, False
        following = _move(cell, step, 5, 5)
        return 1.0, following, -1.0 if following == cell else 0.0, False

    table = {
        cell: {name: [outcome(cell, step)] for name, step in STEPS.items()}
        for cell in _cells(5, 5)
    }
    return MDP.from_transitions(table, gamma)


def gridworld_4_1(gamma: float = 1.0) -> MDP:
    """4 x 4 cells, two corners of which end. Sutton & Barto (2018), example 4.1.

    Every step costs 1; one against the edge goes nowhere. The episode ends in the first
    and in the last cell.

    Answer at γ = 1: under the uniform policy 0, −14, −20, −22 in the first row and −14,
    −18, −20, −20 in the second; at best minus the number of steps to the nearer corner.
    """
    return _steps_to_an_end(4, 4, STEPS, [(0, 0), (3, 3)], gamma)


def windy_grid(gamma: float = 1.0, king: bool = False) -> MDP:
    """7 x 10 cells with a wind. Sutton & Barto (2018), example 6.5, exercise 6.9.

    Every step costs 1. In columns 3, 4, 5 and 8 the wind carries it one cell further
    up, in columns 6 and 7 two; what counts is the column where the step begins. The
    episode starts in (3, 0) and ends in (3, 7).

    king: whether there are diagonal steps too, "up right" and so on
    Answer at γ = 1: 15 steps from the start, 7 with a king's moves.
    """
    wind = (0, 0, 0, 1, 1, 1, 2, 2, 1, 0)
    steps = dict(STEPS)
    if king:
        for vertical, horizontal in product(("up", "down"), ("right", "left")):
            step = (STEPS[vertical][0], STEPS[horizontal][1])
            steps[f"{vertical} {horizontal}"] = step
    return _steps_to_an_end(7, 10, steps, [(3, 7)], gamma, wind)


def _steps_to_an_end(height, width, steps: Mapping, ends, gamma, wind=None) -> MDP:
    """Every step costs 1, until a cell of `ends`. wind: rows upward, per column."""

    def after(cell, step):
        row, column = cell[0] + step[0], cell[1] + step[1]
        row -= 0 if wind is None else wind[cell[1]]
        return min(max(row, 0), height - 1), min(max(column, 0), width - 1)

    table = {
        cell: {
            name: [(1.0, after(cell, step), -1.0, False)]
            for name, step in steps.items()
        }
        for cell in _cells(height, width)
    }
    return MDP.from_transitions(table, gamma, terminal=ends)


def cliff(gamma: float = 1.0) -> MDP:
    """4 x 12 cells with a cliff. Sutton & Barto (2018), example 6.6.

    The way leads from (3, 0) to (3, 11), where the episode ends. The cells between them
    are a cliff: a step onto it costs 100 and leads back to the start. Other steps cost
    1; one against the edge goes nowhere.

    Answer at γ = 1: −13 from the start, along the edge of the cliff.
    """
    start, goal = (3, 0), (3, 11)

    def outcome(cell, step):
        following = _move(cell, step, 4, 12)
        if following[0] == 3 and 0 < following[1] < 11:
            return 1.0, start, -100.0, False
        return 1.0, following, -1.0, False

    cells = [cell for cell in _cells(4, 12) if cell[0] < 3 or cell == start]
    table = {
        cell: {name: [outcome(cell, step)] for name, step in STEPS.items()}
        for cell in cells
    }
    return MDP.from_transitions(table, gamma, terminal=[goal])


def grid_4_3(gamma: float = 1.0, step_reward: float = -0.04) -> MDP:
    """4 x 3 cells with noisy steps. Russell & Norvig, AIMA, the chapter on decisions.

    Cells are (column, row) from 1, from the bottom left, as in that book; (2, 2) is a
    wall. A step goes as meant with probability 0.8, and to each side of that with 0.1;
    against the wall or the edge it goes nowhere. Every step earns `step_reward`. The
    episode ends in (4, 3), worth 1, and in (4, 2), worth −1.

    Answer at γ = 1 and −0.04: 0.705, 0.655, 0.611, 0.388 in the lowest row, 0.762 and
    0.660 in the middle, 0.812, 0.868, 0.918 in the highest.
    """
    steps = {"up": (0, 1), "right": (1, 0), "down": (0, -1), "left": (-1, 0)}
    order = list(steps)
    ends = {(4, 3): 1.0, (4, 2): -1.0}
    cells = [(x, y) for x in range(1, 5) for y in range(1, 4) if (x, y) != (2, 2)]

    def after(cell, step):
        following = (cell[0] + step[0], cell[1] + step[1])
        return following if following in cells else cell

    table: dict = {}
    for cell in cells:
        table[cell] = {}
        for number, name in enumerate(order):
            left, right = order[number - 1], order[(number + 1) % 4]
            table[cell][name] = [
                (probability, after(cell, steps[way]), step_reward, False)
                for way, probability in ((name, 0.8), (left, 0.1), (right, 0.1))
            ]
    return MDP.from_transitions(table, gamma, terminal=ends)


LAKE = ("SFFF", "FHFH", "FFFH", "HFFG")


def frozen_lake(gamma: float = 1.0, slippery: bool = True) -> MDP:
    """4 x 4 cells of ice. Gymnasium's FrozenLake-v1.

    A step goes as meant or to one side of that, each with probability 1/3; if the lake
    is not slippery, as meant. Against the edge it goes nowhere. A step onto the goal
    G earns 1, and the episode ends there and in the holes H. The map is `LAKE`.

    Answer at γ = 1: 14/17 from the start. No first step is better than "left", into the
    edge: the way along the edge cannot slip into a hole.
    """
    order = ("left", "down", "right", "up")  # Gymnasium's
    ends = [cell for cell in _cells(4, 4) if LAKE[cell[0]][cell[1]] in "GH"]
    table: dict = {}
    for cell in _cells(4, 4):
        table[cell] = {}
        for number, name in enumerate(order):
            ways = [name]
            if slippery:
                ways = [order[number - 1], name, order[(number + 1) % 4]]
            outcomes = []
            for way in ways:
                row, column = _move(cell, STEPS[way], 4, 4)
                reward = 1.0 if LAKE[row][column] == "G" else 0.0
                outcomes.append((1 / len(ways), (row, column), reward, False))
            table[cell][name] = outcomes
    return MDP.from_transitions(table, gamma, terminal=ends)


TAXI_STANDS = {"R": (0, 0), "G": (0, 4), "Y": (4, 0), "B": (4, 3)}
# Between these columns of these rows there is a wall.
TAXI_WALLS = {(0, 1), (1, 1), (3, 0), (4, 0), (3, 2), (4, 2)}


def taxi(gamma: float = 1.0) -> MDP:
    """Fetch a passenger and deliver him. Gymnasium's Taxi-v3; Dietterich 2000.

    A state is (cell of the taxi, where the passenger is, where he wants to go): 5 x 5
    cells, a stand R, G, Y, B or "taxi", a stand. Moves cost 1; walls and the edge stop
    them. "pickup" costs 1 where the passenger stands. "dropoff" earns 20 at the right
    stand, with the passenger on board, and ends the episode; at another stand it costs
    1, and he gets out. Elsewhere both cost 10 and change nothing.

    Answer at γ = 1: 21 minus the number of steps; 7.93 on average over the 300 starts
    with a passenger at one stand who wants to go to another one.
    """
    stand_at = {cell: stand for stand, cell in TAXI_STANDS.items()}

    def moved(cell, way):
        row, column = cell
        if way == "right" and (row, column) in TAXI_WALLS:
            return cell
        if way == "left" and (row, column - 1) in TAXI_WALLS:
            return cell
        return _move(cell, STEPS[way], 5, 5)

    def dropped(cell, passenger, target):
        stand = stand_at.get(cell)
        if passenger != "taxi" or stand is None:
            return 1.0, (cell, passenger, target), -10.0, False
        done = stand == target
        return 1.0, (cell, stand, target), 20.0 if done else -1.0, done

    table: dict = {}
    for cell, passenger, target in product(
        _cells(5, 5), [*TAXI_STANDS, "taxi"], TAXI_STANDS
    ):
        state = (cell, passenger, target)
        actions = {
            way: [(1.0, (moved(cell, way), passenger, target), -1.0, False)]
            for way in STEPS
        }
        if stand_at.get(cell) == passenger:
            actions["pickup"] = [(1.0, (cell, "taxi", target), -1.0, False)]
        else:
            actions["pickup"] = [(1.0, state, -10.0, False)]
        actions["dropoff"] = [dropped(cell, passenger, target)]
        table[state] = actions
    return MDP.from_transitions(table, gamma)
