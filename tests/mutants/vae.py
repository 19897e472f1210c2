"""Faults in book one, the variational autoencoder; as in faults.py."""

from .faults import fault

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
      (FILE, "r**2 * _exp(-logvar, r))\n\n\ndef log_density_b",
       "r**2 * _exp(-0.5 * logvar, r))\n\n\ndef log_density_b"))
fault("log 2π is log π", DENSITY, (FILE, "math.log(2 * math.pi)", "math.log(math.pi)"))
fault("log density's dx has the sign of dmu", DENSITY, (FILE, "return -dy * score, dy * score", "return dy * score, dy * score"))
fault("log density's dlogvar without its half", DENSITY, (FILE, "0.5 * dy * (score * r - 1)", "dy * (score * r - 1)"))
fault("log density's dlogvar without the 1 of the normalizing constant", DENSITY, (FILE, "(score * r - 1)", "(score * r)"))
fault("log density's backward divides by σ", DENSITY,
      (FILE, "score = r * _exp(-logvar, r)\n", "score = r * _exp(-0.5 * logvar, r)\n"))
fault("entropy without the half of its 1", TESTS + " -k entropy",
      (FILE, "0.5 * (LOG_2PI + logvar + 1)", "0.5 * (LOG_2PI + logvar) + 1"))
fault("entropy of the standard deviation", TESTS + " -k entropy",
      (FILE, "0.5 * (LOG_2PI + logvar + 1)", "0.5 * (LOG_2PI + 0.5 * logvar + 1)"))
fault("cross-entropy without q's variance", TESTS + " -k cross",
      (FILE, "logvar_p + _exp(logvar_q - logvar_p, r)", "logvar_p + 1"))
fault("cross-entropy with the variances' ratio upside down", TESTS + " -k cross",
      (FILE, "_exp(logvar_q - logvar_p, r)", "_exp(logvar_p - logvar_q, r)"))
fault("KL without its half", KL, (FILE, "return 0.5 * (np.expm1(d)", "return 1.0 * (np.expm1(d)"))
fault("KL with log σ for log σ²", KL, (FILE, "np.expm1(d) - d + scaled", "np.expm1(d) - 0.5 * d + scaled"))
fault("KL with the sign of d turned: a divergence that can be negative", KL,
      (FILE, "np.expm1(d) - d + scaled", "np.expm1(d) + d + scaled"))
fault("KL with exp for expm1", KL, (FILE, "np.expm1(d) - d + scaled", "np.exp(d) - d + scaled"))
fault("KL that loses its digits near equality", KL, (FILE, "np.expm1(d) - d + scaled", "(np.exp(d) - 1) - d + scaled"))
fault("KL of p from q", KL, (FILE, "np.minimum(logvar_q - logvar_p, 1e4)", "np.minimum(logvar_p - logvar_q, 1e4)"))
fault("KL without the means' distance", KL, (FILE, "np.expm1(d) - d + scaled**2)", "np.expm1(d) - d)"))
fault("KL with the distance of the means over q's variance", KL,
      (FILE, "r * _exp(-0.5 * logvar_p, r))", "r * _exp(-0.5 * logvar_q, r))"))
fault("KL with the distance of the means over σ", KL,
      (FILE, "_exp(-0.5 * logvar_p, r))  #", "_exp(-0.25 * logvar_p, r))  #"))
fault("KL's dmu without the prior's variance", KL,
      (FILE, "return dy * r * _exp(-logvar_p, r), ", "return dy * r, "))
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
fault("softplus without the maximum", TESTS, (FILE, "    y += np.maximum(logits, 0)\n", ""))
fault("softplus with log(1 + e), which loses small e", TESTS, (FILE, "np.log1p(np.exp(", "np.log(1 + np.exp("))
fault("softplus whose exponential overflows", TESTS,
      (FILE, "np.log1p(np.exp(np.minimum(logits, -logits)))", "np.log1p(np.exp(logits)) - np.maximum(logits, 0)"))
fault("softplus with a complex |l| that conjugates", TESTS, (FILE, "np.minimum(logits, -logits)", "-np.abs(logits)"))
fault("log-likelihood averaged over pixels", TESTS,
      (FILE, "(x * logits - softplus(logits)).sum(axis=-1)", "(x * logits - softplus(logits)).mean(axis=-1)"))
