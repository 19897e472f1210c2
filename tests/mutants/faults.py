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


# gaussian

TESTS = "vae/test_gaussian.py"
DENSITY = TESTS + " -k log_density"
KL = TESTS + " -k kl"
GRADIENT = "vae/test_iwae.py -k gradient_of_the_elbo"
NOISE = TESTS + " -k samples or noise"

FILE = "vae/gaussian.py"
fault("log density without its half", DENSITY,
      (FILE, "return -0.5 * (LOG_2PI + logvar + r**2", "return -1.0 * (LOG_2PI + logvar + r**2"))
fault("log density without logvar", DENSITY, (FILE, "-0.5 * (LOG_2PI + logvar + r**2", "-0.5 * (LOG_2PI + r**2"))
fault("log density divided by σ, not σ²", DENSITY,
      (FILE, "r**2 * exp(-logvar, like=r))\n\n\ndef log_density_b",
       "r**2 * exp(-0.5 * logvar, like=r))\n\n\ndef log_density_b"))
fault("log 2π is log π", DENSITY, (FILE, "math.log(2 * math.pi)", "math.log(math.pi)"))
fault("log density's dx has the sign of dmu", DENSITY, (FILE, "return -dy * u, dy * u", "return dy * u, dy * u"))
fault("log density's dlogvar without its half", DENSITY, (FILE, "0.5 * dy * (u * r - 1)", "dy * (u * r - 1)"))
fault("log density's dlogvar without the 1 of the normalizing constant", DENSITY, (FILE, "(u * r - 1)", "(u * r)"))
fault("log density's backward divides by σ", DENSITY,
      (FILE, "u = r * exp(-logvar, like=r)\n", "u = r * exp(-0.5 * logvar, like=r)\n"))
fault("entropy without the half of its 1", TESTS + " -k entropy",
      (FILE, "0.5 * (LOG_2PI + logvar + 1)", "0.5 * (LOG_2PI + logvar) + 1"))
fault("entropy of the standard deviation", TESTS + " -k entropy",
      (FILE, "0.5 * (LOG_2PI + logvar + 1)", "0.5 * (LOG_2PI + 0.5 * logvar + 1)"))
fault("cross-entropy without q's variance", TESTS + " -k cross",
      (FILE, "logvar_p + exp(logvar_q - logvar_p, like=r)", "logvar_p + 1"))
fault("cross-entropy with the variances' ratio upside down", TESTS + " -k cross",
      (FILE, "exp(logvar_q - logvar_p, like=r)", "exp(logvar_p - logvar_q, like=r)"))
fault("KL without its half", KL, (FILE, "return 0.5 * (np.expm1(d)", "return 1.0 * (np.expm1(d)"))
fault("KL with log σ for log σ²", KL, (FILE, "np.expm1(d) - d + scaled", "np.expm1(d) - 0.5 * d + scaled"))
fault("KL with the sign of d turned: a divergence that can be negative", KL,
      (FILE, "np.expm1(d) - d + scaled", "np.expm1(d) + d + scaled"))
fault("KL with exp for expm1", KL, (FILE, "np.expm1(d) - d + scaled", "np.exp(d) - d + scaled"))
fault("KL that loses its digits near equality", KL, (FILE, "np.expm1(d) - d + scaled", "(np.exp(d) - 1) - d + scaled"))
fault("KL of p from q", KL, (FILE, "np.minimum(logvar_q - logvar_p, 1e4)", "np.minimum(logvar_p - logvar_q, 1e4)"))
fault("KL without the means' distance", KL, (FILE, "np.expm1(d) - d + scaled**2)", "np.expm1(d) - d)"))
fault("KL with the distance of the means over q's variance", KL,
      (FILE, "r * exp(-0.5 * logvar_p, like=r))", "r * exp(-0.5 * logvar_q, like=r))"))
