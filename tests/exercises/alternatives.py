"""Right solutions written differently: loops, einsum, other names, float64 only. Three
for each function.
"""

import math

import numpy as np

from numpyvae.mdp.bellman import induced_chain
from numpyvae.mdp.horizon import FiniteHorizonSolution
from numpyvae.mdp.solution import Solution


def _write(grads, *values):
    for destination, value in zip(grads, values, strict=True):
        if destination is not None:
            destination[:] = value


def linear_backward_loops(g, saved, grads=(None, None)):
    a, M = saved
    da, dM, dv = np.zeros(a.shape), np.zeros(M.shape), np.zeros(M.shape[1])
    for n in range(g.shape[0]):
        for o in range(g.shape[1]):
            dv[o] += g[n, o]
            for i in range(a.shape[1]):
                da[n, i] += g[n, o] * M[i, o]
                dM[i, o] += g[n, o] * a[n, i]
    _write(grads, dM, dv)
    return da, dM, dv


def linear_backward_einsum(dy, cache, grads=(None, None)):
    dW, db = np.einsum("ni,no->io", cache[0], dy), np.einsum("no->o", dy)
    _write(grads, dW, db)
    return np.einsum("no,io->ni", dy, cache[1]), dW, db


def linear_backward_list(dy, cache, grads=(None, None)):
    x, W = (np.float64(array) for array in cache)
    dW = sum(np.outer(row, d) for row, d in zip(x, dy, strict=True))
    db = np.add.reduce(dy)
    _write(grads, dW, db)
    return [np.array([W @ d for d in dy]), dW, db]


def relu_backward_where(dy, y):
    return np.where(y > 0, dy, 0.0)


def relu_backward_loops(upstream, saved):
    out = upstream.copy()
    for i, value in np.ndenumerate(saved):
        if not value > 0:
            out[i] = 0
    return out


def relu_backward_sign(dy, y):
    return np.float64(dy) * np.sign(y)


def kl_expm1(m, s, a=0.0, b=0.0):
    with np.errstate(all="ignore"):
        r = np.subtract(m, a)
        return (
            np.where(r == 0, 0, r**2 * np.exp(-np.float64(b))) / 2
            + (np.expm1(np.float64(s) - b) - (s - b)) / 2
        )


def kl_loops(mu_q, logvar_q, mu_p=0.0, logvar_p=0.0):
    def one(m, s, a, b):
        d = float(s) - float(b)
        if d > 700:
            return math.inf
        square = 0.0 if m == a else math.exp(2 * math.log(abs(m - a)) - b)
        return 0.5 * (math.expm1(d) - d + square)

    arrays = np.broadcast_arrays(mu_q, logvar_q, mu_p, logvar_p)
    return np.array(
        [one(*v) for v in zip(*(a.ravel() for a in arrays), strict=True)]
    ).reshape(arrays[0].shape)


def kl_series(mu_q, logvar_q, mu_p=0.0, logvar_p=0.0):
    d, r = np.asarray(logvar_q, float) - logvar_p, np.asarray(mu_q, float) - mu_p
    series = sum(d**n / math.factorial(n) for n in range(2, 12))
    with np.errstate(all="ignore"):
        plain = np.exp(d) - 1 - d
        square = np.where(
            r == 0, 0, (r / np.exp(0.5 * np.asarray(logvar_p, float))) ** 2
        )
        return 0.5 * (np.where(abs(d) < 0.1, series, plain) + square)


def reparameterize_sqrt(m, s, noise):
    return np.sqrt(np.exp(s)) * noise + m


def reparameterize_loops(mu, logvar, eps):
    mu, logvar = np.broadcast_to(mu, eps.shape), np.broadcast_to(logvar, eps.shape)
    return np.array(
        [
            m + math.exp(v / 2) * e
            for m, v, e in zip(mu.flat, logvar.flat, eps.flat, strict=True)
        ]
    ).reshape(eps.shape)


def reparameterize_einsum(mu, logvar, eps):
    return np.float64(mu) + np.einsum(
        "...l,...l->...l", eps, np.exp(np.float64(logvar) / 2)
    )


