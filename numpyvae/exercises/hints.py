"""What each exercise asks for without its formula, and hints on the way to it.

At the level "derive" a docstring states the contract and the shapes, and names the
equation that the function follows from. Two hints lead there. The first is the idea;
the last is the formula, read from the chapter itself.
"""

import ast
import inspect
import re
from functools import cache
from typing import NamedTuple

from ..errors import InputError
from .table import BY_NAME, chapter_module

Definition = ast.Module | ast.FunctionDef | ast.ClassDef


class Contract(NamedTuple):
    """What a function is to do, the idea of how, and the equations it follows from"""

    wanted: str
    idea: str
    equations: tuple[str, ...] = ()


GRADS = (
    "written into grads, which is overwritten, or into new Parameters "
    "(zero_parameters) if it is None"
)

CONTRACTS = {
    "linear": Contract(
        "A linear layer. x (N, I), W (I, O), b (O,) -> y (N, O), and the cache that\n"
        "linear_backward reads, (x, W).",
        "An output of one row is a dot product with a column of W, plus a bias. A "
        "matrix product gives all of them at once.",
        ("1.1",),
    ),
    "relu": Contract(
        "The rectified linear unit of each entry -> y and its cache, y itself.",
        "Positive inputs stay as they are; what becomes of the others?",
    ),
    "relu_backward": Contract(
        "The gradient of relu's input, for dy in the shape of y; cache: y. At the "
        "kink\n"
        "x = 0 the derivative is taken to be 0.",
        "The derivative is 1 or 0, and y says which.",
    ),
    "tanh_backward": Contract(
        "The gradient of tanh's input, for dy in the shape of y; cache: y = tanh x.",
        "The derivative of tanh x is 1/cosh² x. Write it with y alone, by "
        "cosh² − sinh² = 1.",
    ),
    "entropy": Contract(
        "The entropy −E_q[log q] of q = N(mu, exp(logvar)), elementwise, in nats.",
        "E_q[(x − mu)²] = σ²: divided by 2σ², the square has the same mean for every "
        "q.",
        ("2.4",),
    ),
    "log_density": Contract(
        "log N(x; mu, exp(logvar)), elementwise, not summed; the arguments broadcast.",
        "Keep the constant of the density. log σ² is given: it is logvar.",
        ("2.3",),
    ),
    "reparameterize": Contract(
        "Samples z of N(mu, exp(logvar)), made of noise eps ~ N(0, 1).\n"
        "mu, logvar (N, L), eps (J, N, L) -> z (J, N, L), or others that broadcast.",
        "logvar is the logarithm of the variance. What scales the noise?",
        ("2.9",),
    ),
    "cross_entropy": Contract(
        "−E_q[log p] of two normal distributions, elementwise, in nats.",
        "Write x − mu_p as (x − mu_q) + (mu_q − mu_p) and square it: the mixed term "
        "has "
        "mean 0.",
        ("2.5",),
    ),
    "kl_divergence": Contract(
        "KL(q ‖ p) of two normal distributions, elementwise, in nats; p is N(0, 1)\n"
        "unless given. It is never negative, and 0 when q = p, also after rounding.",
        "Subtract the entropy from the cross-entropy, and write "
        "d = logvar_q − logvar_p. np.expm1 keeps digits that exp(d) − 1 loses.",
        ("2.7",),
    ),
    "linear_backward_params": Contract(
        "The gradients of W and b for dy (N, O) -> dW (I, O), db (O,).\n"
        "cache: (x, W). grads: (dW, db), arrays to write into where they are not None.",
        "x_ni reaches y_no with the weight W_io, in each row n. Every row has one "
        "bias.",
        ("1.2",),
    ),
    "linear_backward": Contract(
        "The gradients of x, W and b for dy (N, O) -> dx (N, I), dW (I, O), db (O,).\n"
        "cache: (x, W). grads: (dW, db), arrays to write into where they are not None.",
        "x_ni reaches every output o of row n: a sum over o. The shapes leave one "
        "product.",
        ("1.2",),
    ),
    "kl_divergence_backward": Contract(
        "The gradients of mu_q and logvar_q for dy, in their broadcast shape; the "
        "prior\n"
        "is constant -> dmu_q, dlogvar_q.",
        "∂d/∂logvar_q = 1, exp is its own derivative, and mu_q is in the square only.",
        ("2.7",),
    ),
    "log_density_backward": Contract(
        "The gradients for dy -> dx, dmu, dlogvar, each in the broadcast shape.",
        "x and mu stand in their difference only, so dx = −dmu. σ² = exp(logvar) is "
        "its "
        "own derivative by logvar.",
        ("2.3",),
    ),
    "reparameterize_backward": Contract(
        "The gradients for dz (J, N, L), or (N, L) -> dmu, dlogvar in the shape of mu.",
        "All J samples come from one mu, so their gradients add up. "
        "∂ exp(logvar/2)/∂logvar has a factor ½.",
        ("2.10",),
    ),
    "sigmoid": Contract(
        "The probability of a white pixel with this logit, elementwise, for every l.",
        "Of two forms choose the one whose limit is right where exp overflows.",
        ("3.1",),
    ),
    "softplus": Contract(
        "−log(1 − sigmoid(l)), elementwise: no overflow, no lost digits, for every l.",
        "log(1 + exp(l)) = l + log(1 + exp(−l)): use the form whose exp cannot "
        "overflow. np.log1p keeps a small exp.",
        ("3.2",),
    ),
    "log_prob": Contract(
        "log p(x|z) in nats, summed over the pixels. x, logits (..., D) -> (...);\n"
        "x (N, D) may stand beside logits (J, N, D).",
        "One formula in l covers x = 1 and x = 0: 1 − sigmoid(l) = sigmoid(−l).",
        ("3.5",),
    ),
    "log_prob_backward": Contract(
        "The gradient of the logits. dy (...), x and logits (..., D) -> (..., D).",
        "The derivative of softplus is sigmoid. dy has one axis less than the logits.",
        ("3.4",),
    ),
    "mlp": Contract(
        "A network of linear layers, with an activation between two of them.\n"
        'x (N, I) -> y (N, O). The parameters are params["encoder.0.W"] and so on, '
        "the\n"
        "prefix in the place of encoder; the activation: "
        "ACTIVATIONS[config.activation].\n"
        "caches = [linear 0, activation 1, linear 1, …]: linear i at 2i, the "
        "activation\n"
        "before it at 2i − 1.",
        "A loop over the layers; before each but the first, the activation.",
        ("6.1",),
    ),
    "mlp_backward": Contract(
        "The gradients of linear 1, 2, … for dy (N, O), written into grads under "
        "their\n"
        "names; returns ∂loss/∂(the output of linear 0), for the caller. caches: of "
        "mlp.",
        "From the last layer down to layer 1: linear_backward, then the backward pass "
        "of the activation before it.",
        ("6.1",),
    ),
    "encode_backward": Contract(
        "The encoder's gradients for dmu and dlogvar (N, L), " + GRADS + ";\n"
        "the decoder's entries are not touched. x is data: no dx.",
        "mu and logvar are halves of one array, and so are their gradients. After "
        "mlp_backward only linear 0 is left.",
        ("6.1",),
    ),
    "decode_backward": Contract(
        "dy (..., D) -> dz (..., L), and grads: the decoder's gradients are\n"
        + GRADS
        + "; the encoder's\nentries are not touched.",
        "The network has seen (J, N, L) as J·N rows. Reshape dy alike, and dz back.",
        ("6.1",),
    ),
    "elbo_terms": Contract(
        "log p(x|z), a mean over the J samples, and KL(q(z|x) ‖ p(z)), of each image:\n"
        "log_px (N,), kl (N,), in nats; and a ForwardCache. x (N, D), eps (J, N, L).",
        "encode, reparameterize, decode; then the likelihood of each sample, and the "
        "KL "
        "summed over the latents.",
        ("7.5",),
    ),
    "negative_elbo": Contract(
        "The loss of a minibatch in nats per image, and the cache of elbo_terms.",
        "A mean over the images of the bound, turned to a loss; β belongs to one term.",
        ("7.5",),
    ),
    "negative_elbo_backward": Contract(
        "dloss · ∂loss/∂params under the names of params, " + GRADS + ".",
        "Go back through the figure. mu and logvar reach the loss by two paths, whose "
        "gradients add up.",
        ("7.6",),
    ),
    "adam_update": Contract(
        "Step t = 1, 2, … of Adam -> new theta, m, v. Here m and v are the paper's,\n"
        "weighted means of g and g² that begin at 0; nothing is changed in place.",
        "The weights of m sum to 1 − beta1ᵗ, those of v to 1 − beta2ᵗ: divide by them.",
        ("8.4",),
    ),
    "Adam.step": Contract(
        "Update theta[shard], all of theta unless given, in place, and count the "
        "step.\n"
        "theta and g have one shape; g is not changed.",
        "Correct the numbers, not the arrays: both corrections are factors.",
        ("8.3", "8.4"),
    ),
    "central_difference_gradient": Contract(
        "The gradient of f by inputs[name], in float64, from differences. f(inputs) is "
        "a\n"
        "number. One entry moves at a time; each is then as it was.",
        "The error of a difference is even or odd in h: which combination loses it?",
        ("9.1",),
    ),
    "complex_step_gradient": Contract(
        "The gradient of f by inputs[name] to 14 digits, one entry at a time; f takes\n"
        "complex numbers.",
        "Move an entry by ih. The imaginary part of f is then h f′, and nothing has to "
        "be subtracted.",
        ("9.2",),
    ),
    "log_mean_exp": Contract(
        "The logarithm of the mean of exp(a) over an axis. Nothing overflows, no sum\n"
        "becomes 0 unless all a are −inf: then it is −inf.",
        "exp(a) = exp(m) exp(a − m) for every m: choose the largest a.",
    ),
    "normalized_weights": Contract(
        "The weights w of the K samples of each image, divided by their sum.\n"
        "log_w (K, N) -> (K, N). Nothing overflows, no sum becomes 0.",
        "A number taken from all log weights of an image changes nothing: choose the "
        "largest of that image, not of all.",
        ("10.8",),
    ),
    "log_importance_weights": Contract(
        "The log weight of each sample, for eps (K, N, L) -> log_w (K, N); and z, y "
        "and\n"
        "the decoder's cache.",
        "Three log densities. In that of q, (z − mu)/σ is eps.",
        ("10.1",),
    ),
    "negative_iwae": Contract(
        "The loss of the bound with K samples, in nats per image, and the cache.\n"
        "x (N, D), eps (K, N, L). β is not used.",
        "The logarithm of a mean over the samples of each image; then a mean over the "
        "images.",
        ("10.2",),
    ),
    "negative_iwae_backward": Contract(
        "dloss · ∂loss/∂params under the names of params, " + GRADS + ".",
        "Each sample counts by its normalized weight. logvar stands in log q, too.",
        ("10.9",),
    ),
    "log_marginal": Contract(
        "log M_K of each image, an estimate of log p(x), and its standard error.\n"
        "x (N, D) -> (N,) in nats, (N,); K = num_samples. Noise is drawn in the shape\n"
        "(k, N, L) and x's precision, for chunks of k samples, about chunk_rows rows.\n"
        "The error is NaN for K = 1, and if all weights are 0.",
        "Keep the largest log weight m so far, Σ exp(log w − m) and the sum of the "
        "squares. A new m rescales both sums.",
        ("10.6", "10.7"),
    ),
    "negative_elbo_stl_backward": Contract(
        "dloss · (the decoder's gradient; for the encoder the path derivative), "
        + GRADS
        + ".",
        "Leave out what has mean 0: the score of log q.",
        ("11.5",),
    ),
    "negative_iwae_dreg_backward": Contract(
        "dloss · (the decoder's gradient; for the encoder the doubly reparameterized\n"
        "estimator), " + GRADS + ".",
        "The path terms have the weights w̃², not w̃. A backward pass is linear in "
        "what "
        "it is given.",
        ("11.9",),
    ),
    "join_class": Contract(
        "The input of a decoder that is told the class: z (J, N, L), and the class of\n"
        "each image as a row of c (N, C) -> (J, N, L + C). Without classes C is 0:\n"
        "z itself.",
        "The columns of z come first. All J samples of an image have the image's class.",
    ),
    "class_probabilities": Contract(
        "p(c|x), the probability of each class, given the image -> (N, C).\n"
        "log_px (N, C): log p(x|c) in nats; prior (C,): p(c). Nothing overflows, each\n"
        "row's sum is 1.",
        "Bayes' rule. In logarithms the product with p(c) is a sum. What is left is to "
        "normalize, over the classes of each image.",
        ("14.3",),
    ),
    "action_values": Contract(
        "q (S, A) of values v (S,); −inf where an action is not available.",
        "The reward now, and γ times the mean of v over the next states.",
        ("3.3",),
    ),
    "bellman_operator": Contract(
        "T v (S,); or T_π v of a policy, (S,) actions or (S, A) probabilities.",
        "Both are made of q: the best action, or the policy's mean. An action that is "
        "not available has q = −inf, and 0 · (−inf) is NaN.",
        ("3.4",),
    ),
    "policy_evaluation": Contract(
        "v_π (S,) of a policy, (S,) actions or (S, A) probabilities, to rounding.",
        "A linear system, solved: no iteration. induced_chain gives P_π and r_π.",
        ("3.2",),
    ),
    "advantages": Contract(
        "How much better than the policy's mean each action is: (S, A).",
        "Evaluate the policy; then the action values of that v.",
        ("3.3",),
    ),
    "greedy_policy": Contract(
        "The greedy actions (S,) for v; ties go to the lowest index. With `current`, "
        "a\n"
        "policy (S,): its action, unless another is better by more than rounding.",
        "argmax takes the first of equal numbers. Compare the best q with the q of "
        "`current`.",
    ),
    "value_iteration": Contract(
        "v ← T v, from v or zero, until ‖v − v*‖ ≤ tolerance is sure -> Solution, "
        "with\n"
        "the policy that is greedy for the last v, and its error bound.",
        "How far v* is follows from the last change and γ, not from the change alone.",
        ("5.3",),
    ),
    "policy_iteration": Contract(
        "Evaluate and improve, from `policy`, or from the greedy policy of v, until "
        "no\n"
        "action is replaced -> Solution.",
        "Keep an action that no other beats by more than rounding: equal actions would "
        "be exchanged without an end.",
        ("6.1",),
    ),
    "modified_policy_iteration": Contract(
        "Rounds of v ← T v and sweeps of v ← T_π v, until ‖v − v*‖ ≤ tolerance is "
        "sure\n"
        "-> Solution.",
        "After T, the greedy policy's own operator is cheap. Stop by the span of the "
        "change where (7.2) holds.",
        ("7.2",),
    ),
    "backward_induction": Contract(
        "The optimal action and value of every stage -> FiniteHorizonSolution; ties "
        "go\n"
        "to the lowest index. final: a number or (S,); an episode that has ended "
        "before\n"
        "does not receive it. gamma: by default that of the MDP.",
        "Start at the end, where the value is known, and go back one step at a time.",
        ("4.1",),
    ),
    "state_visitation": Contract(
        "How often a policy is in each state, discounted: d (S,). start: d₀ (S,), or "
        "a\n"
        "state. If episodes end, d sums to less than 1; at γ = 1: visits per episode.",
        "The sum of a geometric series of matrices is an inverse: solve a system with "
        "the transposed matrix.",
        ("10.1",),
    ),
}