fault("KL with the distance of the means over σ", KL,
      (FILE, "exp(-0.5 * logvar_p, like=r))  #", "exp(-0.25 * logvar_p, like=r))  #"))
fault("KL's dmu without the prior's variance", KL,
      (FILE, "return dy * r * exp(-logvar_p, like=r), ", "return dy * r, "))
fault("KL's dmu without the prior's mean", KL,
      (FILE, "    r = mu_q - mu_p\n    return dy * r", "    r = mu_q\n    return dy * r"))
fault("KL's dlogvar without its half", KL,
      (FILE, "0.5 * dy * np.expm1(logvar_q - logvar_p)", "dy * np.expm1(logvar_q - logvar_p)"))
fault("KL's dlogvar with exp for expm1", KL,
      (FILE, "0.5 * dy * np.expm1(logvar_q - logvar_p)", "0.5 * dy * np.exp(logvar_q - logvar_p)"))
fault("reparameterize with the sign of the noise turned", NOISE,
      (FILE, "return mu + np.exp(0.5 * logvar) * eps", "return mu - np.exp(0.5 * logvar) * eps"))
fault("reparameterize's dlogvar without σ", GRADIENT, (FILE, "dsigma * (0.5 * np.exp(0.5 * logvar))", "dsigma * 0.5"))
fault("reparameterize's dlogvar without its half", GRADIENT,
      (FILE, "dsigma * (0.5 * np.exp(0.5 * logvar))", "dsigma * np.exp(0.5 * logvar)"))
fault("reparameterize's dlogvar without the noise", GRADIENT, (FILE, "dsigma = dz * eps", "dsigma = dz"))
fault("reparameterize's gradients averaged over J, not summed", GRADIENT,
      (FILE, "dz.sum(axis=0), dsigma.sum(axis=0)", "dz.mean(axis=0), dsigma.mean(axis=0)"))

# bernoulli

TESTS = "vae/test_bernoulli.py"
FILE = "vae/bernoulli.py"
fault("log-likelihood averaged over pixels", TESTS,
      (FILE, "logits) - sum_log1p(e)", "logits) / x.shape[-1] - sum_log1p(e) / x.shape[-1]"))
fault("log-likelihood summed over images", TESTS,
      (FILE, "logits) - sum_log1p(e)", "logits).sum() - sum_log1p(e).sum()"))
fault("log-likelihood with softplus(−l): 1 − x for x", TESTS,
      (FILE, "x - (logits > 0).", "1 - x - (logits > 0)."))
fault("log-likelihood's gradient with its sign turned", TESTS,
      (FILE, "np.subtract(x, dl, out=dl)", "dl -= x"))
fault("log-likelihood's gradient without the sigmoid", TESTS, (FILE, "dl = sigmoid(logits)", "dl = logits.copy()"))
fault("a factor σ(1 − σ) too many, as after a sigmoid layer", TESTS,
      (FILE, "np.subtract(x, dl, out=dl)", "dl = (x - dl) * dl * (1 - dl)"))
fault("σ(−l) for σ(l)", TESTS, (FILE, "np.exp(-l)", "np.exp(l)"))
fault("log(1 + e) without its correction", TESTS, (FILE, "(np.log(u) + (e - (u - 1)) / u)", "np.log(u)"))
fault("softplus without the maximum", TESTS, (FILE, "x - (logits > 0).astype(logits.real.dtype)", "x"))
fault("a product of sums without its cross term", TESTS, (FILE, "e = 1 + a\n", "e = 1 + 0 * a\n"))
fault("a product of more factors than the number format holds", TESTS, (FILE, "for _ in range(6)", "for _ in range(60)"))

# layers