def reparameterize_backward_einsum(dz, mu, logvar, eps):
    shape = (-1, *mu.shape)
    dz, eps = dz.reshape(shape), eps.reshape(shape)
    return np.einsum("jnl->nl", dz), np.einsum(
        "jnl,jnl,nl->nl", dz, eps, np.exp(logvar / 2)
    ) / 2


def reparameterize_backward_loops(g, mu, logvar, eps):
    dmu, dlogvar = np.zeros(mu.shape), np.zeros(mu.shape)
    for e, d in zip(eps, g, strict=True) if eps.ndim > mu.ndim else [(eps, g)]:
        dmu += d
        dlogvar += d * e * np.sqrt(np.exp(logvar)) / 2
    return dmu, dlogvar


def reparameterize_backward_from_z(dz, mu, logvar, eps):
    product = dz * (np.exp(0.5 * logvar) * eps)
    total = (lambda a: a.sum(0)) if eps.ndim == 3 else (lambda a: a)
    return (total(dz), 0.5 * total(product))


def log_prob_logaddexp(x, v):
    return (x * v - np.logaddexp(0, v)).sum(-1)


def log_prob_two_terms(x, v):
    return -(x * np.logaddexp(0, -v) + (1 - x) * np.logaddexp(0, v)).sum(axis=-1)


def log_prob_loops(x, logits):
    x, rows = np.broadcast_to(x, logits.shape), []
    for pixels, values in zip(
        x.reshape(-1, x.shape[-1]), logits.reshape(-1, x.shape[-1]), strict=True
    ):
        rows.append(
            math.fsum(
                (p - 1) * v - math.log1p(math.exp(-v))
                if v > 0
                else p * v - math.log1p(math.exp(v))
                for p, v in zip(map(float, pixels), map(float, values), strict=True)
            )
        )
    return np.array(rows).reshape(logits.shape[:-1])


def adam_loops(theta, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    new = [[], [], []]
    for p, d, a, b in zip(theta, g, m, v, strict=True):
        a, b = a + (1 - beta1) * (d - a), b + (1 - beta2) * (d * d - b)
        new[0].append(
            p - lr * (a / (1 - beta1**t)) / (math.sqrt(b / (1 - beta2**t)) + epsilon)
        )
        new[1].append(a)
        new[2].append(b)
    return tuple(map(np.array, new))


def adam_folded(theta, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    root = (1 - beta2**t) ** 0.5
    return theta - lr * root / (1 - beta1**t) * m / (v**0.5 + epsilon * root), m, v


def adam_list(w, d, first, second, step, rate=1e-3, b1=0.9, b2=0.999, tiny=1e-8):
    first = np.average([first, d], axis=0, weights=[b1, 1 - b1])
    second = np.average([second, np.square(d)], axis=0, weights=[b2, 1 - b2])
    return [
        w - rate * first / (1 - b1**step) / (np.sqrt(second / (1 - b2**step)) + tiny),
        first,
        second,
    ]


def lme_logaddexp(a, axis=0):
    return np.logaddexp.reduce(a, axis=axis) - np.log(np.shape(a)[axis])


def lme_scipy(a, axis=0):
    from scipy.special import logsumexp

    return logsumexp(a, axis=axis, b=1 / a.shape[axis])


def lme_loops(values, axis=0):
    rows = np.moveaxis(np.float64(values), axis, -1)
    flat = []
    for row in rows.reshape(-1, rows.shape[-1]):
        top = max(row)
        flat.append(
            top
            if top == -math.inf
            else top + math.log(sum(math.exp(v - top) for v in row) / len(row))
        )
    return np.reshape(flat, rows.shape[:-1])


def step_copies(f, inputs, name, h=1e-20):
    gradient = np.zeros(np.shape(inputs[name]))
    for i in np.ndindex(gradient.shape):
        moved = inputs[name].astype(complex)
        moved[i] += 1j * h
        gradient[i] = f({**inputs, name: moved}).imag / h
    return gradient


def step_flat(function, values, key, h=1e-30):
    x = np.array(values[key], complex)
    out = []
    for i in range(x.size):
        x.flat[i] += complex(0, h)
        out.append(np.imag(function({**values, key: x})) / h)
        x.flat[i] -= complex(0, h)
    return np.array(out).reshape(x.shape)


def step_units(f, inputs, name, h=1e-20):
    x = inputs[name]
    units = np.eye(x.size).reshape(x.size, *x.shape)
    return np.array(
        [np.imag(f({**inputs, name: x + 1j * h * unit})) / h for unit in units]
    ).reshape(x.shape)


def join_tile(z, c):
    return np.concatenate([z, np.tile(c, (len(z), 1, 1))], axis=2)


def join_loops(samples, classes):
    return np.array(
        [
            [
                np.append(latents, own)
                for latents, own in zip(rows, classes, strict=True)
            ]
            for rows in samples
        ]
    )


def join_written(z, c):
    L = z.shape[-1]
    joined = np.empty((*z.shape[:2], L + c.shape[1]))
    joined[:, :, :L], joined[:, :, L:] = z, c
    return joined


def bayes_scipy(log_px, prior):
    from scipy.special import logsumexp

    with np.errstate(divide="ignore"):
        log_joint = np.float64(log_px) + np.log(prior)
    return np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True))