fault("log-likelihood summed over images", TESTS,
      (FILE, "(x * logits - softplus(logits)).sum(axis=-1)", "(x * logits - softplus(logits)).sum()"))
fault("log-likelihood with softplus(−l): 1 − x for x", TESTS,
      (FILE, "(x * logits - softplus(logits)).sum", "(x * logits - softplus(-logits)).sum"))
fault("log-likelihood's gradient with its sign turned", TESTS,
      (FILE, "np.subtract(x, dl, out=dl)", "dl - x"))
fault("log-likelihood's gradient without the sigmoid", TESTS, (FILE, "dl = sigmoid(logits)", "dl = logits.copy()"))
fault("a factor σ(1 − σ) too many, as after a sigmoid layer", TESTS,
      (FILE, "np.subtract(x, dl, out=dl)", "(x - dl) * dl * (1 - dl)"))
fault("σ(−l) for σ(l)", TESTS, (FILE, "np.exp(-logits)", "np.exp(logits)"))

# layers

TESTS = "vae/test_layers.py"
FILE = "vae/layers.py"
fault("linear without its bias", TESTS, (FILE, "    y += b\n", ""))
SQUARE = "vae/test_iwae.py -k square"  # a model where nothing but the numbers can tell
fault("dx with W for Wᵀ", SQUARE, (FILE, "dy @ W.T", "dy @ W"))
fault("dW with x for xᵀ", SQUARE, (FILE, "np.matmul(x.T, dy, out=dW)", "np.matmul(x, dy, out=dW)"))
fault("dW transposed", SQUARE, (FILE, "np.matmul(x.T, dy, out=dW)", "np.matmul(dy.T, x, out=dW)"))
fault("dW averaged over the batch", TESTS, (FILE, "np.matmul(x.T, dy, out=dW)", "np.matmul(x.T, dy / len(x), out=dW)"))
fault("db a mean for a sum", TESTS, (FILE, "np.sum(dy, axis=0, out=db)", "np.mean(dy, axis=0, out=db)"))
fault("db summed over the wrong axis", SQUARE, (FILE, "np.sum(dy, axis=0, out=db)", "np.sum(dy, axis=1, out=db)"))
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
      (FILE, "- log_px).sum() / len(x)", "- log_px).sum()"))
fault("the KL added with the wrong sign", TESTS,
      (FILE, "(config.beta * kl - log_px).sum()", "(-config.beta * kl - log_px).sum()"))
fault("β weights the reconstruction", TESTS,
      (FILE, "(config.beta * kl - log_px).sum()", "(kl - config.beta * log_px).sum()"))
fault("the reconstruction summed over J", TESTS,
      (FILE, ".sum(axis=0) / len(eps)", ".sum(axis=0)"))
fault("the KL averaged over latents", TESTS,
      (FILE, "*prior_parameters(config, mu.dtype)).sum(axis=-1)\n    return log_px",
       "*prior_parameters(config, mu.dtype)).mean(axis=-1)\n    return log_px"))
fault("the normal decoder averaged over pixels", TESTS,
      ("vae/likelihoods.py", "decoder_logvar(params, y.dtype, config)).sum(axis=-1)",
       "decoder_logvar(params, y.dtype, config)).mean(axis=-1)"))
fault("1/N missing in the KL's gradient", GRADIENT,
      (FILE, "dkl = dloss * config.beta / N", "dkl = dloss * config.beta"))
fault("β missing in the KL's gradient", GRADIENT, (FILE, "dkl = dloss * config.beta / N", "dkl = dloss / N"))
fault("1/J missing in the likelihood's gradient", GRADIENT, (FILE, "-dloss / (J * N)", "-dloss / N"))
fault("the likelihood's gradient with its sign turned", GRADIENT,
      (FILE, "-dloss / (J * N)", "dloss / (J * N)"))
fault("the KL detached from mu", GRADIENT, (FILE, "dmu = dmu_z + dmu_kl", "dmu = dmu_z"))
fault("the KL detached from logvar", GRADIENT, (FILE, "dlogvar = dlogvar_z + dlogvar_kl", "dlogvar = dlogvar_z"))
fault("the sample detached from logvar", GRADIENT, (FILE, "dlogvar = dlogvar_z + dlogvar_kl", "dlogvar = dlogvar_kl"))
fault("mu and logvar exchanged on the way back", GRADIENT,
      ("vae/model.py", "np.concatenate([dmu, dlogvar], axis=1)", "np.concatenate([dlogvar, dmu], axis=1)"))