TESTS = "vae/test_layers.py"
FILE = "vae/layers.py"
fault("linear without its bias", TESTS, (FILE, "    y += b\n", ""))
SQUARE = "vae/test_iwae.py -k square"  # a model where nothing but the numbers can tell
fault("dx with W for Wᵀ", SQUARE, (FILE, "dy @ W.T", "dy @ W"))
fault("dW with x for xᵀ", SQUARE, (FILE, "np.matmul(x.T, dy, out=dW)", "np.matmul(x, dy, out=dW)"))
fault("dW transposed", SQUARE, (FILE, "np.matmul(x.T, dy, out=dW)", "np.matmul(dy.T, x, out=dW)"))
fault("dW averaged over the batch", TESTS, (FILE, "np.matmul(x.T, dy, out=dW)", "np.matmul(x.T, dy / len(x), out=dW)"))
fault("db a mean for a sum", TESTS, (FILE, "np.ones(len(dy), dy.dtype)", "np.ones(len(dy), dy.dtype) / dy.dtype.type(len(dy))"))
fault("db summed over the wrong axis", SQUARE, (FILE, "np.ones(len(dy), dy.dtype), dy, out=db", "dy, np.ones(len(dy), dy.dtype), out=db"))
fault("relu's gradient where y is 0 as well", TESTS, (FILE, "dy * (y > 0)", "dy * (y >= 0)"))
fault("relu's gradient not masked", TESTS, (FILE, "dy * (y > 0)", "dy"))
fault("relu's gradient masked by its own sign", TESTS, (FILE, "dy * (y > 0)", "dy * (dy > 0)"))
fault("tanh's gradient 1 − y", TESTS, (FILE, "dy * (1 - y * y)", "dy * (1 - y)"))
fault("tanh's gradient of its input's name, y for tanh y", TESTS,
      (FILE, "dy * (1 - y * y)", "dy * (1 - np.tanh(y) ** 2)"))

# vae

TESTS = "vae/test_elbo.py"
FILE = "vae/elbo.py"
fault("the sum over images, not the mean, in the loss", TESTS,
      (FILE, "- reconstruction).sum() / len(x)", "- reconstruction).sum()"))
fault("the KL added with the wrong sign", TESTS,
      (FILE, "(config.beta * kl - reconstruction).sum()", "(-config.beta * kl - reconstruction).sum()"))
fault("β weighs the reconstruction", TESTS,
      (FILE, "(config.beta * kl - reconstruction).sum()", "(kl - config.beta * reconstruction).sum()"))
fault("the reconstruction summed over J", TESTS,
      (FILE, ".sum(axis=0) / J", ".sum(axis=0)"))
fault("the KL averaged over latents", TESTS,
      (FILE, "*prior(config, mu.dtype)).sum(axis=-1)\n    loss", "*prior(config, mu.dtype)).mean(axis=-1)\n    loss"))
fault("the normal decoder averaged over pixels", TESTS,
      (FILE, "decoder_logvar(params, y.dtype, config)).sum(axis=-1)",
       "decoder_logvar(params, y.dtype, config)).mean(axis=-1)"))
fault("1/N missing in the KL's gradient", GRADIENT, (FILE, "dkl = dloss * config.beta / len(x)", "dkl = dloss * config.beta"))
fault("β missing in the KL's gradient", GRADIENT, (FILE, "dkl = dloss * config.beta / len(x)", "dkl = dloss / len(x)"))
fault("1/J missing in the likelihood's gradient", GRADIENT, (FILE, "-dloss / math.prod(y.shape[:-1])", "-dloss / len(x)"))
fault("the likelihood's gradient with its sign turned", GRADIENT,
      (FILE, "-dloss / math.prod(y.shape[:-1])", "dloss / math.prod(y.shape[:-1])"))
fault("the KL detached from mu", GRADIENT, (FILE, "dmu_z + dmu_kl", "dmu_z"))
fault("the KL detached from logvar", GRADIENT, (FILE, "dlogvar_z + dlogvar_kl", "dlogvar_z"))
fault("the sample detached from logvar", GRADIENT, (FILE, "dlogvar_z + dlogvar_kl", "dlogvar_kl"))
fault("mu and logvar exchanged on the way back", GRADIENT,
      (FILE, "np.concatenate([dmu, dlogvar], axis=1)", "np.concatenate([dlogvar, dmu], axis=1)"))