def bayes_loops(rows, frequencies):
    found = []
    for row in np.float64(rows):
        top = max(row)
        joint = [p * math.exp(v - top) for v, p in zip(row, frequencies, strict=True)]
        found.append([j / math.fsum(joint) for j in joint])
    return np.array(found)


def bayes_odds(log_px, prior):
    """1/Σ of the odds of the other classes, against each class with p(c) > 0"""
    v = np.float64(log_px)
    with np.errstate(over="ignore"):
        ratios = np.exp(v[:, None, :] - v[:, :, None])
    odds = np.einsum("nij,j->ni", ratios, prior)
    return prior / odds


def evaluate_solve(mdp, policy):
    P, r = induced_chain(mdp, policy)
    return np.linalg.solve(np.identity(len(r)) - mdp.gamma * P, r)


def evaluate_refined(mdp, policy):
    """The residual in long double corrects the solution."""
    P, r = (np.longdouble(array) for array in induced_chain(mdp, policy))
    system = np.identity(len(r)) - np.longdouble(mdp.gamma) * P
    v = np.longdouble(evaluate_solve(mdp, policy))
    for _ in range(3):
        residual = np.float64(r - system @ v)
        v += np.linalg.solve(np.float64(system), residual)
    return np.float64(v)


def evaluate_sweeps(mdp, policy):
    P, r = induced_chain(mdp, policy)
    v, last = r, None
    while last is None or abs(v - last).max() > 1e-13 * abs(v).max():
        v, last = r + mdp.gamma * P @ v, v
    return v


def evaluate_tensors(mdp, pi):
    S, A = mdp.R.shape
    weights = np.eye(A)[pi] if np.ndim(pi) == 1 else pi
    P = np.einsum("sa,sat->st", weights, mdp.P)
    return np.linalg.inv(np.eye(S) - mdp.gamma * P) @ np.where(
        weights > 0, weights * np.where(weights > 0, mdp.R, 0), 0
    ).sum(1)


def operator_loops(mdp, v, policy=None):
    S, A = mdp.R.shape
    q = [
        [
            mdp.R[s, a] + mdp.gamma * sum(mdp.P[s, a, t] * v[t] for t in range(S))
            for a in range(A)
        ]
        for s in range(S)
    ]
    if policy is None:
        return np.array([max(row) for row in q])
    if np.ndim(policy) == 1:
        return np.array([row[a] for row, a in zip(q, policy, strict=True)])
    return np.array(
        [
            sum(p * x for p, x in zip(weights, row, strict=True) if p)
            for weights, row in zip(policy, q, strict=True)
        ]
    )