fault("the standard normal in the KL's gradient, whatever the prior", GRADIENT,
      (FILE, "kl_divergence_backward(dkl, mu, logvar, *prior_parameters(config, mu.dtype))",
       "kl_divergence_backward(dkl, mu, logvar)"))
fault("the learned variance gets the mean of its gradients", GRADIENT,
      ("vae/likelihoods.py", "dlogvar_x.sum()", "dlogvar_x.mean()"))
fault("the learned variance gets no gradient", GRADIENT,
      ("vae/likelihoods.py", 'grads["logvar_x"][...] = dlogvar_x.sum()', 'grads["logvar_x"][...] = 0'))
fault("activations skipped on the way back", GRADIENT,
      ("vae/model.py", "        dy = activate_backward(dx, caches[2 * i - 1])\n", "        dy = dx\n"))
fault("the encoder's first layer of another input's gradient", GRADIENT,
      ("vae/model.py", "dx, _, _ = linear_backward(dy, caches[2 * i],",
       "dx, _, _ = linear_backward(dy, caches[2 * len(config.hidden_dims)],"))
fault("noise sampled again in the backward pass", "vae/test_elbo.py",
      ("vae/elbo.py", "reparameterize_backward(dz, mu, logvar, eps)",
       "reparameterize_backward(dz, mu, logvar, np.random.default_rng().standard_normal(eps.shape))"))
fault("noise sampled again in the backward pass: the estimator is biased", "vae/test_estimators.py -k exact_gradient",
      ("vae/elbo.py", "reparameterize_backward(dz, mu, logvar, eps)",
       "reparameterize_backward(dz, mu, logvar, np.random.default_rng().standard_normal(eps.shape))"))
fault("both heads alike from the start", TESTS,
      ("vae/parameters.py", "rng.uniform(-1, 1, array.shape) / math",
       "np.random.default_rng(0).uniform(-1, 1, array.shape) / math"))
fault("first weights scaled by 1/fan_in, not its root", TESTS,
      ("vae/parameters.py", "math.sqrt(len(params[name]))", "len(params[name])"))

# likelihoods and Glorot's initialization

TESTS = "vae/test_model.py"
fault("Glorot's 6 is a 3", TESTS,
      ("vae/parameters.py", "math.sqrt(6 / sum(array.shape))", "math.sqrt(3 / sum(array.shape))"))
fault("Glorot's fan_out left out", TESTS,
      ("vae/parameters.py", "math.sqrt(6 / sum(array.shape))", "math.sqrt(6 / array.shape[0])"))
fault("Glorot's output bias written into the encoder", TESTS,
      ("vae/parameters.py", 'params[f"decoder.{len(config.hidden_dims)}.b"][...]',
       'params[f"encoder.{len(config.hidden_dims)}.b"][:6]'))
fault("the output bias is the logit of 1 − the mean", TESTS,
      ("vae/likelihoods.py", "np.log(clipped / (1 - clipped))", "np.log((1 - clipped) / clipped)"))
fault("the mean image is not clipped", TESTS,
      ("vae/likelihoods.py", "clipped = np.clip(mean_image, 0.001, 0.999)", "clipped = mean_image"))
fault("the normal output bias is a logit", TESTS,
      ("vae/likelihoods.py", "output_bias=lambda mean_image: mean_image,", "output_bias=bernoulli_output_bias,"))
fault("the Bernoulli mean is the logits", TESTS, ("vae/likelihoods.py", "mean=bernoulli.sigmoid", "mean=lambda y: y"))
fault("the Bernoulli likelihood called a density", TESTS, ("vae/likelihoods.py", "is_density=False", "is_density=True"))
fault("noise of any shape accepted", "vae/test_elbo.py -k broadcast",
      ("vae/model.py", "np.ndim(eps) != 3 or np.shape(eps)[0] < 1 or np.shape(eps)[1:] != (N, L)", "False"))
fault("noise for one image accepted for all", "vae/test_elbo.py -k broadcast",
      ("vae/model.py", "np.shape(eps)[1:] != (N, L)", "np.shape(eps)[2:] != (L,)"))
