"""The assignment's chain: its values, its switch, the slips in its printed answers, and the report."""

import json
from math import sqrt
from xml.etree import ElementTree

import numpy as np
import pytest

from numpyvae.mdp.chain import closed_form, report, report_text
from numpyvae.pictures.chain import report_svg
from numpyvae.mdp.solvers import chain
from numpyvae.mdp import enumerate_policies, optimal_policies, policy_evaluation, policy_iteration

NEAR, FAR = [0, 0, 1, 1], [0, 1, 1, 1]
DISCOUNTS = [0.0, 0.05, 0.1, 0.2, (sqrt(3) - 1) / 2, 0.5, 0.7, 0.9, 0.99, 0.999]


def near(g):
    return [1 / (1 - g**2), g / (1 - g**2), 3 * g + g**3 / (1 - g**2), 3 + g**2 / (1 - g**2)]


def far(g):
    return [1 + 3 * g**3 / (1 - g**3), 3 * g**2 / (1 - g**3), 3 * g / (1 - g**3), 3 + 3 * g**3 / (1 - g**3)]


@pytest.mark.parametrize("g", DISCOUNTS)
def test_both_policies_have_their_closed_forms(g):
    # both lose eps/(1 − g), here up to 2e-13 in relative terms, and a few roundings
    assert np.allclose(policy_evaluation(chain(g), NEAR), near(g), rtol=1e-12, atol=0)
    assert np.allclose(policy_evaluation(chain(g), FAR), far(g), rtol=1e-12, atol=0)


@pytest.mark.parametrize("g, policy, values", [
    (0.1, NEAR, [1.01010101, 0.10101010, 0.30101010, 3.01010101]),
    (0.99, FAR, [99.00670011, 98.99666678, 99.99663311, 101.00670011]),
])
def test_the_optimal_policies_and_values_are_the_assignments(g, policy, values):
    assert [found.tolist() for found in optimal_policies(chain(g))] == [policy]
    assert np.allclose(policy_iteration(chain(g)).values, values, rtol=0, atol=5.1e-9)          # eight places in print


def test_the_short_sighted_policy_judged_at_the_long_discount():
    assert np.allclose(policy_evaluation(chain(0.99), NEAR), [50.25125628, 49.74874372, 51.72874372, 52.25125628], rtol=0, atol=5.1e-9)


@pytest.mark.parametrize("g, policy, state, printed, right", [
    (0.1, NEAR, 2, 3 + 0.1**3 / (1 - 0.1**2), 3 * 0.1 + 0.1**3 / (1 - 0.1**2)),     # 3 for 3g
    (0.99, FAR, 0, 99.001, 99.007), (0.99, FAR, 1, 98.991, 98.997), (0.99, FAR, 2, 99.991, 99.997), (0.99, FAR, 3, 101.001, 101.007),
    (0.99, NEAR, 2, 51.13, 51.73),
])
def test_the_slips_in_the_printed_answers_are_slips(g, policy, state, printed, right):
    v = policy_evaluation(chain(g), policy)[state]
    assert abs(v - right) < 0.0013 + 1e-12 < 0.004 < abs(v - printed)               # two or three places in print


def test_at_the_switch_both_policies_are_optimal_and_state_0_is_indifferent():
    g = (sqrt(3) - 1) / 2
    assert [policy.tolist() for policy in optimal_policies(chain(g))] == [NEAR, FAR]
    assert np.allclose(near(g), far(g), rtol=1e-14, atol=0) and abs(2 * g**3 - 3 * g + 1) < 1e-15
    for step, policy in ((-1e-9, NEAR), (1e-9, FAR)):
        assert [found.tolist() for found in optimal_policies(chain(g + step))] == [policy]


@pytest.mark.parametrize("g", [1 - 1e-6, 1 - 1e-9, 1 - 1e-12])
def test_there_is_one_optimal_policy_however_near_the_discount_is_to_one(g):
    assert [policy.tolist() for policy in optimal_policies(chain(g))] == [FAR]


def test_the_moves_are_the_assignments():
    mdp = chain(0.5)
    assert mdp.states == (-1, 0, 1, 2) and mdp.actions == ("-", "+")
    lands = {(s, a): mdp.states[mdp.P[i, j].argmax()] for i, s in enumerate(mdp.states) for j, a in enumerate(mdp.actions)}
    assert lands == {(-1, "-"): 0, (-1, "+"): 0, (0, "-"): -1, (0, "+"): 1, (1, "-"): 0, (1, "+"): 2, (2, "-"): 1, (2, "+"): 0}
    assert mdp.R.tolist() == [[1, 0], [0, 0], [0, 0], [0, 3]]


@pytest.mark.parametrize("g", [0.0, 0.3, 0.9])
def test_following_the_arrows_gives_the_value_of_all_sixteen_policies(g):
    for policy in enumerate_policies(chain(g)):
        forms = closed_form(["-+"[a] for a in policy], g)
        assert np.allclose(policy_evaluation(chain(g), policy), [value for _, value in forms], rtol=0, atol=1e-13)
        for formula, value in forms:                    # and the formula that is printed is the one that was computed
            python = formula.replace("²", "**2").replace("³", "**3").replace("⁴", "**4").replace("3g", "3*g")
            assert eval(python, {"g": g}) == pytest.approx(value, abs=1e-14)


