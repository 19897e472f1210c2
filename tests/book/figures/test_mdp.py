"""Figures of book two: slopes, roots and values, read back from their coordinates,
against independent arithmetic.
"""

import math
import re

import numpy as np
import pytest

from numpyvae.book.figures import mdp as figures_mdp
from numpyvae.mdp import critical_discounts, optimal_actions
from tests.pictures import reading
from tests.pictures.reading import read


def test_value_iterations_error_falls_by_gamma_per_sweep():
    svg = figures_mdp.value_iteration_svg()
    lines = read(svg, log_y=True)
    assert list(reading.legend(svg)) == [
        f"γ = {gamma:g}" for gamma in figures_mdp.DISCOUNTS
    ]
    for gamma, (sweeps, error) in zip(figures_mdp.DISCOUNTS, lines, strict=True):
        assert np.polyfit(sweeps, error, 1)[0] == pytest.approx(
            math.log10(gamma), rel=0.02
        )
        assert error[-1] < -6 < error[0]


def test_the_crossing_polynomial_has_its_root_at_the_critical_discount():
    """det(I − γ P_π) is 1 − γ², and the advantage of + in state 0 over the myopic
    policy follows from its values.
    """
    _, (gamma, p), _ = read(figures_mdp.advantage_polynomials_svg())
    v0, v1, v2 = gamma / (1 - gamma**2), None, None
    v2 = 3 + gamma * v0
    v1 = gamma * v2
    assert p == pytest.approx((gamma * v1 - v0) * (1 - gamma**2), abs=0.004)
    (root,) = gamma[:-1][(p[:-1] < 0) & (p[1:] >= 0) & (gamma[:-1] > 0.05)]
    assert root == pytest.approx(
        (math.sqrt(3) - 1) / 2, abs=0.006
    )  # the grid's step is 0.005


def test_the_touching_polynomial_touches_zero_and_is_not_critical():
    _, _, (gamma, p) = read(figures_mdp.advantage_polynomials_svg())
    assert p == pytest.approx(-((gamma - 0.5) ** 2), abs=0.004)
    assert critical_discounts(figures_mdp.touching_mdp(0.3)) == []
    assert optimal_actions(figures_mdp.touching_mdp(0.5))[0].tolist() == [True, True]
    assert optimal_actions(figures_mdp.touching_mdp(0.4))[0].tolist() == [True, False]


def test_the_root_is_marked_where_the_curve_crosses():
    svg = figures_mdp.advantage_polynomials_svg()
    dots = [dot for dot in reading.elements(svg, "circle") if dot.get("r") == "4"]
    assert reading.reader(svg, "x")(
        [float(dot.get("cx")) for dot in dots]
    ) == pytest.approx([0.3660], abs=0.001)
    assert "0.3660" in reading.texts(svg)


def brute_force():
    """Values of the grid world by iteration in plain Python, written from the rules
    alone
    """
    grid, gamma, reward, slip = figures_mdp.GRID, figures_mdp.GRID_DISCOUNT, -0.04, 0.1
    value = {
        (r, c): {"+": 1.0, "-": -1.0}.get(cell, 0.0)
        for r, row in enumerate(grid)
        for c, cell in enumerate(row)
        if cell != "#"
    }
    compass = {"up": (-1, 0), "right": (0, 1), "down": (1, 0), "left": (0, -1)}
    names, best = list(compass), {}
    for _ in range(3000):
        for r, c in [place for place in value if grid[place[0]][place[1]] == " "]:
            q = {}
            for i, name in enumerate(names):
                q[name] = reward
                for j, probability in (
                    (i, 1 - 2 * slip),
                    (i - 1, slip),
                    ((i + 1) % 4, slip),
                ):
                    dr, dc = compass[names[j]]
                    q[name] += (
                        gamma * probability * value.get((r + dr, c + dc), value[r, c])
                    )
            best[r, c] = max(q, key=q.get)
            value[r, c] = q[best[r, c]]
    return value, best


def test_the_grid_worlds_values_and_arrows_are_those_of_brute_force():
    value, best = brute_force()
    svg = figures_mdp.grid_world_svg()
    words = reading.texts(svg)
    for place, v in value.items():
        assert f"{v:.3g}".replace("-", "−") in words, place
    mdp = figures_mdp.grid_world(figures_mdp.GRID_DISCOUNT)
    chosen = {
        divmod(cell, 4): mdp.actions[row.argmax()]
        for cell, row in zip(mdp.states, optimal_actions(mdp), strict=True)
    }
    assert chosen == best
    assert len(re.findall("<polygon", svg)) == len(best) == 9 and {"+1", "−1"} <= set(
        words
    )