fault("images of any size accepted", "vae/test_elbo.py -k another_size",
      ("vae/model.py", "np.shape(x) != (N, config.input_dim)", "False"))
fault("no sample at all accepted", "vae/test_elbo.py -k broadcast", ("vae/model.py", "np.shape(eps)[0] < 1", "False"))

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
fault("every sample counts the same in the gradient", "vae/test_iwae.py -k gradient_of_the_k",
      (FILE, "w = np.exp(log_w - log_w.max(axis=0))", "w = np.ones_like(log_w)"))
fault("weights normalized over images", "vae/test_iwae.py -k gradient_of_the_k",
      (FILE, "w / w.sum(axis=0)", "w / w.sum(axis=1, keepdims=True)"))
fault("the prior's gradient left out", "vae/test_iwae.py -k gradient_of_the_k",
      (FILE, "dz_likelihood + dz_prior", "dz_likelihood"))
fault("log q's gradient left out", "vae/test_iwae.py -k gradient_of_the_k",
      (FILE, "dlogvar_z + dlogvar_q", "dlogvar_z"))
fault("log q's gradient without its half", "vae/test_iwae.py -k gradient_of_the_k",
      (FILE, "0.5 * dlog_w.sum(axis=0)", "dlog_w.sum(axis=0)"))
fault("the running sum not rescaled to the new maximum", TESTS + " -k chunks",
      (FILE, "s1 * scale + w.sum(axis=0)", "s1 + w.sum(axis=0)"))
fault("the running squares rescaled once, not twice", TESTS + " -k chunks", (FILE, "s2 * scale**2", "s2 * scale"))
fault("a standard error of one weight, not of the mean of K", TESTS + " -k chunks or calibrated",
      (FILE, "np.sqrt(variance / num_samples) / mean", "np.sqrt(variance) / mean"))
fault("a standard error of w, not of log w", TESTS + " -k chunks or calibrated",
      (FILE, "np.sqrt(variance / num_samples) / mean", "np.sqrt(variance / num_samples)"))
fault("the last chunk not cut short", TESTS + " -k chunks",
      (FILE, "(min(chunk, num_samples - done), *mu.shape)", "(chunk, *mu.shape)"))

fault("a maximum of the batch, not of each image, in the normalized weights", TESTS + " -k very_different",
      (FILE, "np.exp(log_w - log_w.max(axis=0))", "np.exp(log_w - log_w.max())"))
fault("the first sample's weight in place of the maximum", TESTS + " -k very_different",
      (FILE, "np.exp(log_w - log_w.max(axis=0))", "np.exp(log_w - log_w[0, 0])"))
fault("a running maximum of the batch, not of each image", TESTS + " -k very_different",
      (FILE, "new_m = np.maximum(m, log_w.max(axis=0))", "new_m = np.maximum(m, log_w.max())"))
fault("the biased variance in the standard error", TESTS + " -k few_samples",
      (FILE, "np.float64(num_samples - 1)", "np.float64(num_samples)"))
fault("a standard error of 0 for one sample", TESTS + " -k one_sample",
      (FILE, "np.float64(num_samples - 1)", "np.float64(max(1, num_samples - 1))"))
fault("the encoder run for each sample", TESTS + " -k once_per_image",
      (FILE, "    (mu, logvar), encoder_cache = encode(params, x, config)\n",
       "    (mu, logvar), encoder_cache = [encode(params, x, config) for _ in eps][0]\n"))

# path derivatives

TESTS = "vae/test_path_derivative.py"
FILE = "vae/estimators.py"
fault("w̃ for w̃² in the encoder's gradient of iwae-dreg", TESTS,
      (FILE, "w[..., None], cache, grads)", "1, cache, grads)"))
fault("w̃² for w̃ in the decoder's gradient of iwae-dreg", TESTS,
      (FILE, "_path_derivative(-w * (dloss", "_path_derivative(-w * w * (dloss"))