fault("the standard normal in the KL's gradient, whatever the prior", GRADIENT,
      (FILE, "kl_divergence_backward(dkl, mu, logvar, *prior(config, mu.dtype))",
       "kl_divergence_backward(dkl, mu, logvar)"))
fault("the learned variance gets the mean of its gradients", GRADIENT, (FILE, "dlogvar_x.sum()", "dlogvar_x.mean()"))
fault("the learned variance gets no gradient", GRADIENT,
      (FILE, 'grads["logvar_x"][...] = dlogvar_x.sum()', 'grads["logvar_x"][...] = 0'))
fault("activations skipped on the way back", GRADIENT,
      (FILE, "        dy = activate_backward(dy, caches[2 * i - 1])\n", ""))
fault("the encoder's first layer of another input's gradient", GRADIENT,
      (FILE, "dy, _, _ = linear_backward(dy, caches[2 * i],",
       "dy, _, _ = linear_backward(dy, caches[2 * len(config.hidden)],"))
fault("noise drawn anew in the backward pass", "vae/test_elbo.py",
      ("vae/elbo.py", "reparameterize_backward(dz, mu, logvar, eps)",
       "reparameterize_backward(dz, mu, logvar, np.random.default_rng().standard_normal(eps.shape))"))
fault("noise drawn anew in the backward pass: the estimator is biased", "vae/test_estimators.py -k exact_gradient",
      ("vae/elbo.py", "reparameterize_backward(dz, mu, logvar, eps)",
       "reparameterize_backward(dz, mu, logvar, np.random.default_rng().standard_normal(eps.shape))"))
fault("both heads alike from the start", TESTS,
      ("vae/parameters.py", "rng.uniform(-1, 1, array.shape) / math",
       "np.random.default_rng(0).uniform(-1, 1, array.shape) / math"))
fault("first weights scaled by 1/fan_in, not its root", TESTS,
      ("vae/parameters.py", "math.sqrt(len(params[name]))", "len(params[name])"))

# bounds

TESTS = "vae/test_iwae.py"
FILE = "vae/iwae.py"
fault("log-mean-exp is log-sum-exp", TESTS, (FILE, "np.exp(a - m).mean(axis=axis)", "np.exp(a - m).sum(axis=axis)"))
fault("log-mean-exp that overflows", TESTS, (FILE, "np.where(np.isfinite(m), m, 0)", "np.zeros_like(m)"))
fault("log-mean-exp that makes NaN of weights that are all 0", TESTS,
      (FILE, "    m = np.where(np.isfinite(m), m, 0)\n", ""))
fault("the mean of the logs for the log of the mean", TESTS,
      (FILE, "loss = -log_mean_exp(log_w).mean()", "loss = -log_w.mean()"))
fault("the weights without the prior", TESTS, (FILE, "return log_px + log_pz - log_qz", "return log_px - log_qz"))
fault("the weights multiplied by q", TESTS,
      (FILE, "return log_px + log_pz - log_qz", "return log_px + log_pz + log_qz"))
fault("log q without logvar", TESTS, (FILE, "(LOG_2PI + logvar + eps**2)", "(LOG_2PI + eps**2)"))
fault("log q of z, not of eps", TESTS, (FILE, "(LOG_2PI + logvar + eps**2)", "(LOG_2PI + logvar + z**2)"))
fault("every sample counts the same in the gradient", TESTS + " -k gradient",
      (FILE, "w = np.exp(log_w - log_w.max(axis=0))", "w = np.ones_like(log_w)"))
fault("weights normalized over images", TESTS + " -k gradient",
      (FILE, "w / w.sum(axis=0)", "w / w.sum(axis=1, keepdims=True)"))
