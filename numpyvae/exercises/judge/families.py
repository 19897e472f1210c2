"""Names that the judge finds itself: how wrong outputs are related to the right ones.

A family is a relation that is easily made by mistake: a constant factor or offset, a
transpose, a sum over an axis, exchanged outputs; or a kind of input for which alone a
function is right. It names an error if it holds in every ordinary trial.
"""

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...settings import VAEConfig
from .outputs import Failure, equal

ONLY_AXES = "the numbers are right; an axis is missing or too many"
NO_ARGUMENTS = ("exact", "dW", "db", "chunk_rows")  # of a trial, not of the function
WRONG_SIGN = "the sign is wrong: this is minus what is right"
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


class Case(NamedTuple):
    """One ordinary trial, what came out, and what is right"""

    trial: Any
    output: tuple | Failure
    expected: tuple
    wrong: bool

    @property
    def got(self) -> tuple:
        """The output, if it is one"""
        return () if isinstance(self.output, Failure) else self.output

    @property
    def tolerance(self) -> tuple[float, float]:
        return max(self.trial.rtol, 1e-7), self.trial.atol

    @property
    def direct(self) -> bool:
        """Whether the outputs are what the function returns, not what became of it"""
        what = self.trial.text.partition(":")[0]
        return "cache" not in what and "writes into" not in what

    @property
    def single(self) -> bool:
        """Whether an argument is float32"""
        values = self.trial.inputs.values()
        return any(getattr(value, "dtype", None) == np.float32 for value in values)