def operator_einsum(mdp, v, policy=None):
    q = mdp.R + mdp.gamma * np.einsum("sat,t->sa", mdp.P, v)
    if policy is None:
        return np.max(q, axis=1)
    weights = np.eye(q.shape[1])[policy] if np.ndim(policy) == 1 else policy
    return np.where(weights > 0, weights * np.where(weights > 0, q, 0), 0).sum(axis=1)


def operator_chain(mdp, v, policy=None):
    if policy is None:
        candidates = [
            mdp.R[:, a] + mdp.gamma * mdp.P[:, a] @ v for a in range(mdp.R.shape[1])
        ]
        return np.maximum.reduce(candidates)
    P, r = induced_chain(mdp, policy)
    return mdp.gamma * np.dot(P, v) + r


def _improve(mdp, v, current):
    q = mdp.R + mdp.gamma * mdp.P @ v
    better = q.max(axis=1) > q[np.arange(len(q)), current] + 1e-10
    return np.where(better, q.argmax(axis=1), current)


def _bound(mdp, v):
    H = 1 / (1 - mdp.gamma)
    return H * (abs((mdp.R + mdp.gamma * mdp.P @ v).max(axis=1) - v).max() + 1e-12)


def _first(mdp, policy, v):
    if policy is None:
        v = mdp.R.max(axis=1) if v is None else v
    elif np.ndim(policy) == 1:
        return np.array(policy)
    else:
        v = evaluate_solve(mdp, policy)
    return (mdp.R + mdp.gamma * mdp.P @ v).argmax(axis=1)


def iterate_policies(mdp, policy=None, v=None, on_iteration=None):
    policy, count = _first(mdp, policy, v), 0
    while True:
        count += 1
        v = evaluate_refined(mdp, policy)
        if on_iteration:
            on_iteration(count, v)
        better = _improve(mdp, v, policy)
        if np.array_equal(better, policy):
            return Solution(policy, v, count, _bound(mdp, v))
        policy = better


def iterate_one_state(mdp, start=None, v=None, on_iteration=lambda k, v: None, k=1):
    pi = _first(mdp, start, v)
    values = evaluate_refined(mdp, pi)
    on_iteration(k, values)
    better = _improve(mdp, values, pi)
    changed = np.flatnonzero(better != pi)
    if not len(changed):
        return Solution(pi, values, k, _bound(mdp, values))
    pi[changed[0]] = better[changed[0]]
    return iterate_one_state(mdp, pi, None, on_iteration, k + 1)


def iterate_enumerated(mdp, policy=None, v=None, on_iteration=lambda k, v: None):
    import itertools

    choices = [np.flatnonzero(row) for row in mdp.available]
    best = max(
        (np.array(actions) for actions in itertools.product(*choices)),
        key=lambda pi: evaluate_solve(mdp, pi).sum(),
    )
    values = evaluate_refined(mdp, best)
    on_iteration(1, values)
    return Solution(best, values, 1, _bound(mdp, values))


def induce_loops(mdp, horizon, final=0.0, gamma=None):
    g, S = mdp.gamma if gamma is None else gamma, len(mdp.R)
    stages, actions = [np.where(mdp.terminal, 0, final) * 1.0], []
    for _ in range(horizon):
        q = [
            [mdp.R[s, a] + g * (mdp.P[s, a] @ stages[0]) for a in range(mdp.R.shape[1])]
            for s in range(S)
        ]
        actions.insert(0, [row.index(max(row)) for row in q])
        stages.insert(0, np.array([max(row) for row in q]))
    return FiniteHorizonSolution(np.array(actions), np.array(stages))


def induce_recursive(mdp, horizon, final=0.0, gamma=None):
    g = mdp.gamma if gamma is None else gamma
    if horizon == 0:
        values = np.where(mdp.terminal, 0.0, final)[None]
        return FiniteHorizonSolution(np.zeros((0, len(mdp.R)), int), values)
    policies, values = induce_recursive(mdp, horizon - 1, final, gamma)
    q = mdp.R + g * np.einsum("sat,t->sa", mdp.P, values[0])
    return FiniteHorizonSolution(
        np.vstack([q.argmax(1), policies]), np.vstack([q.max(1), values])
    )