def test_the_formulas_are_those_of_the_derivation():
    assert [formula for formula, _ in closed_form("--++", 0.1)] == ["1/(1-g²)", "g/(1-g²)", "3g + g³/(1-g²)", "3 + g²/(1-g²)"]
    assert [formula for formula, _ in closed_form("-+++", 0.1)] == ["1 + 3g³/(1-g³)", "3g²/(1-g³)", "3g/(1-g³)", "3/(1-g³)"]


def test_the_report_holds_what_scripts_rely_on():
    found = json.loads(json.dumps(report([0.1, 0.99]), allow_nan=False))
    assert list(found) == ["states", "discounts", "cross", "switches"] and found["states"] == [-1, 0, 1, 2]
    small, large = found["discounts"]
    assert list(small) == ["gamma", "policy", "values", "optimal_policies", "residual", "sweeps"]
    assert small["policy"] == ["-", "-", "+", "+"] and large["policy"] == ["-", "+", "+", "+"]
    assert small["optimal_policies"] == [small["policy"]] and large["optimal_policies"] == [large["policy"]]
    assert np.allclose(small["values"], near(0.1), rtol=1e-12, atol=0) and np.allclose(large["values"], far(0.99), rtol=1e-12, atol=0)
    assert small["residual"] < 1e-15 and large["residual"] < 1e-12
    assert (small["sweeps"], large["sweeps"]) == (9, 2360)
    assert found["cross"]["policy"] == small["policy"] and found["cross"]["gamma"] == 0.99
    assert np.allclose(found["cross"]["values"], near(0.99), rtol=1e-12, atol=0)
    assert found["switches"] == pytest.approx([(sqrt(3) - 1) / 2], abs=1e-12)


def test_sweeps_are_the_first_that_the_bound_certifies():
    for g, exact in ((0.1, near(0.1)), (0.99, far(0.99))):
        mdp, v, k, bound = chain(g), np.zeros(4), 0, np.inf
        while bound > 1e-8:
            last, v, k = v, (mdp.R + g * mdp.P @ v).max(axis=1), k + 1
            bound = g / (1 - g) * abs(v - last).max()
            assert abs(v - exact).max() <= bound * (1 + 1e-3)      # rounding, at most a thousandth of 1e-8
        assert report([g])["discounts"][0]["sweeps"] == k


def test_the_report_takes_discounts_in_any_order_and_judges_the_smallest_at_the_largest():
    found = report([0.9, 0.2, 0.5])
    assert [d["gamma"] for d in found["discounts"]] == [0.9, 0.2, 0.5]
    assert found["cross"]["policy"] == ["-", "-", "+", "+"] and found["cross"]["gamma"] == 0.9


def test_where_float64_cannot_certify_the_sweeps_the_report_says_so():
    found = report([0.99999])
    assert found["discounts"][0]["sweeps"] is None and "more than float64 can certify" in report_text(found)


@pytest.mark.parametrize("gamma", [1.0, -0.1, float("nan")])
def test_a_discount_outside_its_range_is_refused_in_one_line(gamma):
    with pytest.raises(ValueError, match="gamma is") as caught:
        report([0.5, gamma])
    assert "\n" not in str(caught.value)


def test_the_text_shows_the_numbers_beside_their_closed_forms():
    text = report_text(report([0.1, 0.99]))
    for piece in ("(← ← → →)", "(← → → →)", "0.30101010      3g + g³/(1-g²)   = 0.30101010", "101.00670011      3/(1-g³)",
                  "within 1e-8: 9\n", "within 1e-8: 2,360\n", "51.72874372", "0.36602540378444 = (√3 - 1)/2", "What it means:"):
        assert piece in text


def test_the_text_names_equals():
    assert "(and 1 more, equally good: (← → → →))" in report_text(report([(sqrt(3) - 1) / 2]))
    assert "(and 3 more, equally good:" in report_text(report([0.0]))


def test_a_single_discount_is_not_judged_against_itself():
    assert "judged" not in report_text(report([0.5]))


def test_the_picture_is_svg_with_the_switch_marked_in_every_panel():
    root = ElementTree.fromstring(report_svg())
    tag = "{http://www.w3.org/2000/svg}"
    assert root.tag == tag + "svg"
    panels = root.findall(tag + "g")
    assert len(panels) == 4
    for panel in panels:
        lines = panel.findall(tag + "polyline")
        assert len(lines) == 2                          # both policies
        (mark,) = panel.findall(tag + "circle")
        point = f"{float(mark.get('cx')):.1f},{float(mark.get('cy')):.1f}"
        assert all(point in line.get("points").split() for line in lines)       # where the two meet
    assert "0.366025" in "".join(root.itertext())
