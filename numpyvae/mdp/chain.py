"""Chapter 1. A four-state example, solved by hand.

The states are −1, 0, 1, 2. Action − moves one state to the left, action + one state to the right. Two actions have a
reward, and both lead to state 0: − in state −1 has reward 1, and + in state 2 has reward 3. All other rewards are 0.

             − reward 1        + reward 3
         ┌────────────┐ ┌───────────────────────┐
         │            ↓ ↓                       │
        −1 ←────────→  0  ←─────→ 1 ←─────────→ 2

A policy selects one action per state. Its value v(s) is the sum of the rewards from state s on, each discounted: a
reward k steps ahead counts γᵏ of its amount, with a discount factor γ, 0 ≤ γ < 1. Transitions are deterministic, so
every trajectory soon enters a cycle. With m steps before the cycle, n steps in it, and rewards r₀, r₁, …,

    v = Σ_{k<m} γᵏ r_k  +  ( Σ_{m≤k<m+n} γᵏ r_k ) / (1 − γⁿ),                                                    (1.1)

since the cycle repeats forever, each time discounted by another γⁿ, and 1 + γⁿ + γ²ⁿ + … = 1/(1 − γⁿ).

Two policies matter. Both take the reward of state −1 and of state 2, and move right in state 1. In state 0 the myopic
policy (− − + +) moves left, and has reward 1 on the second step of every two. The farsighted policy (− + + +) moves
right, and has reward 3 on the third step of every three. The program prints policies as arrows: − is ←, + is →, so
these two are (← ← → →) and (← → → →).

For example, the value of state 1. The myopic policy visits 1, 2, then the cycle 0, −1, 0, −1, …, so m = 2 and n = 2;
the farsighted one is in the cycle 1, 2, 0 from the start, so m = 0 and n = 3:

    rewards in states   1, 2, 0, −1       value of state 1, by (1.1)
    (− − + +)           0, 3, 0, 1        0 + 3γ + (0·γ² + 1·γ³)/(1 − γ²) = 3γ + γ³/(1 − γ²)
    (− + + +)           0, 3, 0           (0 + 3γ + 0·γ²)/(1 − γ³)        = 3γ/(1 − γ³)

From state 0 both policies are in their cycle from the start, and the values there are γ/(1 − γ²) and 3γ²/(1 − γ³).
They are equal where γ(1 − γ³) = 3γ²(1 − γ²). Divide by γ(1 − γ):

    1 + γ + γ² = 3γ(1 + γ),        so        2γ² + 2γ − 1 = 0,        γ* = (√3 − 1)/2 = 0.3660…                  (1.2)

Below γ* the small early reward is worth more; above it, the large late one. So the optimal policy depends on the
discount factor. The next chapters find optimal policies without a closed form.

The example is an exercise from a course; some values in its printed solution were wrong, and the tests list them. Why
it stands beside a VAE: both books evaluate an expectation. A VAE has no formula for it, so it bounds it and samples it.
Here transitions are deterministic, and the sum has a formula. With random transitions the trajectories are too many to
sum over, but chapter 3 reduces the expectation to a linear system.
"""

from collections.abc import Iterable

from .model import MDP

STATES, ACTIONS = (-1, 0, 1, 2), ("-", "+")
ARROWS = {"-": "←", "+": "→"}
NEXT_STATE = {
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
    """The example as an MDP (chapter 2). γ = 1 is refused: the process never ends."""
    return MDP.from_transitions(
        {
            s: {
                a: [(1.0, NEXT_STATE[s, a], REWARD.get((s, a), 0), False)]
                for a in ACTIONS
            }
            for s in STATES
        },
        gamma,
    )


def closed_form(policy: Iterable[str], gamma: float) -> list[tuple[str, float]]:
    """Equation (1.1) as (formula in g, value), for each state. policy: "-" or "+" for each state."""
    action = dict(zip(STATES, policy, strict=True))
    forms = []
    for start in STATES:
        path = [start]
        following = NEXT_STATE[start, action[start]]
        while following not in path:
            path.append(following)
            following = NEXT_STATE[following, action[following]]
        cycle_start = path.index(following)  # m
        cycle_length = len(path) - cycle_start  # n
        rewards = [(REWARD.get((s, action[s]), 0), k) for k, s in enumerate(path)]
        prefix, cycle = rewards[:cycle_start], rewards[cycle_start:]
        value = sum(r * gamma**k for r, k in prefix) + sum(
            r * gamma**k for r, k in cycle
        ) / (1 - gamma**cycle_length)
        forms.append((_format_formula(prefix, cycle, cycle_length), value))
    return forms


def _format_formula(prefix: list, cycle: list, cycle_length: int) -> str:
    def power(k):
        return "g" + {1: "", 2: "²", 3: "³", 4: "⁴"}[k]

    def terms(rewards):
        return [
            str(r) if k == 0 else (str(r) if r > 1 else "") + power(k)
            for r, k in rewards
            if r
        ]

    return (
        " + ".join(
            terms(prefix)
            + [f"{term}/(1-{power(cycle_length)})" for term in terms(cycle)]
        )
        or "0"
    )