def close(case: Case, a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays are the same, to the tolerance of the case"""
    return equal((np.asarray(a),), (np.asarray(b),), *case.tolerance)


# Sizes


def sizes(inputs: dict) -> dict[str, float]:
    """The numbers that a factor may be by mistake: N, J, D, … of one input"""
    found: dict[str, float] = {}
    config, mdp = inputs.get("config"), inputs.get("mdp")
    if config is not None:
        found = {"N": len(inputs["x"]), "D": config.input_dim, "L": config.latent_dim}
        if inputs.get("eps") is not None:
            found["J"] = len(inputs["eps"])
        if "num_samples" in inputs:
            found["K"] = inputs["num_samples"]
        found["β"] = config.beta
        return found
    if mdp is not None:
        S, A = mdp.R.shape
        gamma = float(mdp.gamma)
        return {"S": float(S), "A": float(A), "γ": gamma, "(1 − γ)": 1 - gamma}
    if "W" in inputs:
        (N, I), O = inputs["x"].shape, inputs["W"].shape[1]
        return {"N": N, "I": I, "O": O}
    for names, letters in (
        (("logits",), "JND"),
        (("log_w",), "KN"),
        (("a",), "KN"),
        (("eps", "x", "mu", "mu_q", "logvar"), "JNL"),
    ):
        for name in names:
            if name in inputs:
                shape = np.shape(inputs[name])
                places = letters if letters == "KN" else letters[-len(shape) or 3 :]
                ones = dict.fromkeys(letters, 1.0)
                return ones | dict(zip(places, map(float, shape), strict=False))
    return found


def factors(inputs: dict) -> Iterator[tuple[str, float]]:
    """(words, factor) of what may be wrong by a constant"""
    yield WRONG_SIGN, -1.0
    yield "this is 2 times what is right", 2.0
    yield "this is half of what is right", 0.5
    for name, size in sizes(inputs).items():
        if size:
            yield f"this is {name} times what is right", float(size)
            yield f"this is what is right divided by {name}", 1 / size
            yield f"this is −{name} times what is right", -float(size)


def offsets(inputs: dict) -> Iterator[tuple[str, float]]:
    """(words, offset)"""
    counts = {"": 1.0, **{f"{name} · ": v for name, v in sizes(inputs).items()}}
    for count, number in counts.items():
        for words, value in (("½ log 2π", HALF_LOG_2PI), ("log 2π", 2 * HALF_LOG_2PI)):
            yield f"this is what is right minus {count}{words}", -number * value
            yield f"this is what is right plus {count}{words}", number * value
    for words, value in (("1", 1.0), ("½", 0.5)):
        yield f"this is what is right minus {words}", -value
        yield f"this is what is right plus {words}", value


# Relations of one output


def relations(case: Case, k: int) -> set[str]:
    """Words for each relation of output k to what is right, in one case"""
    got, right = case.got[k], case.expected[k]
    found = set(_of_the_same_shape(case, got, right))
    found |= set(_of_another_shape(case, got, right))
    if right.ndim < 2 and close(case, got, right):  # nothing to see
        found.add("this is transposed")
    if right.ndim == 0 and close(case, got, right):
        for which in ("first", "last"):
            found.add(f"this is summed over the {which} axis")
            found.add(f"this is the mean over the {which} axis")
    for name, value in case.trial.inputs.items():
        if isinstance(value, np.ndarray) and close(case, value, got):
            found.add(f"this is the argument {name} itself")
    return found


def _of_the_same_shape(case: Case, got: np.ndarray, right: np.ndarray) -> Iterator[str]:
    if got.shape != right.shape or got.dtype.kind == "c":
        return
    inputs = case.trial.inputs
    with np.errstate(all="ignore"):
        for words, factor in factors(inputs):
            if close(case, factor * right, got):
                yield words
        for words, offset in offsets(inputs):
            if close(case, right + offset, got):
                yield words
        for words, value in (
            ("the logarithm is missing: this is exp of what is right", np.exp(right)),
            ("this is the logarithm of what is right", np.log(right)),
            ("this is the square of what is right", np.square(right)),
            ("this is the square root of what is right", np.sqrt(right)),
            ("this is 1 minus what is right", 1 - right),
            ("this is 1 divided by what is right", 1 / right),
            ("this is the absolute value of what is right", np.abs(right)),
        ):
            if close(case, value, got):
                yield words
    if not got.any():
        yield "this is 0 in every entry"
    for axis in range(got.ndim):
        if got.shape[axis] > 1 and close(case, np.flip(right, axis), got):
            yield f"the order is reversed along axis {axis}"


def _of_another_shape(case: Case, got: np.ndarray, right: np.ndarray) -> Iterator[str]:
    if right.ndim == 2 and close(case, right.T, got):
        yield "this is transposed"
    if right.ndim == 3 and close(case, right.swapaxes(1, 2), got):
        yield "the last two axes are exchanged"
    if got.shape == right.shape:
        return
    if got.size == right.size and close(case, got.reshape(right.shape), right):
        yield ONLY_AXES
    for axis in range(right.ndim):
        for kept in (False, True):
            total = right.sum(axis, keepdims=kept)
            mean = right.mean(axis, keepdims=kept)
            for label in _labels(axis, right.ndim):
                if close(case, total, got):
                    yield f"this is summed over {label}"
                if close(case, mean, got):
                    yield f"this is the mean over {label}"
    for axis in range(got.ndim):
        for label in _labels(axis, got.ndim):
            if close(case, got.sum(axis), right):
                yield f"the sum over {label} is missing"
            if close(case, got.mean(axis), right):
                yield f"the mean over {label} is missing"
    if got.size > right.size > 0:
        try:
            broadcast = np.broadcast_to(right, got.shape)
        except ValueError:
            return
        if close(case, broadcast, got):
            yield "this was broadcast to a larger shape: each number is repeated"


def _labels(axis: int, ndim: int) -> Iterator[str]:
    """What an axis is called"""
    if axis == 0:
        yield "the first axis"
    if axis == ndim - 1:
        yield "the last axis"
    if 0 < axis < ndim - 1:
        yield f"axis {axis}"


# All outputs


def relation(cases: Sequence[Case], names: Callable[[Case], tuple]) -> str:
    """What relation the outputs have to the right ones, in every case; "" if none"""
    cases = [case for case in cases if case.direct]
    if not cases or any(isinstance(case.output, Failure) for case in cases):
        return ""
    exchanged = _exchanged(cases, names(cases[0]))
    if exchanged:
        return exchanged
    # Names differ from case to case, where they are those of a model's parameters.
    found: dict[str, set[str]] = {}
    wrong: list[str] = []
    zero: set[str] = set()
    for case in cases:
        for k, name in enumerate(names(case) or ("",)):
            here = relations(case, k)
            found[name] = found[name] & here if name in found else here
            if not close(case, case.expected[k], case.got[k]):
                wrong.append(name)
            elif not case.expected[k].any():
                zero.add(name)
    right = set(found) - set(wrong) - zero
    return _sentence({name: found[name] for name in wrong}, right)


def _exchanged(cases: Sequence[Case], names: Sequence[str]) -> str:
    """Two outputs in each other's place"""
    number = len(cases[0].expected)
    if not any(case.wrong for case in cases) or number > 8:
        return ""
    if any(len(case.expected) != number for case in cases):
        return ""
    for i, j in itertools.combinations(range(number), 2):
        order = list(range(number))
        order[i], order[j] = j, i
        if all(_in_order(case, order) for case in cases):
            return f"{names[i]} and {names[j]} are exchanged"
    return ""


def _in_order(case: Case, order: list[int]) -> bool:
    return all(
        close(case, case.expected[i], got)
        for i, got in zip(order, case.got, strict=True)
    )


def _sentence(found: dict[str, set[str]], right: set[str]) -> str:
    """found: the relations of each output that is wrong; right: the others' names"""
    if not found:
        return ""
    common = set.intersection(*found.values())
    group = _group(list(found))
    if common:
        return f"{group}: {_shortest(common)}" if right else _shortest(common)
    if all(found.values()):
        return "; ".join(f"{name}: {_shortest(s)}" for name, s in found.items())
    if not right or " more" in group:
        return ""
    return f"wrong: {group}; the rest is right"


def _shortest(words: set[str]) -> str:
    """The shortest statements, at most two"""
    for first in (ONLY_AXES, WRONG_SIGN):
        if first in words:
            return first
    first, *others = sorted(words, key=lambda text: (len(text), text))
    # “plus J · log 2π” says no more than “plus log 2π”, where J is 1.
    last = first.rpartition("right ")[2].split(" ", 1)[-1]
    others = [text for text in others if not text.endswith(f"· {last}")]
    return " or ".join([first, *others[:1]])


def _group(names: list[str]) -> str:
    """The names, or the network whose gradients they are"""
    for network in ("encoder", "decoder"):
        prefix = f"grads['{network}"
        if len(names) > 1 and all(name.startswith(prefix) for name in names):
            return f"the {network}'s gradient"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


# Right for some inputs only


def attributes(case: Case) -> dict[str, bool]:
    """Statements about an input, and whether they hold"""
    inputs = case.trial.inputs
    config, mdp, found = inputs.get("config"), inputs.get("mdp"), sizes(inputs)
    holds: dict[str, bool] = {"float64 arguments": not case.single}
    if "N" in found:
        holds["one image (N = 1)"] = found["N"] == 1
    for name in "JK":
        if name in found:
            holds[f"one sample ({name} = 1)"] = found[name] == 1
    if "mu_q" in inputs:
        given = [np.any(inputs.get(name, 0)) for name in ("mu_p", "logvar_p")]
        holds["the standard normal prior"] = not any(given)
        holds["a prior with logvar_p = 0"] = not given[1]
        holds["a prior with mu_p = 0"] = not given[0]
    if config is not None:
        holds["the standard normal prior"] = not np.any(
            np.concatenate([np.ravel(p) for p in config.prior])
        )
        holds["β = 1"] = config.beta == 1
        holds["networks without a hidden layer"] = config.hidden_dims == ()
        holds["networks of at most one hidden layer"] = len(config.hidden_dims) <= 1
        holds["a Bernoulli decoder"] = config.likelihood == "bernoulli"
        holds["a normal decoder"] = config.likelihood == "normal"
        holds["the activation relu"] = config.activation == "relu"
        holds["the activation tanh"] = config.activation == "tanh"
    if mdp is not None:
        policy = inputs.get("policy")
        holds["a deterministic policy"] = np.ndim(policy) < 2
        holds["no policy"] = policy is None
        holds["no `current`"] = inputs.get("current") is None
        holds["no start"] = inputs.get("start") is None
        holds["problems where every action is available"] = bool(
            np.isfinite(mdp.R).all()
        )
        holds["problems whose episodes do not end"] = bool(
            np.allclose(mdp.P.sum(axis=2)[np.isfinite(mdp.R)], 1)
        )
        holds["γ < 1"] = mdp.gamma < 1
        holds["rewards that are not negative"] = bool((mdp.R >= 0).all())
    if "axis" in inputs or "a" in inputs:
        holds["axis = 0"] = inputs.get("axis", 0) == 0
    if "t" in inputs:
        holds["step t = 1"] = inputs["t"] == 1
    if "shards" in inputs:
        holds["the whole vector as one shard"] = inputs["shards"] is None
        holds["one step"] = len(inputs["gradients"]) == 1
    if "W" in inputs:
        holds["a square W"] = found["I"] == found["O"]
    if "logits" in inputs:
        holds["logits that are not negative"] = bool(np.all(inputs["logits"] >= 0))
        holds["logits that are not positive"] = bool(np.all(inputs["logits"] <= 0))
    arrays = [v for v in inputs.values() if isinstance(v, np.ndarray) and v.ndim]
    holds["arguments of one shape"] = len({array.shape for array in arrays}) <= 1
    return holds


def right_where(cases: Sequence[Case]) -> str:
    """For which inputs alone a function is right; "" if for none that has a name"""
    passed = [attributes(case) for case in cases if not case.wrong]
    failed = [attributes(case) for case in cases if case.wrong]
    if not passed or not failed:
        return ""
    names = [
        name
        for name in passed[0]
        if all(holds.get(name) is True for holds in passed)
        and all(holds.get(name) is False for holds in failed)
    ]
    if names:
        return f"right for {' or '.join(names[:2])} only"
    labels = {_label(case) for case in cases if case.wrong}
    if len(labels) == 1 and not labels & {
        _label(case) for case in cases if not case.wrong
    }:
        (label,) = labels
        return f"right, except {label}" if label else ""
    return ""


def _label(case: Case) -> str:
    """What kind of trial it is: “what f writes into grads”, “f's cache, passed to g”"""
    label = case.trial.text.partition(":")[0]
    return label if "," in label or " " in label else ""


def single_inside(cases: Sequence[Case]) -> str:
    """Whether the outputs have seven right digits only"""
    wrong = [case for case in cases if case.wrong]
    if not wrong or any(isinstance(case.output, Failure) for case in wrong):
        return ""
    if all(equal(case.expected, case.output, 3e-6, 3e-7) for case in wrong):
        return "right to seven digits only: is something computed in float32?"
    return ""


# An argument that is ignored


def ignored(run: Callable, own: Callable, case: Case) -> str:
    """An argument that does not change what f returns, although it changes the right.

    run(trial, inputs) and own(trial, inputs): the outputs of f and of the package's
    """
    before = run(case.trial, case.trial.inputs)
    if isinstance(before, Failure):
        return ""
    again = run(case.trial, case.trial.inputs)
    if not equal(before, again, 0, 0):
        return "returns other numbers at each call: does it draw noise of its own?"
    right = own(case.trial, case.trial.inputs)
    found = []
    for words, inputs in variations(case.trial.inputs):
        moved = own(case.trial, inputs)
        if isinstance(moved, Failure) or equal(right, moved, 1e-6, 1e-9):
            continue
        if equal(before, run(case.trial, inputs), 0, 0):
            found.append(words)
    if not found:
        return ""
    verb = "is" if len(found) == 1 else "are"
    return f"{' and '.join(found)} {verb} ignored"


def variations(inputs: dict) -> Iterator[tuple[str, dict]]:
    """(the argument's name, inputs in which it has another value)"""
    for name, value in inputs.items():
        if name in NO_ARGUMENTS:
            continue
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            yield name, {**inputs, name: np.asarray(value * 1.25 + 0.125, value.dtype)}
        elif isinstance(value, float):
            yield name, {**inputs, name: 0.75 * value + 0.01}
        elif name == "axis":
            yield name, {**inputs, name: 1 - value}
        elif name == "t":
            yield name, {**inputs, name: value + 1}
        elif isinstance(value, VAEConfig):
            activation = "relu" if value.activation == "tanh" else "tanh"
            for field, config in (
                ("beta", dataclasses.replace(value, beta=2 * value.beta)),
                ("prior", dataclasses.replace(value, prior=(0.25, 0.5))),
                ("activation", dataclasses.replace(value, activation=activation)),
            ):
                yield f"config.{field}", {**inputs, name: config}


# An argument in another's place, or taken for something else


def mistaken(own: Callable, cases: Sequence[Case]) -> str:
    """An argument that is taken for another, or for a function of itself.

    own(trial, inputs): the outputs of the package's function. What it returns for the
    mistaken arguments is what the learner's returned for the right ones.
    """
    cases = [case for case in cases if case.direct]
    if not cases or any(isinstance(case.output, Failure) for case in cases):
        return ""
    for words, change in mistakes(cases[-1].trial.inputs):
        if all(_explains(own, case, change) for case in cases):
            return words
    return ""


def _explains(own: Callable, case: Case, change: Callable[[dict], dict]) -> bool:
    with np.errstate(all="ignore"):
        inputs = change(case.trial.inputs)
    return equal(own(case.trial, inputs), case.got, *case.tolerance)


def mistakes(inputs: dict) -> Iterator[tuple[str, Callable[[dict], dict]]]:
    """(words, what makes mistaken arguments of the right ones)"""
    numbers = [
        name
        for name, value in inputs.items()
        if isinstance(value, np.ndarray)
        and value.dtype.kind == "f"
        and name not in NO_ARGUMENTS
    ]
    for a, b in itertools.combinations(numbers, 2):
        if np.shape(inputs[a]) == np.shape(inputs[b]):
            yield f"{a} and {b} are exchanged", _exchange(a, b)
    for name in numbers:
        for text, g in (
            ("2 {}", lambda v: 2 * v),
            ("{}/2", lambda v: v / 2),
            ("−{}", np.negative),
            ("exp({})", np.exp),
            ("log({})", np.log),
            ("{}²", np.square),
            ("√{}", np.sqrt),
        ):
            words = f"this is right with {text.format(name)} in the place of {name}"
            yield words, _apply(name, g)


def _exchange(a: str, b: str) -> Callable[[dict], dict]:
    return lambda inputs: (
        {**inputs, a: inputs[b], b: inputs[a]}
        if a in inputs and b in inputs
        else inputs
    )


def _apply(name: str, g: Callable) -> Callable[[dict], dict]:
    return lambda inputs: (
        {**inputs, name: np.asarray(g(inputs[name]))} if name in inputs else inputs
    )