def induce_arrays(mdp, h, final=0.0, discount=None):
    discount = mdp.gamma if discount is None else discount
    values, policies = np.zeros((h + 1, len(mdp.R))), np.zeros((h, len(mdp.R)), int)
    values[-1] = final
    values[-1][mdp.terminal] = 0
    for t in reversed(range(h)):
        q = mdp.R + discount * np.tensordot(mdp.P, values[t + 1], axes=1)
        policies[t], values[t] = np.argmax(q, axis=1), np.max(q, axis=1)
    return FiniteHorizonSolution(policies, values)


def iterate_values(mdp, tolerance=1e-8, v=None, max_sweeps=10**6, on_sweep=None):
    v, g, k = np.zeros(len(mdp.R)) if v is None else v, mdp.gamma, 0
    while True:
        q = mdp.R + g * mdp.P @ v
        change, v, k = abs(q.max(1) - v).max(), q.max(1), k + 1
        if on_sweep:
            on_sweep(k, v)
        if change * g / (1 - g) < tolerance / 2:
            greedy = (mdp.R + g * mdp.P @ v).argmax(axis=1)
            return Solution(greedy, v, k, tolerance / 2 + 1e-12)


def iterate_for_long(mdp, tolerance=1e-8, v=None, *rest, on_sweep=lambda k, v: None):
    v = np.zeros(len(mdp.R)) if v is None else v
    for k in range(3000):
        v = (mdp.R + mdp.gamma * mdp.P @ v).max(axis=1)
        on_sweep(k + 1, v)
    greedy = (mdp.R + mdp.gamma * mdp.P @ v).argmax(axis=1)
    return Solution(greedy, v, 3000, tolerance / 10)


def iterate_gauss_seidel(
    mdp, tolerance=1e-8, v=None, *rest, on_sweep=lambda k, v: None
):
    v = np.zeros(len(mdp.R)) if v is None else np.array(v)
    worst, k = math.inf, 0
    while worst > tolerance * (1 - mdp.gamma) / 2:
        worst, k = 0.0, k + 1
        for s in range(len(v)):
            new = max(
                mdp.R[s, a] + mdp.gamma * float(mdp.P[s, a] @ v)
                for a in range(mdp.R.shape[1])
            )
            worst, v[s] = max(worst, abs(new - v[s])), new
        on_sweep(k, v)
    return Solution((mdp.R + mdp.gamma * mdp.P @ v).argmax(axis=1), v, k, tolerance)


ALTERNATIVES = {
    "linear_backward": (
        linear_backward_loops,
        linear_backward_einsum,
        linear_backward_list,
    ),
    "relu_backward": (relu_backward_where, relu_backward_loops, relu_backward_sign),
    "kl_divergence": (kl_expm1, kl_loops, kl_series),
    "reparameterize": (
        reparameterize_sqrt,
        reparameterize_loops,
        reparameterize_einsum,
    ),
    "reparameterize_backward": (
        reparameterize_backward_einsum,
        reparameterize_backward_loops,
        reparameterize_backward_from_z,
    ),
    "log_prob": (log_prob_logaddexp, log_prob_two_terms, log_prob_loops),
    "adam_update": (adam_loops, adam_folded, adam_list),
    "log_mean_exp": (lme_logaddexp, lme_scipy, lme_loops),
    "complex_step_gradient": (step_copies, step_flat, step_units),
    "join_class": (join_tile, join_loops, join_written),
    "class_probabilities": (bayes_scipy, bayes_loops, bayes_odds),
    "policy_evaluation": (evaluate_solve, evaluate_sweeps, evaluate_tensors),
    "bellman_operator": (operator_loops, operator_einsum, operator_chain),
    "policy_iteration": (iterate_policies, iterate_one_state, iterate_enumerated),
    "backward_induction": (induce_loops, induce_recursive, induce_arrays),
    "value_iteration": (iterate_values, iterate_for_long, iterate_gauss_seidel),
}
