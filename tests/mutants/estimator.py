"""Faults in the scikit-learn interface."""

from .faults import fault

TESTS = "test_estimator.py"
FILE = "estimator.py"
fault("score with its sign changed, a loss", TESTS, (FILE, "self.score_samples(X).mean()", "-self.score_samples(X).mean()"))
fault("every row evaluated with the same noise", TESTS, (FILE, "zlib.crc32(row)]", "0]"))
fault("rows evaluated with noise by their position", TESTS,
      (FILE, "zlib.crc32(row)] for row in x)", "i] for i, row in enumerate(x))"))
fault("columns before rows in memory", TESTS, ("data/pixels.py", 'np.asarray(X, order="C")', "np.asarray(X)"))
fault("bytes not scaled when they are transformed", TESTS, (FILE, "X * np.float32(1 / self.scale_)", "X * np.float32(1)"))
fault("logits for means", TESTS, (FILE, "LIKELIHOODS[self.config_.likelihood].mean(y)", "y"))
fault("means not in the scale of X", TESTS, (FILE, "return self.scale_ * LIKELIHOODS", "return 1 * LIKELIHOODS"))
fault("a Generator's state ignored by fit", TESTS,
      (FILE, "seed = int(np.random.default_rng(seed)", "seed = int(np.random.default_rng()"))
fault("samples ignore the prior", TESTS,
      (FILE, "reparameterize(*prior_parameters(self.config_, eps.dtype), eps)", "eps"))
fault("a model loaded from a run has another seed", TESTS, (FILE, "random_state=run.options.seed", "random_state=1"))
fault("a loaded model of bytes takes floats", TESTS, (FILE, "run.config.input_dim, run.source.scale", "run.config.input_dim, 1"))
fault("gray input accepted by a model of binary pixels", TESTS, (FILE, 'if binarize != "none" and', 'if binarize == "none" and'))
fault("an unknown setting set all the same", TESTS, (FILE, "if unknown := params.keys() - own.keys():", "if unknown := set():"))
fault("NaN accepted", TESTS, ("data/pixels.py", "if not np.isfinite(X).all():", "if False:"))
fault("numbers above 1 accepted by a Bernoulli likelihood", TESTS, ("data/pixels.py", "or X.max() > 1)", "or X.max() > 2)"))
fault("fit keeps the rows of another number of features", TESTS,
      ("data/pixels.py", "if n_features and X.shape[1] != n_features:", "if n_features and X.shape[1] < n_features - 1:"))
