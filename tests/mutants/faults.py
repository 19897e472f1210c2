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

# sampling

fault("principal axes of mu that is not centred", "runs/test_report.py -k principal",
      ("pictures/latent.py", "np.linalg.svd(mu - mu.mean(axis=0)", "np.linalg.svd(mu"))
fault("singular values taken for variances", "runs/test_report.py -k principal",
      ("pictures/latent.py", "s**2 / max((s**2).sum(), 1e-300)", "s / max(s.sum(), 1e-300)"))
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
