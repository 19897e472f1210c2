"""The time of the MDP solvers beside what they are built on and, if it is installed,
QuantEcon; and how they scale.

    python tests/benchmark/mdp.py [RUNS] [--cpu]         RUNS: interleaved runs of each comparison (default 11)

Compare ratios, not the seconds of different machines: each run times the contestants
one after the other, and the ratios shown are the smallest, the median and the largest
over runs of the ratio to the first. --cpu: seconds of the processor, not of the clock,
for a machine that does other work; use one BLAS thread then.
"""

import resource
import sys
import time
from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_array, csr_array, csr_matrix

from numpyvae.mdp import (
    MDP,
    bellman_residual,
    modified_policy_iteration,
    policy_evaluation,
    policy_iteration,
)

try:
    from quantecon.markov import DiscreteDP
except ImportError:
    DiscreteDP = None


clock = time.process_time if "--cpu" in sys.argv else time.perf_counter


def dense_problem(S: int, A: int, gamma: float) -> MDP:
    rng = np.random.default_rng(0)
    P = rng.random((S, A, S))
    return MDP(P / P.sum(axis=2, keepdims=True), rng.random((S, A)), gamma)


def sparse_problem(S: int, A: int, successors: int, gamma: float) -> MDP:
    """Random next states: the factors of such a matrix are nearly dense."""
    rng = np.random.default_rng(0)
    matrices = []
    for _ in range(A):
        weights = rng.random((S, successors))
        entries = (weights / weights.sum(axis=1, keepdims=True)).ravel()
        matrices.append(
            coo_array(
                (
                    entries,
                    (
                        np.repeat(np.arange(S), successors),
                        rng.integers(S, size=S * successors),
                    ),
                ),
                shape=(S, S),
            ).tocsr()
        )
    return MDP(matrices, rng.random((S, A)), gamma)


def grid_world(side: int, gamma: float, goals: int | None = None) -> MDP:
    """Four moves; each goes to either side instead with probability 0.1; walls stop it.
    −1 per step, +5 in the last corner.

    goals: +5 in every cell whose row and column are multiples of this, instead.
    """
    S = side * side
    i, j = np.divmod(np.arange(S), side)
    moves = []
    for di, dj in ((-1, 0), (0, 1), (1, 0), (0, -1)):
        target = np.clip(i + di, 0, side - 1) * side + np.clip(j + dj, 0, side - 1)
        moves.append(csr_array((np.ones(S), (np.arange(S), target)), shape=(S, S)))
    R = np.full((S, 4), -1.0)
    R[-1 if goals is None else (i % goals == 0) & (j % goals == 0)] = 5.0
    return MDP(
        [
            0.8 * moves[a] + 0.1 * moves[a - 1] + 0.1 * moves[(a + 1) % 4]
            for a in range(4)
        ],
        R,
        gamma,
    )


def compare(title: str, runs: int, contestants: dict[str, Callable]) -> None:
    """Time each in turn, `runs` times, and print the median time and the ratios to the
    first: smallest, median, largest.
    """
    times = {name: [] for name in contestants}
    for run in range(runs + 1):  # the first run warms caches and QuantEcon's compiler
        for name, work in contestants.items():
            start = clock()
            work()
            if run:
                times[name].append(clock() - start)
    print(title)
    first = np.array(times[next(iter(times))])
    for name, seconds in times.items():
        low, ratio, high = np.percentile(np.array(seconds) / first, [0, 50, 100])
        print(
            f"  {name:<60}{np.median(seconds) * 1e3:>9.1f} ms {low:>8.2f} {ratio:>5.2f} {high:>5.2f}",
            flush=True,
        )


def quantecon_form(mdp: MDP):
    """The same problem in QuantEcon's state-action pairs, sparse."""
    S, A = mdp.R.shape
    pairs = np.repeat(np.arange(S), A), np.tile(np.arange(A), S)
    return DiscreteDP(mdp.R.ravel(), csr_matrix(mdp.transitions), mdp.gamma, *pairs)