fault("the prior's gradient left out", TESTS + " -k gradient", (FILE, "dz_likelihood + dz_prior", "dz_likelihood"))
fault("log q's gradient left out", TESTS + " -k gradient", (FILE, "dlogvar_z + dlogvar_q", "dlogvar_z"))
fault("log q's gradient without its half", TESTS + " -k gradient",
      (FILE, "0.5 * dlog_w.sum(axis=0)", "dlog_w.sum(axis=0)"))
fault("the running sum not rescaled to the new maximum", TESTS + " -k chunks",
      (FILE, "s1 * scale + w.sum(axis=0)", "s1 + w.sum(axis=0)"))
fault("the running squares rescaled once, not twice", TESTS + " -k chunks", (FILE, "s2 * scale**2", "s2 * scale"))
fault("a standard error of one weight, not of the mean of K", TESTS + " -k chunks or calibrated",
      (FILE, "np.sqrt(variance / samples) / mean", "np.sqrt(variance) / mean"))
fault("a standard error of w, not of log w", TESTS + " -k chunks or calibrated",
      (FILE, "np.sqrt(variance / samples) / mean", "np.sqrt(variance / samples)"))
fault("the last chunk not cut short", TESTS + " -k chunks", (FILE, "k = min(step, samples - done)", "k = step"))

# adam

TESTS = "vae/test_adam.py"
FILE = "vae/adam.py"
fault("m forgets with β₂", TESTS, (FILE, "m *= self.beta1\n", "m *= self.beta2\n"))
fault("v forgets with β₁", TESTS, (FILE, "v *= self.beta2\n", "v *= self.beta1\n"))
fault("AdaGrad's v: a sum that never forgets", TESTS, (FILE, "        v *= self.beta2\n", ""))
fault("v of g, not of g²", TESTS, (FILE, "np.multiply(g, g, out=s)", "g"))
fault("m not corrected", TESTS, (FILE, "(1 - self.beta1) / (1 - self.beta1**self.t) * root", "(1 - self.beta1) * root"))
fault("v not corrected", TESTS, (FILE, "(1 - self.beta2**self.t) / (1 - self.beta2)", "1 / (1 - self.beta2)"))
fault("ε unscaled, where the corrections are folded into the rate", TESTS,
      (FILE, "self.epsilon * root", "self.epsilon"))
fault("ε under the root", TESTS,
      (FILE, "        np.sqrt(v, out=s)\n        s += d\n", "        np.sqrt(v + d, out=s)\n"))
fault("no root", TESTS, (FILE, "np.sqrt(v, out=s)", "s[...] = v"))
fault("t counted after the step", TESTS,
      (FILE, "        self.t += 1\n", ""),
      (FILE, "        theta -= s\n", "        theta -= s\n        self.t += 1\n"))
fault("uphill", TESTS, (FILE, "theta -= s", "theta += s"))

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
fault("the same noise for both halves", TESTS, ("training/loop.py", "[..., part, :]", "[..., : len(x), :]"))
fault("each process draws random pixels for its own half", TESTS,
      ("training/loop.py", "rng.random((len(images), x.shape[1]), dtype=np.float32)[part]", "rng.random(x.shape, dtype=np.float32)"))
fault("the second process keeps the first epoch's rate", TESTS,
      ("training/loop.py", "    state.adam.lr = learning_rate(options, state.epoch)\n",
       "    state.adam.lr = learning_rate(options, 1 if step.pair.number else state.epoch)\n"))
fault("the KL's gradient of a half not scaled", TESTS, ("vae/elbo.py", "dkl = dloss * config", "dkl = config"))
fault("the likelihood's gradient of a half not scaled", TESTS, ("vae/elbo.py", "-dloss / math.prod", "-1 / math.prod"))
fault("the weights' gradient of a half not scaled", TESTS, ("vae/iwae.py", "(dloss / len(x))", "(1 / len(x))"))
fault("θ in memory that only one process sees", TESTS, ("training/loop.py", "shared(params.vector)", "params.vector.copy()"))
fault("m in memory that only one process sees", TESTS, ("training/loop.py", "state.adam.v = shared(m), ", "state.adam.v = m.copy(), "))