fault("iwae-dreg with 1 − w̃ for w̃", TESTS, (FILE, "w[..., None], cache, grads)", "1 - w[..., None], cache, grads)"))
fault("iwae-dreg without dloss", TESTS, (FILE, "(dloss / len(cache.x))", "(1 / len(cache.x))"))
fault("iwae-dreg summed over images", TESTS, (FILE, "(dloss / len(cache.x))", "dloss"))
fault("a path derivative without the gradient of −log q in z", TESTS, (FILE, "factor * (dz + dz_q)", "factor * dz"))
fault("a path derivative with the sign of −log q turned", TESTS, (FILE, "factor * (dz + dz_q)", "factor * (dz - dz_q)"))
fault("a path derivative with eps times σ, not over σ", TESTS,
      (FILE, "cache.eps * np.exp(-0.5 * cache.logvar)", "cache.eps * np.exp(0.5 * cache.logvar)"))
fault("a path derivative with eps over σ²", TESTS,
      (FILE, "cache.eps * np.exp(-0.5 * cache.logvar)", "cache.eps * np.exp(-cache.logvar)"))
fault("a path derivative with the score term in logvar", TESTS,
      (FILE, "encode_backward(dmu, dlogvar, cache",
       "encode_backward(dmu, dlogvar + 0.5 * dlog_w.sum(axis=0)[:, None], cache"))
fault("elbo-stl summed over J", TESTS, (FILE, "-dloss / cache.log_w.size", "-dloss / len(cache.x)"))
fault("elbo-stl's loss is that of iwae", TESTS,
      (FILE, "return -cache.log_w.mean(), cache", "return negative_iwae(params, x, eps, config)"))
fault("the naive estimator in place of the score function", "vae/test_estimators.py",
      (FILE, "dmu_kl - f[:, None] * dmu_q", "dmu_kl - dmu_q"))
fault("the score function with its sign turned", "vae/test_estimators.py",
      (FILE, "dmu_kl - f[:, None] * dmu_q", "dmu_kl + f[:, None] * dmu_q"))
fault("a baseline added, not subtracted", "vae/test_estimators.py", (FILE, "log_px - baseline", "log_px + baseline"))
fault("iwae-dreg trained with iwae's gradient", TESTS,
      ("vae/objectives.py", '"iwae-dreg": (negative_iwae, negative_iwae_dreg_backward)',
       '"iwae-dreg": (negative_iwae, negative_iwae_backward)'))
fault("elbo-stl left out of the table", "vae/test_model.py",
      ("vae/objectives.py", '              "elbo-stl": (negative_elbo_stl, negative_elbo_stl_backward),\n', ""))

# gradcheck's own verdict

TESTS = "vae/test_gradcheck.py -k why or wrong or error or kink or numbers or finite or value_error or 1e_12 or nan"
FILE = "vae/gradcheck.py"
fault("every gradient passes", TESTS,
      (FILE, "str(list(worst)), difference, not problem, problem)", "str(list(worst)), difference, True, problem)"))
fault("an entry's error not looked at", TESTS,
      (FILE, " and entry <= WORST_ENTRY_LIMIT", ""), (FILE, "tensor <= COMPLEX_STEP_LIMIT and", "tensor <= 1e-9 and"))
fault("a NaN is no error", TESTS, (FILE, "return np.inf if np.isnan(error)", "return 0.0 if np.isnan(error)"))
fault("a gradient of another shape broadcasts", TESTS, (FILE, "if a.shape != shape:", "if False:"))
fault("a function that is not analytic is called not smooth", TESTS,
      (FILE, "            if difference <= CENTRAL_DIFFERENCE_LIMIT:", "            if False:"))
fault("a discarded imaginary part goes unnoticed", TESTS,
      (FILE, 'simplefilter("error", np.exceptions', 'simplefilter("ignore", np.exceptions'))
fault("an unknown gradient is left out", TESTS,
      (FILE, "set(gradients) - set(inputs)", "set(gradients) - set(gradients)"))
fault("an array for a loss accepted", TESTS, (FILE, "np.ndim(value) or ", ""))
fault("a one-sided difference", TESTS,
      (FILE, "low, high = original - h, original + h", "low, high = original, original + h"))
fault("relative to the analytic gradient, not the numerical one", TESTS,
      (FILE, "order) / np.linalg.norm(n.ravel(), order)", "order) / np.linalg.norm(a.ravel(), order)"))
fault("the worst entry's row and column exchanged", TESTS,
      (FILE, "str(list(worst)), difference, not", "str(list(worst[::-1])), difference, not"))
