"""The assignment's chain, worked: values in closed form, and the report that `python -m numpyvae mdp` prints.

    states -1, 0, 1, 2;  - in state -1 pays 1 and + in state 2 pays 3, and both land in 0;
    every other move shifts by one and pays nothing

No linear system is needed to find the value of a policy here. The moves are certain and the states are four, so
whoever follows the arrows soon comes round to a state he has been in. With T steps on the way there and L steps
round, payments r₀, r₁, …,

    v = Σ_{t<T} γᵗ rₜ  +  ( Σ_{t<L} γ^(T+t) r_(T+t) ) / (1 - γᴸ),

since the round is repeated for ever, each time discounted by a further γᴸ. In state 0, then, to go left earns 1 on
the second step of every two, and to go right earns 3 on the third step of every three,

    γ/(1-γ²)  against  3γ²/(1-γ³),        equal where  2γ³ - 3γ + 1 = (γ-1)(2γ²+2γ-1) = 0,

which inside (0, 1) is at γ* = (√3-1)/2 alone. Below it 1 soon is worth more than 3 late; above it, less.

Next: chain_picture, which draws this.
"""

from collections.abc import Iterable

from .solvers import (blackwell_policy, chain, discount_switches, optimal_policies, policy_evaluation, policy_iteration,
                          residual, value_iteration)

DRAWING = """\
         - pays 1        + pays 3
     ┌────────────┐ ┌───────────────────────┐
     │            ↓ ↓                       │
    -1 ←────────→  0  ←─────→ 1 ←─────────→ 2
"""
ARROWS = {"-": "←", "+": "→"}


def closed_form(policy: Iterable[str], gamma: float) -> list[tuple[str, float]]:
    """(formula in g, value) for each state of the chain. policy: "-" or "+" for each."""
    mdp = chain(gamma)
    moves = [mdp.actions.index(move) for move in policy]
    forms = []
    for s in range(4):
        path = [s]
        while (t := int(mdp.P[path[-1], moves[path[-1]]].argmax())) not in path:
            path.append(t)
        begin = path.index(t)                                       # T; and L is what follows it
        pays = [(int(mdp.R[s, moves[s]]), k) for k, s in enumerate(path)]
        once, ever, L = pays[:begin], pays[begin:], len(path) - begin
        forms.append((_formula(once, ever, L), _sum(once, gamma) + _sum(ever, gamma) / (1 - gamma**L)))
    return forms


def report(discounts: Iterable[float]) -> dict:
    """All that the command reports, as plain numbers and strings. ValueError if a discount is not in [0, 1).

    "sweeps": those that value iteration needs to be within 1e-8, or None where float64 cannot certify that.
    "cross": the policy of the smallest discount, evaluated at the largest.
    """
    worked = [_at(gamma) for gamma in discounts]
    near, far = min(worked, key=lambda d: d["gamma"]), max(worked, key=lambda d: d["gamma"])
    mdp = chain(far["gamma"])
    judged = policy_evaluation(mdp, [mdp.actions.index(move) for move in near["policy"]])
    return {"states": list(mdp.states), "discounts": worked,
            "cross": {"policy": near["policy"], "gamma": far["gamma"], "values": judged.tolist()},
            "switches": discount_switches(mdp.P, mdp.R)}


def _at(gamma: float) -> dict:
    mdp = chain(gamma)
    solution = policy_iteration(mdp)
    try:
        sweeps = value_iteration(mdp, 1e-8, max_sweeps=100_000).steps   # enough wherever float64 can certify 1e-8
    except ValueError:
        sweeps = None
    return {"gamma": mdp.gamma, "policy": _moves(mdp, solution.policy), "values": solution.values.tolist(),
            "optimal_policies": [_moves(mdp, policy) for policy in optimal_policies(mdp)],
            "residual": residual(mdp, solution.values), "sweeps": sweeps}


def report_text(report: dict) -> str:
    """The report for people."""
    lines = ["A chain of four states. - moves left and + moves right; two moves pay, and both land in 0.", "", DRAWING]
    for d in report["discounts"]:
        lines += _discount_text(report["states"], d)

    near = min(report["discounts"], key=lambda d: d["gamma"])
    far = max(report["discounts"], key=lambda d: d["gamma"])
    if near["gamma"] < far["gamma"]:
        lines += [f"The short-sighted policy, {_arrows(near['policy'])} of gamma = {near['gamma']:.12g}, "
                  f"judged at gamma = {far['gamma']:.12g}", "",
                  "    state        its value     the optimal    it forgoes"]
        for state, value, best in zip(report["states"], report["cross"]["values"], far["values"]):
            lines.append(f"    {state:>5}  {value:>15.8f} {best:>15.8f} {max(0.0, 1 - value / best):>12.1%}")
        lines.append("")

    mdp = chain(0.0)
    patient = _arrows(_moves(mdp, blackwell_policy(mdp.P, mdp.R)))
    (switch,) = report["switches"]
    return "\n".join(lines + [
        "The optimal policy changes at one discount only, between ← and → in state 0:", "",
        f"    gamma* = {switch:.14f} = (√3 - 1)/2, a root of 2g³ - 3g + 1 = (g - 1)(2g² + 2g - 1)", "",
        "What it means: from state 0, left earns 1 every two moves and right earns 3 every three, so an agent that looks near",
        "takes the small payment next door, and one that looks further than gamma* walks to the large one: from there on,",
        f"up to gamma = 1, {patient} is optimal."]) + "\n"


def _discount_text(states: list, d: dict) -> list[str]:
    others = [_arrows(policy) for policy in d["optimal_policies"] if policy != d["policy"]]
    ties = f"  (and {len(others)} more, equally good: {', '.join(others)})" if others else ""
    lines = [f"gamma = {d['gamma']:.12g}    optimal policy {_arrows(d['policy'])}{ties}", "",
             "    state  move            value      closed form"]
    forms = closed_form(d["policy"], d["gamma"])
    for state, move, value, (formula, exact) in zip(states, d["policy"], d["values"], forms):
        lines.append(f"    {state:>5}   {ARROWS[move]}   {value:>16.8f}      {formula:<16} = {exact:.8f}")
    sweeps = f"{d['sweeps']:,}" if d["sweeps"] else "more than float64 can certify"
    return lines + ["", f"    sweeps of value iteration to come within 1e-8: {sweeps}",
                    f"    largest residual of Bellman's equation: {d['residual']:.1e}", ""]


def _arrows(policy: list) -> str:
    return "(" + " ".join(ARROWS[move] for move in policy) + ")"


def _moves(mdp, policy) -> list[str]:
    return [mdp.actions[a] for a in policy]


def _sum(payments: list, gamma: float) -> float:
    return sum(r * gamma**k for r, k in payments)


def _formula(once: list, ever: list, L: int) -> str:
    def power(k):
        return "g" + {1: "", 2: "²", 3: "³", 4: "⁴"}[k]

    def terms(payments):
        return [str(r) if k == 0 else (str(r) if r > 1 else "") + power(k) for r, k in payments if r]

    return " + ".join(terms(once) + [f"{term}/(1-{power(L)})" for term in terms(ever)]) or "0"