fault("a state's arrays left behind where they were before training", TESTS,
      ("training/loop.py", "        params.vector[...], m[...], v[...] = state.params.vector, state.adam.m, state.adam.v\n", ""))
fault("two finite halves whose sum is not, unseen", TESTS,
      (FILE, "sum(grads[name] for grads in self.grads)", "self.grads[0][name]"))

# idx

TESTS = "data/test_idx.py -k by_hand or written_is_read or order or same_array"
FILE = "data/idx.py"
fault("sizes read in the other byte order", TESTS,
      (FILE, 'struct.unpack(f">{ndim}I", sizes)', 'struct.unpack(f"<{ndim}I", sizes)'))
fault("elements kept in the file's byte order under the machine's name", TESTS,
      (FILE, "array.byteswap(inplace=True).view(", "array.view("))
fault("16-bit elements read in the other byte order", TESTS, (FILE, '0x0B: ">i2"', '0x0B: "<i2"'))
fault("signed bytes for unsigned", TESTS, (FILE, '0x08: ">u1", 0x09: ">i1"', '0x08: ">i1", 0x09: ">u1"'))
fault("sizes written in the other byte order", TESTS, (FILE, 'f">BBBB{array.ndim}I"', 'f"<BBBB{array.ndim}I"'))
fault("elements written in the machine's byte order", TESTS, (FILE, "array.astype(TYPES[code])", "array"))
fault("elements written column by column", TESTS,
      (FILE, "array.astype(TYPES[code]).tobytes()", 'array.astype(TYPES[code]).tobytes("F")'))
fault("sizes read backwards", TESTS,
      (FILE, 'struct.unpack(f">{ndim}I", sizes)', 'struct.unpack(f">{ndim}I", sizes)[::-1]'))

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
fault("Glorot's 6 is a 3", TESTS, (FILE, "math.sqrt(6 / sum(array.shape))", "math.sqrt(3 / sum(array.shape))"))
fault("Glorot's fan_out forgotten", TESTS, (FILE, "math.sqrt(6 / sum(array.shape))", "math.sqrt(6 / array.shape[0])"))
fault("the output bias is the logit of no ink", TESTS, (FILE, "np.log(clipped / (1 - clipped))", "np.log((1 - clipped) / clipped)"))
fault("a normal decoder's output bias is a logit, too", "training/test_loop.py -k glorot",
      (FILE, 'if config.likelihood == "bernoulli" else mean', "if True else mean"))
fault("annealing begins an epoch late", PIXELS, (FILE, "left / (options.anneal + 1)", "(left + 1) / (options.anneal + 1)"))
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
      ("pictures/samples.py", 'sigmoid(y) if config.likelihood == "bernoulli" else y', "y"))
fault("means not in the scale of X", TESTS, (FILE, "return self.scale_ * decoder_mean", "return 1 * decoder_mean"))
fault("a Generator's state ignored by fit", TESTS,
      (FILE, "seed = int(np.random.default_rng(seed)", "seed = int(np.random.default_rng()"))
fault("floats divided by 255 as well", TESTS,
      ("training/loop.py", "x = x * np.float32(1 / 255) if x.dtype == np.uint8 else x.astype(np.float32, copy=False)",
       "x = x * np.float32(1 / 255)"))
fault("floats' mean divided by 255 in the output bias", TESTS,
      ("training/loop.py", " / (255 if images.dtype == np.uint8 else 1)", " / 255"))
fault("copied parameters that are no views of their vector", TESTS,
      ("vae/parameters.py", "    def __reduce__(self)", "    def reduced(self)"))

# What a check of gradients cannot see: both passes agree, on something else; or the gradient is right, and its use is not