def compare_sparse(title: str, runs: int, mdp: MDP, tolerance: float) -> None:
    """Modified policy iteration of both, and the error bound of what each returns."""
    solvers = {
        f"modified_policy_iteration to {tolerance:g}": lambda: (
            modified_policy_iteration(mdp, tolerance).values
        )
    }
    if DiscreteDP:
        peer = quantecon_form(mdp)
        solvers = {
            "QuantEcon, modified policy iteration to its epsilon of 1e-8": lambda: (
                peer.solve(method="mpi", epsilon=1e-8, max_iter=10_000).v
            )
        } | solvers
    compare(title, runs, solvers)
    for name, solve in solvers.items():
        print(
            f"  ‖T v − v‖/(1 − γ) = {bellman_residual(mdp, solve()) / (1 - mdp.gamma):.1e}   {name}"
        )


def scale(sides: tuple[int, ...]) -> None:
    """Time and memory by the number of states. A goal every 50 cells: larger grids are
    not deeper.
    """
    print("grid world, sparse, modified_policy_iteration to 1e-8, γ = 0.99")
    print(
        "     states   build s   solve s   µs per state   rounds   error bound   peak memory MB"
    )
    for side in sides:
        start = clock()
        mdp = grid_world(side, 0.99, goals=50)
        built = clock()
        solution = modified_policy_iteration(mdp, 1e-8)
        seconds = clock() - built
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"  {side * side:>9,} {built - start:>9.2f} {seconds:>9.2f} {seconds / side**2 * 1e6:>14.2f} "
            f"{solution.iterations:>8} {solution.error_bound:>13.1e} {memory:>16.0f}",
            flush=True,
        )


def evaluate_large(side: int) -> None:
    """Policy evaluation by the iterative solver."""
    mdp = grid_world(side, 0.99)
    policy = np.random.default_rng(0).integers(4, size=side * side)
    start = clock()
    v = policy_evaluation(mdp, policy)
    print(
        f"policy_evaluation, {side * side:,} states: {clock() - start:.1f} s, "
        f"error bound {bellman_residual(mdp, v, policy) / (1 - mdp.gamma):.1e}"
    )


def main(runs: int) -> None:
    scale((100, 316, 1000))
    evaluate_large(1000)

    mdp = dense_problem(1000, 4, 0.99)
    policy = np.random.default_rng(1).integers(4, size=1000)
    chosen = np.arange(1000), policy
    system, r = np.eye(1000) - mdp.gamma * mdp.P[chosen], mdp.R[chosen]
    compare(
        "the value of a policy, 1,000 states, dense",
        3 * runs,
        {
            "numpy.linalg.solve of the system, built before": lambda: np.linalg.solve(
                system, r
            ),
            "policy_evaluation (selects P_π and r_π, builds and solves)": lambda: (
                policy_evaluation(mdp, policy)
            ),
        },
    )

    contestants = {"policy_iteration": lambda: policy_iteration(mdp)}
    if DiscreteDP:
        dense = DiscreteDP(mdp.R, mdp.P, mdp.gamma)
        contestants = {
            "QuantEcon, policy iteration": lambda: dense.solve(method="pi")
        } | contestants
    compare("the optimal policy, 1,000 states, 4 actions, dense", runs, contestants)

    compare_sparse(
        "300 x 300 grid world, γ = 0.99, sparse", runs, grid_world(300, 0.99), 1e-9
    )
    for gamma in (0.95, 0.999):
        mdp = sparse_problem(20_000, 4, 8, gamma)
        compare_sparse(
            f"20,000 states, 4 actions, 8 random next states, γ = {gamma}",
            runs,
            mdp,
            1e-8,
        )
    if not DiscreteDP:
        print(
            "(QuantEcon is not installed: install it apart from the project to compare)"
        )


if __name__ == "__main__":
    main(next((int(argument) for argument in sys.argv[1:] if argument.isdigit()), 11))
