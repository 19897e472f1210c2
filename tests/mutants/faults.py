"""Faults in the mathematics, one line each: what it is, the tests that should see it, and the edit, old and new.

Most are slips that somebody has made: a transpose forgotten, a half, a mean for a sum, a sign; and some that published
programs contain. Those that a gradient check cannot see, because forward and backward agree on the wrong thing, are
under their own heading, some of them two edits.
"""

from typing import NamedTuple


class Fault(NamedTuple):
    what: str
    tests: str  # files, and -k with a choice among their tests
    edits: tuple[tuple[str, str, str], ...]  # (file, old, new), old being there exactly once


FAULTS = []


def fault(what, tests, *edits):
    FAULTS.append(Fault(what, tests, edits))


# step

TESTS = "training/test_step.py"
FILE = "training/step.py"
fault("a half's gradient weighed as if it were the whole minibatch's", TESTS, (FILE, "dloss=share", "dloss=1.0"))
fault("a half's loss weighed as if it were the whole minibatch's", TESTS, (FILE, "return share * loss", "return loss"))
fault("the second process's gradient left out", TESTS, (FILE, "mine[part] += grads.vector[part]", "pass"))
fault("each process moves all parameters, the other half of them by half of a gradient", TESTS,
      (FILE, "self.adam.step(self.params.vector, mine, part)", "self.adam.step(self.params.vector, mine)"))
fault("half of a single image is not nothing but what was left of the step before", TESTS,
      (FILE, "            grads.vector.fill(0)\n", ""))
fault("the same noise for both halves", TESTS, ("training/loop.py", "[:, part]", "[:, : len(x)]"))
fault("each process draws random pixels for its own half", TESTS,
      ("training/loop.py", "rng.random((len(images), x.shape[1]), dtype=np.float32)[part]", "rng.random(x.shape, dtype=np.float32)"))
fault("the second process keeps the first epoch's rate", TESTS,
      ("training/loop.py", "    state.adam.lr = learning_rate(options, state.epoch)\n",
       "    state.adam.lr = learning_rate(options, 1 if step.pair.number else state.epoch)\n"))
fault("θ in memory that only one process sees", TESTS, ("training/loop.py", "shared(params.vector)", "params.vector.copy()"))
fault("m in memory that only one process sees", TESTS, ("training/loop.py", "state.adam.v = shared(m), ", "state.adam.v = m.copy(), "))

fault("a state's arrays left behind where they were before training", TESTS,
      ("training/loop.py", "        params.vector[...], m[...], v[...] = state.params.vector, state.adam.m, state.adam.v\n", ""))
fault("two finite halves whose sum is not, unseen", TESTS,
      (FILE, "sum(grads[name] for grads in self.grads)", "self.grads[0][name]"))

# bellman and mdp

TESTS = "mdp/test_chain.py -k closed_forms or assignments or short_sighted or switch_both"
FILE = "mdp/bellman.py"
fault("(I − γ P)ᵀ solved", TESTS, (FILE, "lu_solve(factors, b, trans=1,", "lu_solve(factors, b, trans=0,"))
fault("I + γ P solved", TESTS, (FILE, "system = -gamma * P", "system = gamma * P"))
fault("the identity set on the diagonal, not added", "mdp/test_bellman.py -k exact_fractions",
      (FILE, "P.shape[0] + 1] += 1", "P.shape[0] + 1] = 1"))
fault("no discount on what follows", TESTS, (FILE, "mdp.R + mdp.gamma * (mdp.rows @ v)", "mdp.R + (mdp.rows @ v)"))
fault("the reward discounted too", TESTS,
      (FILE, "mdp.R + mdp.gamma * (mdp.rows @ v).reshape(mdp.R.shape)",
       "mdp.gamma * (mdp.R + (mdp.rows @ v).reshape(mdp.R.shape))"))
fault("the sparse system without its identity's sign", "mdp/test_bellman.py -k sparse or exact_fractions",
      (FILE, "(eye_array(P.shape[0]) - gamma * P)", "(eye_array(P.shape[0]) + gamma * P)"))
fault("the policy's rows of the next state over", TESTS,
      (FILE, "chosen = np.arange(S) * A + policy", "chosen = np.arange(S) + S * policy"))
fault("a certificate of the signed difference", "mdp/test_bellman.py -k certificate or equation",
      (FILE, "return float(abs(r + mdp.gamma * (P @ v) - v).max())",
       "return float((r + mdp.gamma * (P @ v) - v).max())"))
FILE = "mdp/solvers.py"
fault("the chain pays 1 on the right", TESTS,
      (FILE, "R = [[1, 0], [0, 0], [0, 0], [0, 3]]", "R = [[3, 0], [0, 0], [0, 0], [0, 1]]"))
fault("the move that pays 3 stays where it is", TESTS, (FILE, "[1, 2, 3, 1]  ", "[1, 2, 3, 3]  "))
fault("the worst action for the best", TESTS, (FILE, "best = q.argmax(axis=1)", "best = q.argmin(axis=1)"))
fault("value iteration that stops on the last change itself", "mdp/test_solvers.py -k value_iteration or solvers_agree",
      (FILE, "error = mdp.gamma / (1 - mdp.gamma) * abs(v - last).max()", "error = abs(v - last).max()"))
fault("value iteration that stops on the span", "mdp/test_solvers.py -k value_iteration or solvers_agree",
      (FILE, "abs(v - last).max()", "np.ptp(v - last)"))
fault("a return without its discount", "mdp/test_solvers.py -k sure_path or mean_return",
      (FILE, "rewards @ mdp.gamma ** np.arange(steps)", "rewards.sum()"))