fault("the variance used as the standard deviation, in both passes", NOISE,
      ("vae/gaussian.py", "return mu + np.exp(0.5 * logvar) * eps", "return mu + np.exp(logvar) * eps"),
      ("vae/gaussian.py", "dsigma * (0.5 * np.exp(0.5 * logvar))", "dsigma * np.exp(logvar)"))
fault("the same, seen by the exact posterior", "vae/test_ppca.py -k log_weight_is_log_p",
      ("vae/gaussian.py", "return mu + np.exp(0.5 * logvar) * eps", "return mu + np.exp(logvar) * eps"),
      ("vae/gaussian.py", "dsigma * (0.5 * np.exp(0.5 * logvar))", "dsigma * np.exp(logvar)"))
fault("the same noise for every minibatch", "training/test_algorithm.py",
      ("training/loop.py", "return rng.standard_normal(shape, dtype=np.float32)",
       "return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)"))
fault("noise that is uniform", "training/test_algorithm.py",
      ("training/loop.py", "return rng.standard_normal(shape, dtype=np.float32)",
       "return (rng.random(shape, dtype=np.float32) - np.float32(0.5)) * np.float32(12**0.5)"))
fault("Adam's bias correction of m without the power of t", "vae/test_adam.py",
      ("vae/adam.py", "(1 - self.beta1**self.t)", "(1 - self.beta1)"))
fault("Adam's bias correction of v without the power of t", "vae/test_adam.py",
      ("vae/adam.py", "(1 - self.beta2**self.t)", "(1 - self.beta2)"))
fault("the loss scaled by 1/784, an average over pixels", "vae/test_elbo.py",
      ("vae/elbo.py", "reconstruction).sum() / len(x)", "reconstruction).sum() / len(x) / config.pixels"),
      ("vae/elbo.py", "dkl = dloss * config.beta / len(x)", "dkl = config.beta / len(x) / config.pixels"),
      ("vae/elbo.py", "-dloss / math.prod(y.shape[:-1])", "-1 / math.prod(y.shape[:-1]) / config.pixels"))
fault("the likelihood alone averaged over pixels: a β of 784 in disguise", "vae/test_bernoulli.py",
      ("vae/bernoulli.py", "logits) - sum_log1p(e)", "logits) / x.shape[-1] - sum_log1p(e) / x.shape[-1]"),
      ("vae/bernoulli.py", "dl *= np.expand_dims(dy, -1)", "dl *= np.expand_dims(dy, -1) / x.shape[-1]"))
fault("the KL without its half, in both passes", KL,
      ("vae/gaussian.py", "return 0.5 * (np.expm1(d)", "return 1.0 * (np.expm1(d)"),
      ("vae/gaussian.py", "dy * r * exp(-logvar_p, like=r), 0.5 * dy", "2 * dy * r * exp(-logvar_p, like=r), 1.0 * dy"))
fault("the KL left out of the loss, in both passes", "vae/test_ppca.py -k gap",
      ("vae/elbo.py", "kl = kl_divergence(mu, logvar, *prior(config, mu.dtype)).sum(axis=-1)",
       "kl = 0 * kl_divergence(mu, logvar, *prior(config, mu.dtype)).sum(axis=-1)"),
      ("vae/elbo.py", "dkl = dloss * config.beta / len(x)", "dkl = 0.0"))
fault("J samples summed in both passes", "vae/test_elbo.py",
      ("vae/elbo.py", ".sum(axis=0) / J", ".sum(axis=0)"),
      ("vae/elbo.py", "-dloss / math.prod(y.shape[:-1])", "-dloss / len(x)"))
fault("an encoder without hidden layers, in both passes", "vae/test_elbo.py -k definition or hidden_layers",
      ("vae/elbo.py", "        x, activation_cache = activate(x)\n", "        activation_cache = None\n"),
      ("vae/elbo.py", "        dy = activate_backward(dy, caches[2 * i - 1])\n", ""))

from . import mdp  # noqa: E402,F401  the faults of book two
