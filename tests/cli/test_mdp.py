"""The mdp command: its JSON and its text, against the closed forms."""

import json
from math import sqrt

import numpy as np
import pytest

from numpyvae.cli import main
from numpyvae.cli.mdp import chain_results, format_results
from numpyvae.mdp import four_state_chain


def myopic(g):
    return [
        1 / (1 - g**2),
        g / (1 - g**2),
        3 * g + g**3 / (1 - g**2),
        3 + g**2 / (1 - g**2),
    ]


def farsighted(g):
    return [
        1 + 3 * g**3 / (1 - g**3),
        3 * g**2 / (1 - g**3),
        3 * g / (1 - g**3),
        3 + 3 * g**3 / (1 - g**3),
    ]


def test_the_results_have_the_keys_that_scripts_rely_on():
    found = json.loads(json.dumps(chain_results([0.1, 0.99]), allow_nan=False))
    assert list(found) == ["states", "discounts", "cross", "switches"] and found[
        "states"
    ] == [-1, 0, 1, 2]
    small, large = found["discounts"]
    assert list(small) == [
        "gamma",
        "policy",
        "values",
        "optimal_policies",
        "residual",
        "sweeps",
    ]
    assert small["policy"] == ["-", "-", "+", "+"] and large["policy"] == [
        "-",
        "+",
        "+",
        "+",
    ]
    assert small["optimal_policies"] == [small["policy"]] and large[
        "optimal_policies"
    ] == [large["policy"]]
    assert np.allclose(small["values"], myopic(0.1), rtol=1e-12, atol=0)
    assert np.allclose(large["values"], farsighted(0.99), rtol=1e-12, atol=0)
    assert small["residual"] < 1e-15 and large["residual"] < 1e-12
    assert (small["sweeps"], large["sweeps"]) == (9, 2360)
    assert (
        found["cross"]["policy"] == small["policy"] and found["cross"]["gamma"] == 0.99
    )
    assert np.allclose(found["cross"]["values"], myopic(0.99), rtol=1e-12, atol=0)
    assert found["switches"] == pytest.approx([(sqrt(3) - 1) / 2], abs=1e-12)


def test_sweeps_are_the_first_that_the_bound_certifies():
    for g, exact in ((0.1, myopic(0.1)), (0.99, farsighted(0.99))):
        mdp, v, k, bound = four_state_chain(g), np.zeros(4), 0, np.inf
        while bound > 1e-8:
            last, v, k = v, (mdp.R + g * mdp.P @ v).max(axis=1), k + 1
            bound = g / (1 - g) * abs(v - last).max()
            assert abs(v - exact).max() <= bound * (
                1 + 1e-3
            )  # rounding, at most a thousandth of 1e-8
        assert chain_results([g])["discounts"][0]["sweeps"] == k


def test_the_policy_of_the_smallest_is_evaluated_at_the_largest():
    found = chain_results([0.9, 0.2, 0.5])
    assert [d["gamma"] for d in found["discounts"]] == [0.9, 0.2, 0.5]
    assert (
        found["cross"]["policy"] == ["-", "-", "+", "+"]
        and found["cross"]["gamma"] == 0.9
    )


def test_where_float64_cannot_certify_the_sweeps_there_are_none():
    found = chain_results([0.99999])
    assert found["discounts"][0][
        "sweeps"
    ] is None and "more than float64 can certify" in format_results(found)


@pytest.mark.parametrize("gamma", [1.0, -0.1, float("nan")])
def test_a_discount_outside_its_range_is_refused_in_one_line(gamma):
    with pytest.raises(ValueError, match="gamma is") as caught:
        chain_results([0.5, gamma])
    assert "\n" not in str(caught.value)


def test_the_text_shows_the_numbers_beside_their_closed_forms():
    text = format_results(chain_results([0.1, 0.99]))
    for piece in (
        "(← ← → →)",
        "(← → → →)",
        "0.30101010      3g + g³/(1-g²)   = 0.30101010",
        "101.00670011      3/(1-g³)",
        "to reach 1e-8: 9\n",
        "to reach 1e-8: 2,360\n",
        "51.72874372",
        "0.36602540378444 = (√3 - 1)/2",
        "(← → → →) is optimal up to gamma = 1",
    ):
        assert piece in text


def test_the_text_names_ties():
    assert "(ties with (← → → →))" in format_results(chain_results([(sqrt(3) - 1) / 2]))
    assert format_results(chain_results([0.0])).count("), (") == 2


def test_a_single_discount_is_not_compared_with_itself():
    assert "evaluated" not in format_results(chain_results([0.5]))


def test_the_command_prints_the_text_or_one_json_object(capsys):
    assert main(["mdp", "--gamma", "0.5"]) == 0
    assert capsys.readouterr().out == format_results(chain_results([0.5]))
    assert main(["mdp", "--gamma", "0.5", "--gamma", "0.25", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == chain_results([0.5, 0.25])


def test_the_loss_of_the_myopic_policy_is_a_percentage(capsys):
    row = next(
        line
        for line in format_results(chain_results([0.1, 0.99])).splitlines()
        if "51.72874372" in line
    )
    loss = 1 - myopic(0.99)[2] / farsighted(0.99)[2]
    assert row.split() == ["1", "51.72874372", "99.99663311", f"{loss:.1%}"]


@pytest.mark.parametrize("gamma", ["1", "-0.5", "nan", "half"])
def test_a_discount_factor_on_the_command_line_is_in_its_range(capsys, gamma):
    assert main(["mdp", "--gamma", gamma]) == 2
    assert capsys.readouterr().err == (
        f"numpyvae: error: argument --gamma: must be a number, 0 <= G < 1, not {gamma!r} (see `numpyvae mdp --help`)\n"
    )
