"""Figures of book two: value iteration's error, the advantage polynomials, the values
of a grid world.

Each function returns an SVG document, computed by the package's own functions when it
is called.
"""

import math

import numpy as np

from ...mdp.bellman import advantages, induced_chain
from ...mdp.chain import four_state_chain
from ...mdp.contraction import value_iteration
from ...mdp.discount import critical_discounts
from ...mdp.improvement import policy_iteration
from ...mdp.model import MDP
from ...mdp.ties import optimal_actions
from ...pictures.gridworld import DIRECTIONS, gridworld_svg
from ...pictures.plots import Curve, chart

DISCOUNTS = (0.9, 0.97)
GRID = ("   +", " # -", "    ")  # + and - are endings, # is a wall
ENDINGS = {"+": 1.0, "-": -1.0}  # rewards
LIVING_REWARD, SLIP = -0.04, 0.1  # per step; the probability of slipping to each side
GRID_DISCOUNT = 0.99


def value_iteration_svg() -> str:
    """The error ‖v − v*‖ of value iteration against sweeps, at two discount factors:
    lines of slope log γ.
    """
    curves = []
    for color, gamma in enumerate(DISCOUNTS):
        errors = sweep_errors(gamma)
        sweeps = np.arange(1, len(errors) + 1)
        curves.append(Curve(f"γ = {gamma:g}", sweeps, errors, color=color))
    return chart(
        "Error of value iteration against sweeps",
        curves,
        "sweeps",
        "error ‖v − v*‖",
        log_y=True,
    )


def sweep_errors(gamma: float) -> list[float]:
    """‖v − v*‖ after each sweep of value iteration on the four-state chain."""
    mdp, errors = four_state_chain(gamma), []
    exact = policy_iteration(mdp).values

    def after_sweep(_, v):
        errors.append(abs(v - exact).max())

    value_iteration(mdp, 1e-6, on_sweep=after_sweep)
    return errors


def advantage_polynomials_svg() -> str:
    """p(γ) for an action of two problems: one p crosses zero, where the optimal policy
    changes; one touches it.
    """
    gammas = np.linspace(0.005, 0.995, 199)
    crossing = [
        advantage_polynomial(four_state_chain(g), (0, 0, 1, 1), 1, 1) for g in gammas
    ]
    touching = [advantage_polynomial(touching_mdp(g), (0, 0, 0), 0, 1) for g in gammas]
    critical = critical_discounts(four_state_chain(0.5))
    zero = Curve("", (0.005, 0.995), (0, 0), "dashed", 3)
    return chart(
        "Advantage polynomials: a crossing and a touching root",
        [
            zero,
            Curve("crosses: critical", gammas, crossing),
            Curve("touches: not critical", gammas, touching, color=1),
            Curve("", critical, [0.0] * len(critical), "dots"),
        ],
        "discount factor γ",
        "p(γ)",
        notes=[(g - 0.02, 0.04, f"{g:.4f}", "end") for g in critical],
    )


def advantage_polynomial(mdp: MDP, policy: tuple[int, ...], s: int, a: int) -> float:
    """p(γ) of the chapter discount at the MDP's γ: the advantage of action a in state s
    over the policy, times det(I − γ P_π).
    """
    P, _ = induced_chain(mdp, np.array(policy))
    return float(
        advantages(mdp, np.array(policy))[s, a]
        * np.linalg.det(np.eye(len(P)) - mdp.gamma * P)
    )


def touching_mdp(gamma: float) -> MDP:
    """Stop with reward 0, or take −1/4, 1 and −1 on the way to the end: the advantage
    of that is −(γ − ½)².
    """
    return MDP.from_transitions(
        {
            0: {"stop": [(1.0, 0, 0.0, True)], "go": [(1.0, 1, -0.25, False)]},
            1: {"stop": [(1.0, 2, 1.0, False)]},
            2: {"stop": [(1.0, 0, -1.0, True)]},
        },
        gamma,
    )


def grid_world_svg() -> str:
    """The optimal values and actions of a small grid world."""
    mdp, columns = grid_world(GRID_DISCOUNT), len(GRID[0])
    cells = [cell for row in GRID for cell in row]
    values = np.full(len(cells), math.nan)
    actions = np.zeros((len(cells), len(DIRECTIONS)), bool)
    solution, optimal = policy_iteration(mdp), optimal_actions(mdp)
    for i, cell in enumerate(mdp.states):
        values[cell], actions[cell] = solution.values[i], optimal[i]
    labels = ["" for _ in cells]
    for i, cell in enumerate(cells):
        if cell in ENDINGS:
            values[i] = ENDINGS[cell]
            labels[i] = f"{ENDINGS[cell]:+g}".replace("-", "−")
    return gridworld_svg(
        values,
        actions,
        columns,
        tuple(DIRECTIONS),
        labels,
        "Values and optimal actions",
    )


def grid_world(gamma: float) -> MDP:
    """The grid as an MDP. A step goes in its direction with probability 0.8 and to each
    side of it with 0.1; against a wall or the edge it stays. An ending pays its reward
    on arrival.
    """
    height, width, order = len(GRID), len(GRID[0]), list(DIRECTIONS.values())

    def outcome(row, column, dx, dy):
        r, c = row + dy, column + dx
        if not (0 <= r < height and 0 <= c < width) or GRID[r][c] == "#":
            r, c = row, column
        reward = LIVING_REWARD + gamma * ENDINGS.get(GRID[r][c], 0.0)
        return r * width + c, reward, GRID[r][c] in ENDINGS

    sides = ((0, 1 - 2 * SLIP), (1, SLIP), (-1, SLIP))
    table: dict[int, dict] = {}
    for cell in range(height * width):
        row, column = divmod(cell, width)
        if GRID[row][column] != " ":
            continue
        table[cell] = {}
        for i, name in enumerate(DIRECTIONS):
            table[cell][name] = [
                (p, *outcome(row, column, *order[(i + side) % 4])) for side, p in sides
            ]
    return MDP.from_transitions(table, gamma)