CASES = "vae/test_gradcheck.py -k every or different or cases"
FILE = "vae/gradcheck_cases.py"
fault("mu and logvar not checked", CASES,
      (FILE, "    if objective in NOT_DERIVATIVES:\n        return", "    if objective:\n        return"))
fault("a path derivative's encoder checked against its loss", CASES,
      (FILE, 'if not key.startswith("encoder")}', "}"))
fault("iwae-dreg's encoder checked against its loss", CASES,
      ("vae/objectives.py", 'NOT_DERIVATIVES = ["elbo-stl", "iwae-dreg"]', 'NOT_DERIVATIVES = ["elbo-stl"]'))
fault("a title with another chapter's number", "vae/test_chapters.py -k title",
      ("vae/gaussian.py", "Chapter 2. ", "Chapter 3. "))
fault("one objective is not checked", CASES,
      (FILE, '    Case("path derivative, K = 5", VAEConfig(**SMALL), num_samples=5, objective="iwae-dreg"),\n', ""))
FILE = "cli/gradcheck.py"
fault("a failed row not marked", "cli/test_gradcheck.py -k marked", (FILE, "'' if row.passed else", "'' if True else"))
fault("the count of all rows, not of the correct ones", "cli/test_gradcheck.py -k marked",
      (FILE, "{sum(row.passed for row in rows)} of", "{len(rows)} of"))
fault("infinity in the JSON", "cli/test_gradcheck.py -k marked",
      (FILE, "error if math.isfinite(error) else None", "error"))

# adam

TESTS = "vae/test_adam.py"
FILE = "vae/adam.py"
fault("Algorithm 1's v_hat without its correction", TESTS, (FILE, "v_hat = v / (1 - beta2**t)", "v_hat = v"))
fault("the whole vector updated, not the shard", TESTS + " -k shard",
      (FILE, "(vector[shard] for vector in", "(vector[:] for vector in"))
fault("m forgets with β₂", TESTS, (FILE, "m *= self.beta1\n", "m *= self.beta2\n"))
fault("v forgets with β₁", TESTS, (FILE, "v *= self.beta2\n", "v *= self.beta1\n"))
fault("AdaGrad's v: a sum that never forgets", TESTS, (FILE, "        v *= self.beta2\n", ""))
fault("moments that end as subnormal numbers", TESTS, (FILE, "if self.t % 100 == 0:", "if False:"))
fault("too rare a search for moments that are almost 0", TESTS, (FILE, "if self.t % 100 == 0:", "if self.t % 1000 == 0:"))
fault("only m is set to 0", TESTS, (FILE, "for moment in (m, v):", "for moment in (m,):"))
fault("moments that matter are set to 0", TESTS, (FILE, "1e6 * np.finfo", "1e30 * np.finfo"))
fault("negative moments are set to 0", TESTS, (FILE, "np.abs(moment) < 1e6", "moment < 1e6"))
fault("v of g, not of g²", TESTS, (FILE, "np.multiply(g, g, out=s)", "g"))
fault("m not corrected", TESTS, (FILE, "(1 - self.beta1) / (1 - self.beta1**self.t) * root", "(1 - self.beta1) * root"))
fault("v not corrected", TESTS, (FILE, "(1 - self.beta2**self.t) / (1 - self.beta2)", "1 / (1 - self.beta2)"))
fault("ε unscaled, where the corrections are folded into the rate", TESTS,
      (FILE, "self.epsilon * root", "self.epsilon"))
fault("ε under the root", TESTS,
      (FILE, "        np.sqrt(v, out=s)\n        s += self.epsilon * root\n",
       "        np.sqrt(v + self.epsilon * root, out=s)\n"))
fault("no root", TESTS, (FILE, "np.sqrt(v, out=s)", "s[...] = v"))
fault("t counted after the step", TESTS,
      (FILE, "        self.t += 1\n", ""),
      (FILE, "        theta -= s\n", "        theta -= s\n        self.t += 1\n"))
fault("uphill", TESTS, (FILE, "theta -= s", "theta += s"))

# seen by the training step

fault("the KL's gradient of a half not scaled", "training/test_step.py",
      ("vae/elbo.py", "dkl = dloss * config", "dkl = config"))
