"""The mdp command: the four-state example at some discount factors, text or JSON."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable

from .arguments import add_json, discount_factor, file_name
from .console import Console

HELP = "solve the four-state chain at each discount factor"

DRAWING = """\
         - reward 1      + reward 3
     ┌────────────┐ ┌───────────────────────┐
     │            ↓ ↓                       │
    -1 ←────────→  0  ←─────→ 1 ←─────────→ 2
"""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--gamma",
        type=discount_factor(),
        action="append",
        metavar="G",
        help="a discount factor, 0 <= G < 1; repeatable (default: 0.1 and 0.99)",
    )
    parser.add_argument(
        "--out",
        type=file_name(".svg"),
        metavar="FILE.svg",
        help="plot the values against the discount factor",
    )
    add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Solve the four-state chain: best policies and values at each discount factor.

    It also shows the discount factor at which they change.

    examples:
      numpyvae mdp
      numpyvae mdp --gamma 0.3 --gamma 0.4 --json
      numpyvae mdp --out chain.svg
    """
    results = chain_results(args.gamma or [0.1, 0.99])
    if args.out is not None:
        from ..pictures.chain import chain_svg
        from ..pictures.plots import write_svg

        write_svg(args.out, chain_svg())
    if args.json:
        console.json(results)
        return 0
    console.line(format_results(results).rstrip())
    if args.out is not None:
        console.line(f"Wrote {args.out}")
    return 0


def chain_results(discounts: Iterable[float]) -> dict:
    """The results shown by `numpyvae mdp`, JSON-serializable.

    "sweeps": of value iteration, to an error of at most 1e-8, or None where float64
       cannot certify that.
    "cross": the policy of the smallest discount factor evaluated at the largest.
    """
    from ..mdp.bellman import policy_evaluation
    from ..mdp.chain import four_state_chain
    from ..mdp.discount import critical_discounts

    solutions = [_solve_at(gamma) for gamma in discounts]
    myopic, farsighted = _smallest_and_largest(solutions)
    mdp = four_state_chain(farsighted["gamma"])
    evaluated = policy_evaluation(
        mdp, [mdp.actions.index(action) for action in myopic["policy"]]
    )
    return {
        "states": list(mdp.states),
        "discounts": solutions,
        "cross": {
            "policy": myopic["policy"],
            "gamma": farsighted["gamma"],
            "values": evaluated.tolist(),
        },
        "switches": critical_discounts(mdp),
    }


def _solve_at(gamma: float) -> dict:
    from ..mdp.bellman import bellman_residual
    from ..mdp.chain import four_state_chain
    from ..mdp.contraction import value_iteration
    from ..mdp.improvement import policy_iteration
    from ..mdp.ties import optimal_policies

    mdp = four_state_chain(gamma)
    solution = policy_iteration(mdp)
    try:  # the sweeps are enough where float64 can certify 1e-8
        sweeps = value_iteration(mdp, 1e-8, max_sweeps=100_000).iterations
    except ValueError:
        sweeps = None
    return {
        "gamma": mdp.gamma,
        "policy": _action_names(mdp, solution.policy),
        "values": solution.values.tolist(),
        "optimal_policies": [
            _action_names(mdp, policy) for policy in optimal_policies(mdp)
        ],
        "residual": bellman_residual(mdp, solution.values),
        "sweeps": sweeps,
    }


def _smallest_and_largest(solutions: list) -> tuple:
    ordered = sorted(solutions, key=lambda d: d["gamma"])
    return ordered[0], ordered[-1]


def format_results(results: dict) -> str:
    """Format the results as text."""
    lines = [
        (
            "A chain of four states. Action - moves left (←), + right (→); "
            "two have a reward, and lead to state 0."
        ),
        "",
        DRAWING,
    ]
    for d in results["discounts"]:
        lines += _format_discount(results["states"], d)
    lines += _format_comparison(results)
    lines += _format_switch(results["switches"])
    return "\n".join(lines) + "\n"


def _format_comparison(results: dict) -> list[str]:
    """The myopic policy at the largest discount factor; nothing if there is only one."""
    myopic, farsighted = _smallest_and_largest(results["discounts"])
    if myopic["gamma"] == farsighted["gamma"]:
        return []
    policy = _format_policy(myopic["policy"])
    lines = [
        (
            f"The myopic policy, {policy} of gamma = {myopic['gamma']:.12g}, "
            f"evaluated at gamma = {farsighted['gamma']:.12g}"
        ),
        "",
        "    state        its value     the optimal         loss",
    ]
    values = results["cross"]["values"]
    rows = zip(results["states"], values, farsighted["values"], strict=True)
    for state, value, best in rows:
        loss = max(0.0, 1 - value / best)
        lines.append(f"    {state:>5}  {value:>15.8f} {best:>15.8f} {loss:>12.1%}")
    return [*lines, ""]


def _format_switch(switches: list) -> list[str]:
    from ..mdp.chain import four_state_chain
    from ..mdp.discount import blackwell_policy

    mdp = four_state_chain(0.0)
    blackwell = _format_policy(_action_names(mdp, blackwell_policy(mdp)))
    (critical,) = switches
    return [
        (
            "The optimal policy changes at one discount factor only, "
            "between ← and → in state 0:"
        ),
        "",
        (
            f"    gamma* = {critical:.14f} = (√3 - 1)/2, a root of "
            "2g³ - 3g + 1 = (g - 1)(2g² + 2g - 1)"
        ),
        "",
        (
            "From state 0, left has reward 1 every two steps and right has reward 3 "
            "every three. For gamma < gamma* the"
        ),
        (
            "agent takes the small nearby reward, for gamma > gamma* the large "
            "distant one:"
        ),
        f"{blackwell} is optimal up to gamma = 1.",
    ]


def _format_discount(states: list, d: dict) -> list[str]:
    from ..mdp.chain import ARROWS, closed_form

    best = _format_policy(d["policy"])
    every = map(_format_policy, d["optimal_policies"])
    others = ", ".join(policy for policy in every if policy != best)
    ties = f"  (ties with {others})" if others else ""
    lines = [
        f"gamma = {d['gamma']:.12g}    optimal policy {best}{ties}",
        "",
        "    state  action          value      closed form",
    ]
    forms = closed_form(d["policy"], d["gamma"])
    rows = zip(states, d["policy"], d["values"], forms, strict=True)
    for state, action, value, (formula, exact) in rows:
        lines.append(
            f"    {state:>5}   {ARROWS[action]}   {value:>16.8f}      "
            f"{formula:<16} = {exact:.8f}"
        )
    sweeps = f"{d['sweeps']:,}" if d["sweeps"] else "more than float64 can certify"
    return [
        *lines,
        "",
        f"    sweeps of value iteration to reach 1e-8: {sweeps}",
        f"    largest residual of Bellman's equation: {d['residual']:.1e}",
        "",
    ]


def _format_policy(policy: list) -> str:
    from ..mdp.chain import ARROWS

    return "(" + " ".join(ARROWS[action] for action in policy) + ")"


def _action_names(mdp, policy) -> list[str]:
    return [mdp.actions[a] for a in policy]
