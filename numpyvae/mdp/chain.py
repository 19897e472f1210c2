"""Chapter 1. A four-state example, solved by hand.

The states are −1, 0, 1, 2. Action − moves one state to the left, action + one state
to the right. Two actions have a reward, and both lead to state 0: − in state −1 has
reward 1, and + in state 2 has reward 3. (+ in state −1 leads to state 0 as well,
without a reward.) All other rewards are 0.

             − reward 1        + reward 3
         ┌────────────┐ ┌───────────────────────┐
         │            ↓ ↓                       │
        −1 ←────────→  0  ←─────→ 1 ←─────────→ 2

A policy selects one action per state. Its value v(s) is the sum of the rewards from
state s on, each discounted: a reward k steps ahead counts γᵏ of its amount, with a
discount factor γ, 0 ≤ γ < 1. Transitions are deterministic, so every trajectory
soon enters a cycle. With m steps before the cycle, n steps in it, and rewards r₀,
r₁, …,

    v = Σ_{k<m} γᵏ r_k  +  ( Σ_{m≤k<m+n} γᵏ r_k ) / (1 − γⁿ).                  (1.1)

For the cycle repeats forever, each time discounted by another γⁿ, and
1 + γⁿ + γ²ⁿ + … = 1/(1 − γⁿ).

Of the sixteen policies two matter. For γ > 0 the best one takes these actions for
certain. (At γ = 0 both actions of state 1 are worth 0, and it may take either.)

    state −1    −. Both actions lead to state 0, and − has a reward.
    state 2     +. A policy that moves left instead never has the reward 3: from
                state 1 it comes back to 2, or goes on to 0. At best it is in state
                0 after two steps, where + leads in one step, with a reward.
    state 1     +. This brings 3 and state 0 after two steps, − brings state 0 after
                one. Coming one step later loses (1 − γ) v(0). That is less than 3,
                since no step has more than 3, and not every step has 3.

State 0 is left. The myopic policy (− − + +) moves left there, and has reward 1 on
the second step of every two. The farsighted policy (− + + +) moves right, and has
reward 3 on the third step of every three. The program prints policies as arrows: −
is ←, + is →, so these two are (← ← → →) and (← → → →).

For example, the value of state 1. The myopic policy visits 1, 2, then the cycle 0,
−1, 0, −1, …, so m = 2 and n = 2. The farsighted one is in the cycle 1, 2, 0 from
the start, so m = 0 and n = 3:

                rewards in   value of state 1, by (1.1)
                1, 2, 0, −1
    (− − + +)   0, 3, 0, 1   0 + 3γ + (0·γ² + 1·γ³)/(1 − γ²) = 3γ + γ³/(1 − γ²)
    (− + + +)   0, 3, 0      (0 + 3γ + 0·γ²)/(1 − γ³)        = 3γ/(1 − γ³)

From state 0 both policies are in their cycle from the start, and the values there
are γ/(1 − γ²) and 3γ²/(1 − γ³). They are equal where γ(1 − γ³) = 3γ²(1 − γ²).
Divide by γ(1 − γ):

    1 + γ + γ² = 3γ(1 + γ),     so     2γ² + 2γ − 1 = 0,
    γ* = (√3 − 1)/2 = 0.3660…                                                  (1.2)

Below γ* the small early reward is worth more; above it, the large late one. So the
optimal policy depends on the discount factor.

    >>> from numpyvae.mdp import four_state_chain, policy_evaluation
    >>> mdp = four_state_chain(0.5)
    >>> myopic, farsighted = [0, 0, 1, 1], [0, 1, 1, 1]
    >>> float(policy_evaluation(mdp, myopic)[2])      # 3/2 + (1/8)/(3/4)
    1.6666666666666667
    >>> float(policy_evaluation(mdp, farsighted)[2])  # (3/2)/(7/8)
    1.7142857142857142

The next chapters find optimal policies without a closed form.

The example is from an exercise sheet of a course. Three values in its printed
solution are wrong; tests/mdp/test_chain.py lists them. Why the example stands
beside a VAE: both books evaluate an expectation. A VAE has no formula for it, so it
bounds it and samples it. Here transitions are deterministic, and the sum has a
formula. With random transitions the trajectories are too many to sum over, but
chapter 3 reduces the expectation to a linear system.
"""

from collections.abc import Iterable

from .model import MDP

STATES = (-1, 0, 1, 2)
ACTIONS = ("-", "+")
ARROWS = {"-": "←", "+": "→"}
NEXT_STATE: dict[tuple[int, str], int] = {
    (-1, "-"): 0,
    (0, "-"): -1,
    (1, "-"): 0,
    (2, "-"): 1,
    (-1, "+"): 0,
    (0, "+"): 1,
    (1, "+"): 2,
    (2, "+"): 0,
}
REWARD = {(-1, "-"): 1, (2, "+"): 3}  # all others are 0


def four_state_chain(gamma: float) -> MDP:
    """The example as an MDP (chapter 2), with a discount factor γ < 1.

    At γ = 1 it has no best value, and the solvers say so: it never ends.
    """
    table: dict = {s: {} for s in STATES}
    for (s, a), following in NEXT_STATE.items():
        table[s][a] = [(1.0, following, REWARD.get((s, a), 0), False)]
    return MDP.from_transitions(table, gamma)


def closed_form(policy: Iterable[str], gamma: float) -> list[tuple[str, float]]:
    """Equation (1.1) as (formula in g, value), for each state.

    policy: "-" or "+" for each state
    """
    action: dict[int, str] = dict(zip(STATES, policy, strict=True))
    forms = []
    for start in STATES:
        path = [start]
        following = NEXT_STATE[start, action[start]]
        while following not in path:
            path.append(following)
            following = NEXT_STATE[following, action[following]]
        m = path.index(following)
        n = len(path) - m
        rewards = [(REWARD.get((s, action[s]), 0), k) for k, s in enumerate(path)]
        before, cycle = rewards[:m], rewards[m:]
        value = sum(r * gamma**k for r, k in before)
        value += sum(r * gamma**k for r, k in cycle) / (1 - gamma**n)
        forms.append((_format_formula(before, cycle, n), value))
    return forms


def _format_formula(before: list, cycle: list, n: int) -> str:
    terms = [_format_term(r, k) for r, k in before if r]
    terms += [f"{_format_term(r, k)}/(1-{_power(n)})" for r, k in cycle if r]
    return " + ".join(terms) or "0"


def _format_term(r: int, k: int) -> str:
    if k == 0:
        return str(r)
    return (str(r) if r > 1 else "") + _power(k)


def _power(k: int) -> str:
    return "g" + {1: "", 2: "²", 3: "³", 4: "⁴"}[k]
