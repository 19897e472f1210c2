"""How long the MDP solvers take, beside what they stand on and, if it is installed, QuantEcon.

    python tests/benchmark/mdp.py

One run, interleaved, medians: compare the ratios, not the seconds of one machine with another's.
"""

import time

import numpy as np
from scipy.sparse import csr_array, csr_matrix

from numpyvae.mdp import MDP, modified_policy_iteration, policy_evaluation, policy_iteration, residual

try:
    from quantecon.markov import DiscreteDP
except ImportError:
    DiscreteDP = None


def dense_problem(S: int, A: int, gamma: float) -> MDP:
    rng = np.random.default_rng(0)
    P = rng.random((S, A, S))
    return MDP(P / P.sum(axis=2, keepdims=True), rng.random((S, A)), gamma)


def grid_world(side: int, gamma: float) -> MDP:
    """Four moves; each goes astray to either side with probability 0.1; walls stop it. -1 a step, +5 in the last corner."""
    S = side * side
    i, j = np.divmod(np.arange(S), side)
    moves = []
    for di, dj in ((-1, 0), (0, 1), (1, 0), (0, -1)):
        there = np.clip(i + di, 0, side - 1) * side + np.clip(j + dj, 0, side - 1)
        moves.append(csr_array((np.ones(S), (np.arange(S), there)), shape=(S, S)))
    R = np.full((S, 4), -1.0)
    R[-1] = 5.0
    return MDP([0.8 * moves[a] + 0.1 * moves[a - 1] + 0.1 * moves[(a + 1) % 4] for a in range(4)], R, gamma)


def race(runs: int, contestants: dict) -> None:
    """Times each in turn, `runs` times over, and prints the medians as multiples of the first."""
    times = {name: [] for name in contestants}
    for run in range(runs + 1):                         # the first warms the caches (and QuantEcon's compiler) up
        for name, work in contestants.items():
            start = time.perf_counter()
            work()
            if run:
                times[name].append(time.perf_counter() - start)
    base = np.median(times[next(iter(times))])
    for name, seconds in times.items():
        print(f"  {name:<64}{runs:>4} x {np.median(seconds) * 1e3:>9.1f} ms {np.median(seconds) / base:>7.2f}")


def main() -> None:
    mdp = dense_problem(1000, 4, 0.99)
    rng = np.random.default_rng(1)
    policy = rng.integers(4, size=1000)
    chosen = np.arange(1000), policy
    system, r = np.eye(1000) - mdp.gamma * mdp.P[chosen], mdp.R[chosen]
    print("a policy's value, 1,000 states, dense")
    race(31, {"numpy.linalg.solve of the system, ready made": lambda: np.linalg.solve(system, r),
              "policy_evaluation (gathers P_π, r_π; builds the system; solves)": lambda: policy_evaluation(mdp, policy)})

    print("the optimal policy, 1,000 states, 4 actions, dense")
    contestants = {"policy_iteration": lambda: policy_iteration(mdp)}
    if DiscreteDP:
        peer = DiscreteDP(mdp.R, mdp.P, mdp.gamma)
        contestants = {"QuantEcon, policy iteration": lambda: peer.solve(method="pi")} | contestants
    race(5, contestants)

    grid = grid_world(300, 0.99)
    print("300 x 300 grid world, 90,000 states, sparse")
    contestants = {"modified_policy_iteration to 1e-9": lambda: modified_policy_iteration(grid, 1e-9)}
    if DiscreteDP:
        S, A = grid.R.shape
        where = np.repeat(np.arange(S), A), np.tile(np.arange(A), S)
        peer_grid = DiscreteDP(grid.R.ravel(), csr_matrix(grid.transitions), grid.gamma, *where)
        contestants = {"QuantEcon, modified policy iteration to its epsilon of 1e-8":
                       lambda: peer_grid.solve(method="mpi", epsilon=1e-8, max_iter=10_000)} | contestants
    race(5, contestants)
    solutions = {"modified_policy_iteration": modified_policy_iteration(grid, 1e-9).values}
    if DiscreteDP:
        solutions["QuantEcon"] = peer_grid.solve(method="mpi", epsilon=1e-8, max_iter=10_000).v
    for name, v in solutions.items():
        print(f"  max|T v - v| / (1-γ) = {bellman_residual(grid, v) / (1 - grid.gamma):.1e}   {name}")
    if not DiscreteDP:
        print("(QuantEcon is not installed: pip install quantecon, apart from the project, to see it beside these)")


if __name__ == "__main__":
    main()