fault("a return discounted from the first payment", "mdp/test_solvers.py -k sure_path or mean_return",
      (FILE, "** np.arange(steps)", "** np.arange(1, steps + 1)"))

# training, evaluation, sampling

TESTS = "training/test_algorithm.py"
PIXELS = "training/test_loop.py training/test_algorithm.py -k pixel or threshold or dynamic or rate or stages or annealing"
FILE = "training/loop.py"
fault("pixels over 256", PIXELS, (FILE, "np.float32(1 / 255)", "np.float32(1 / 256)"))
fault("ink where there is none: dynamic pixels inverted", PIXELS,
      (FILE, "dtype=np.float32)[part] < x)", "dtype=np.float32)[part] > x)"))
fault("binarized by one draw for all pixels of an image", PIXELS,
      (FILE, "rng.random((len(images), x.shape[1])", "rng.random((len(images), 1)"))
fault("the rate rises", PIXELS, (FILE, "10 ** (-stage / 7)", "10 ** (stage / 7)"))
fault("stages of i epochs, not 3ⁱ", PIXELS, (FILE, "place >= (3**i - 1) / 2", "place >= i * (i + 1) / 2"))
fault("seven stages", PIXELS, (FILE, "for i in range(1, 8))", "for i in range(1, 7))"))
fault("annealing begins an epoch late", PIXELS, (FILE, "left / (options.decay_epochs + 1)", "(left + 1) / (options.decay_epochs + 1)"))
fault("batches averaged, not images", TESTS,
      (FILE, "state.total + loss * n", "state.total + loss * options.batch_size"))
fault("the score adds where it subtracts", "training/test_loop.py -k score",
      (FILE, "return Score(kl - reconstruction,", "return Score(kl + reconstruction,"))
fault("every epoch in the same order", TESTS,
      (FILE, "rng = np.random.default_rng([options.seed, state.epoch])",
       "rng = np.random.default_rng([options.seed, 1])"))
fault("the last, smaller batch left out", TESTS,
      (FILE, "len(images), options.batch_size):", "len(images) - options.batch_size + 1, options.batch_size):"))
fault("active units by standard deviation", "training/test_evaluation.py",
      ("training/evaluation.py", "mu.var(axis=0) > ACTIVE", "mu.std(axis=0) > ACTIVE"))
fault("principal axes of mu that is not centred", "runs/test_report.py -k principal",
      ("pictures/latent.py", "np.linalg.svd(mu - mu.mean(axis=0)", "np.linalg.svd(mu"))
fault("singular values taken for variances", "runs/test_report.py -k principal",
      ("pictures/latent.py", "s**2 / max((s**2).sum(), 1e-300)", "s / max(s.sum(), 1e-300)"))
fault("the standard errors of images added, not their squares", "training/test_evaluation.py",
      ("training/evaluation.py", "variance + (se**2).sum()", "variance + se.sum() ** 2"))
fault("samples twice as wide as the prior", "pictures/test_samples.py",
      ("pictures/samples.py", "eps = rng.standard_normal((count", "eps = 2 * rng.standard_normal((count"))

# estimator

TESTS = "test_estimator.py"
FILE = "estimator.py"
fault("score with its sign turned, a loss", TESTS, (FILE, "self.score_samples(X).mean()", "-self.score_samples(X).mean()"))
fault("every row scored with the same noise", TESTS, (FILE, "zlib.crc32(row)]", "0]"))
fault("rows scored with one generator after another, by their place", TESTS,
      (FILE, "zlib.crc32(row)]) for row in x)", "i]) for i, row in enumerate(x))"))
fault("columns before rows in memory", TESTS, (FILE, 'np.asarray(X, order="C")', "np.asarray(X)"))
fault("bytes not scaled when they are transformed", TESTS, (FILE, "X * np.float32(1 / self.scale_)", "X * np.float32(1)"))
fault("logits for means", TESTS,
      ("pictures/samples.py", "LIKELIHOODS[config.likelihood].mean(y)", "y"))
fault("means not in the scale of X", TESTS, (FILE, "return self.scale_ * decoder_mean", "return 1 * decoder_mean"))
fault("a Generator's state ignored by fit", TESTS,
      (FILE, "seed = int(np.random.default_rng(seed)", "seed = int(np.random.default_rng()"))
fault("floats divided by 255 as well", TESTS,
      ("training/loop.py", "x = x * np.float32(1 / 255) if x.dtype == np.uint8 else x.astype(np.float32, copy=False)",
       "x = x * np.float32(1 / 255)"))
fault("floats' mean divided by 255 in the output bias", TESTS,
      ("training/loop.py", " / (255 if images.dtype == np.uint8 else 1)", " / 255"))

# What a check of gradients cannot see: both passes agree, on something else; or the gradient is right, and its use is not

fault("the same noise for every minibatch", "training/test_algorithm.py",
      ("training/loop.py", "return rng.standard_normal((options.num_samples, n, config.latent_dim), dtype=np.float32)",
       "return np.random.default_rng(0).standard_normal((options.num_samples, n, config.latent_dim), dtype=np.float32)"))
fault("noise that is uniform", "training/test_algorithm.py",
      ("training/loop.py", "return rng.standard_normal((options.num_samples, n, config.latent_dim), dtype=np.float32)",
       "return (rng.random((options.num_samples, n, config.latent_dim), dtype=np.float32) - np.float32(0.5)) * np.float32(12**0.5)"))


from . import data, vae  # noqa: E402, F401  faults of these directories, which need `fault` from above
