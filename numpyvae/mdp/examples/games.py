"""Optional reading: examples in which an episode is a game with an end."""

from ..model import MDP


def random_walk(states: int = 5, gamma: float = 1.0) -> MDP:
    """A walk that ends on both sides. Sutton & Barto (2018), example 6.2.

    A step goes to either neighbor with probability ½; there is one action, "walk". The
    walk ends beyond the first and beyond the last of the cells 1, …, n. Only the right
    end earns 1.

    Answer at γ = 1: k/(n + 1) in cell k, the probability of ending at the right.
    """
    table = {
        k: {
            "walk": [
                (0.5, k - 1, 0.0, k == 1),
                (0.5, k + 1, 1.0 if k == states else 0.0, k == states),
            ]
        }
        for k in range(1, states + 1)
    }
    return MDP.from_transitions(table, gamma)


def gambler(p: float = 0.4, goal: int = 100, gamma: float = 1.0) -> MDP:
    """Stakes on a coin until all is lost or the goal won. Sutton & Barto, example 4.3.

    A state is the capital, 1 to goal − 1; an action is a stake, at least 1, at most the
    capital and what is missing to the goal. With probability p the stake is won, else
    lost. Only the goal earns 1. The labels of actions are the stakes: stake k has the
    number k − 1.

    Answer at γ = 1: for p < ½ bold play is optimal, staking all or what is missing; so
    v*(50) = p, v*(25) = p², v*(75) = p + (1 − p) p. It is not the only optimal policy:
    with 51 the stakes 1 and 49 are equally good, with 36 the stakes 11, 14 and 36. The
    odd, jagged policy that the book draws takes the smallest of the best stakes. For
    p > ½ timid play is best, and v*(s) = (1 − ρˢ)/(1 − ρ¹⁰⁰) with ρ = (1 − p)/p.
    """

    def outcomes(capital, stake):
        won, lost = capital + stake, capital - stake
        reward = 1.0 if won == goal else 0.0
        return [(p, won, reward, won == goal), (1 - p, lost, 0.0, lost == 0)]

    table = {
        capital: {
            stake: outcomes(capital, stake)
            for stake in range(1, min(capital, goal - capital) + 1)
        }
        for capital in range(1, goal)
    }
    return MDP.from_transitions(table, gamma)


def student(gamma: float = 1.0) -> MDP:
    """Three classes, a pub, a phone. Silver, Lectures on reinforcement learning (2015).

    Studying costs 2 in the first two classes and leads to the next one; in the third it
    earns 10 and ends in sleep. The first class may be left for the phone at a cost of
    1; another look costs 1 again, and putting it away is free. The second may be left
    for sleep, the end, which is free. Going to the pub in the third earns 1 and leads
    to class 1, 2 or 3 with probabilities 0.2, 0.4, 0.4.

    Answer at γ = 1: 6, 8, 10 in the classes and 6 at the phone; under the uniform
    policy −1.3, 2.7, 7.4 and −2.3, rounded.
    """
    pub = [(0.2, "class 1", 1, False), (0.4, "class 2", 1, False)]
    table = {
        "class 1": {
            "study": [(1.0, "class 2", -2, False)],
            "phone": [(1.0, "phone", -1, False)],
        },
        "class 2": {
            "study": [(1.0, "class 3", -2, False)],
            "sleep": [(1.0, "sleep", 0, True)],
        },
        "class 3": {
            "study": [(1.0, "sleep", 10, True)],
            "pub": [*pub, (0.4, "class 3", 1, False)],
        },
        "phone": {
            "phone": [(1.0, "phone", -1, False)],
            "quit": [(1.0, "class 1", 0, False)],
        },
    }
    return MDP.from_transitions(table, gamma)