def contract_text(name: str) -> str:
    """The docstring of an exercise at the level "derive" """
    contract = CONTRACTS[name]
    numbers = " and ".join(f"({number})" for number in contract.equations)
    plural = "s" if len(contract.equations) > 1 else ""
    where = f"It follows from equation{plural} {numbers}.\n" if numbers else ""
    return f"{contract.wanted}\n\n{where}Hints: numpyvae check --hint {name}"


def hints(name: str) -> list[str]:
    """The hints to an exercise, one at a time; the last is the formula."""
    contract = CONTRACTS[name]
    blocks = [equation(name, number) for number in contract.equations]
    formula = "\n\n".join(dict.fromkeys([docstring(name), *blocks]))
    return [contract.idea, formula]


def docstring(name: str) -> str:
    """The docstring of an exercise in its chapter"""
    node: Definition = _chapter(BY_NAME[name].chapter)
    for part in name.split("."):
        node = next(child for child in _definitions(node) if child.name == part)
    return ast.get_docstring(node) or ""


def equation(name: str, number: str) -> str:
    """The block of the chapter in which an equation stands"""
    text = ast.get_docstring(_chapter(BY_NAME[name].chapter)) or ""
    for block in text.split("\n\n"):
        if re.search(rf"^ *\({number}\)|\({number}\)$", block, re.MULTILINE):
            return inspect.cleandoc(f"\n{block}")
    raise InputError(f"equation ({number}) is not in the chapter of {name}")


@cache
def _chapter(chapter: str) -> ast.Module:
    """The syntax tree of a chapter, which has docstrings also under `python -OO`"""
    return ast.parse(inspect.getsource(chapter_module(chapter)))


def _definitions(node: Definition) -> list[ast.FunctionDef | ast.ClassDef]:
    kinds = ast.FunctionDef, ast.ClassDef
    return [child for child in node.body if isinstance(child, kinds)]