fault("the likelihood's gradient of a half not scaled", "training/test_step.py",
      ("vae/elbo.py", "-dloss / (J * N)", "-1 / (J * N)"))
fault("the weights' gradient of a half not scaled", "training/test_step.py", 
      ("vae/iwae.py", "dlog_w = -normalized_weights(cache.log_w) * (dloss /",
       "dlog_w = -normalized_weights(cache.log_w) * (1 /"))
fault("copied parameters that are no views of their vector", "test_estimator.py",
      ("vae/parameters.py", "    def __reduce__(self)", "    def reduced(self)"))

# What a gradient check cannot see: both passes agree on something else, or the gradient is correct and its use is not

fault("the variance used as the standard deviation, in both passes", NOISE,
      ("vae/gaussian.py", "return mu + np.exp(0.5 * logvar) * eps", "return mu + np.exp(logvar) * eps"),
      ("vae/gaussian.py", "dsigma * (0.5 * np.exp(0.5 * logvar))", "dsigma * np.exp(logvar)"))
fault("the same, seen by the exact posterior", "vae/test_ppca.py -k log_weight_is_log_p",
      ("vae/gaussian.py", "return mu + np.exp(0.5 * logvar) * eps", "return mu + np.exp(logvar) * eps"),
      ("vae/gaussian.py", "dsigma * (0.5 * np.exp(0.5 * logvar))", "dsigma * np.exp(logvar)"))
fault("Adam's bias correction of m without the power of t", "vae/test_adam.py",
      ("vae/adam.py", "(1 - self.beta1**self.t)", "(1 - self.beta1)"))
fault("Adam's bias correction of v without the power of t", "vae/test_adam.py",
      ("vae/adam.py", "(1 - self.beta2**self.t)", "(1 - self.beta2)"))
fault("the loss scaled by 1/784, an average over pixels", "vae/test_elbo.py",
      ("vae/elbo.py", "log_px).sum() / len(x)", "log_px).sum() / len(x) / config.input_dim"),
      ("vae/elbo.py", "dkl = dloss * config.beta / N", "dkl = config.beta / N / config.input_dim"),
      ("vae/elbo.py", "-dloss / (J * N)", "-1 / (J * N) / config.input_dim"))
fault("the likelihood alone averaged over pixels: a β of 784 in disguise", "vae/test_bernoulli.py",
      ("vae/bernoulli.py", "softplus(logits)).sum(axis=-1)", "softplus(logits)).mean(axis=-1)"),
      ("vae/bernoulli.py", "np.subtract(x, dl, out=dl)", "(x - dl) / x.shape[-1]"))
fault("the KL without its half, in both passes", KL,
      ("vae/gaussian.py", "return 0.5 * (np.expm1(d)", "return 1.0 * (np.expm1(d)"),
      ("vae/gaussian.py", "dy * r * _exp(-logvar_p, r), 0.5 * dy", "2 * dy * r * _exp(-logvar_p, r), 1.0 * dy"))
fault("the KL left out of the loss, in both passes", "vae/test_ppca.py -k gap",
      ("vae/elbo.py", "kl = kl_divergence(mu, logvar, *prior_parameters(config, mu.dtype)).sum(axis=-1)",
       "kl = 0 * kl_divergence(mu, logvar, *prior_parameters(config, mu.dtype)).sum(axis=-1)"),
      ("vae/elbo.py", "dkl = dloss * config.beta / N", "dkl = 0.0"))
fault("J samples summed in both passes", "vae/test_elbo.py",
      ("vae/elbo.py", ".sum(axis=0) / len(eps)", ".sum(axis=0)"),
      ("vae/elbo.py", "-dloss / (J * N)", "-dloss / N"))
fault("an encoder without hidden layers, in both passes", "vae/test_elbo.py -k definition or hidden_layers",
      ("vae/model.py", "        x, activation_cache = activate(x)\n", "        activation_cache = None\n"),
      ("vae/model.py", "        dy = activate_backward(dx, caches[2 * i - 1])\n", "        dy = dx\n"))
fault("a case with another number of samples than its name says", "vae/test_gradcheck.py -k name_says",
      ("vae/gradcheck_cases.py", 'VAEConfig(**SMALL), num_samples=3, objective="elbo-stl"', 'VAEConfig(**SMALL), num_samples=4, objective="elbo-stl"'))
