"""Faults in training: the loop, the step, several processes, the state, schedules, evaluation."""

from .faults import fault

# step and parallel

TESTS = "training/test_step.py"
FILE = "training/step.py"
fault("no update", TESTS, (FILE, "        self.adam.step(self.params.vector, self.grads.vector)\n", ""))
fault("the update before the check", "training/test_loop.py -k not_finite",
      (FILE, "        require_finite(loss, self.grads.vector @ self.grads.vector, [self.grads])\n"
             "        self.adam.step(self.params.vector, self.grads.vector)\n",
       "        self.adam.step(self.params.vector, self.grads.vector)\n"
       "        require_finite(loss, self.grads.vector @ self.grads.vector, [self.grads])\n"))
fault("a model that was replaced is ignored", TESTS,
      (FILE, "x[chunk], eps[:, chunk], self.config)", "x[chunk], eps[:, chunk], self.first_config)"),
      (FILE, "        self.config = config\n", "        self.config = self.first_config = config\n"))
fault("an infinite loss passes", TESTS, (FILE, "if not math.isfinite(loss):", "if math.isnan(loss):"))
fault("a squared norm that overflows is an error", TESTS, (FILE, "        if names:\n", "        if True:\n"))
fault("only the first rank's gradient is checked", TESTS, (FILE, "sum(g[name] for g in grads)", "grads[0][name]"))

fault("a chunk's gradient weighted as the whole minibatch's", TESTS, (FILE, "dloss=fraction", "dloss=1.0"))
fault("a part's loss weighted as the whole minibatch's", TESTS, (FILE, "total += fraction * float(loss)", "total += float(loss)"))
fault("a chunk's gradient is lost", TESTS, (FILE, "grads.vector += self.chunk_grads.vector", "pass"))
fault("each chunk overwrites the gradient", TESTS, (FILE, "self.chunk_grads if first else grads", "grads"))
fault("parts do not shrink with the samples", TESTS, (FILE, "MAX_ROWS // len(eps)", "MAX_ROWS"))
fault("the same noise for every chunk", TESTS, (FILE, "eps[:, chunk]", "eps[:, : len(x[chunk])]"))
fault("parts so small that the default run's bits change", TESTS, (FILE, "MAX_ROWS = 1024", "MAX_ROWS = 512"))

FILE = "training/parallel.py"
fault("the other ranks' gradients left out", TESTS, (FILE, "g[shard] += other.vector[shard]", "pass"))
fault("each rank updates all parameters", TESTS,
      (FILE, "self.adam.step(self.params.vector, g, shard)", "self.adam.step(self.params.vector, g)"))
fault("an empty shard keeps the gradient of the step before", TESTS, (FILE, "            grads.vector.fill(0)\n", "            pass\n"))
fault("the same noise for every shard", TESTS,
      (FILE, "self.eps[:, shard]", "self.eps[:, : shard.stop - shard.start]"))
fault("workers keep the first learning rate", TESTS,
      (FILE, "            n, beta, adam.t, adam.lr, adam.beta1,", "            n, beta, adam.t, _, adam.beta1,"))
fault("workers keep the first β", TESTS, (FILE, "self.config = replace(self.config, beta=beta)", "pass"))
fault("workers count steps by themselves", TESTS, (FILE, "n, beta, adam.t, adam.lr,", "n, beta, _, adam.lr,"))
fault("no barrier before the next step", "training/test_step.py -k several_processes or identical_bits",
      (FILE, "        self.adam.step(self.params.vector, g, shard)\n        group.barrier()\n",
       "        if group.rank:\n            import time\n            time.sleep(0.05)\n"
       "        self.adam.step(self.params.vector, g, shard)\n"))
fault("θ in memory of one process alone", TESTS, (FILE, "shared_copy(params.vector)", "params.vector.copy()"))
fault("m in memory of one process alone", TESTS, (FILE, "= shared_copy(m), shared_copy(v)", "= m.copy(), shared_copy(v)"))
fault("the caller's parameters are not updated", TESTS, (FILE, "        params.vector[...] = state.params.vector\n", ""))
fault("the caller's moments are not updated", TESTS, (FILE, "        m[...], v[...] = state.adam.m, state.adam.v\n", ""))

TESTS = "training/test_processes.py"
FILE = "training/processes.py"
fault("shards that overlap", TESTS, (FILE, "(self.rank + 1) * n // self.size)", "((self.rank + 1) * n + 1) // self.size)"))
fault("a worker ends on Ctrl-C", TESTS, (FILE, "            self._work(rank, ends)\n", "            signal.pthread_sigmask(signal.SIG_SETMASK, ())\n            self._work(rank, ends)\n"))
fault("workers are asked to end, and waited for", TESTS, (FILE, "os.kill(pid, signal.SIGKILL)", "os.kill(pid, signal.SIGTERM)"))
fault("a barrier that only rank 0 waits at", TESTS,
      (FILE, "arrived = all(_receive_byte(peer) for peer in self.peers)",
       "arrived = self.rank > 0 or all(_receive_byte(peer) for peer in self.peers)"))
fault("a barrier for the first worker only", TESTS, (FILE, "_receive_byte(peer) for peer in self.peers)",
                                                     "_receive_byte(peer) for peer in self.peers[:1])"))
fault("an ended process passes for one that has arrived", TESTS, (FILE, "        if not arrived:\n", "        if False:\n"))
fault("a worker's exception is silent", TESTS, (FILE, "            sys.excepthook(*sys.exc_info())\n", "            pass\n"))
fault("sockets keep the program's default timeout", TESTS, (FILE, "                end.settimeout(None)", "                pass"))
fault("every process keeps every socket", TESTS, (FILE, "                end.close()\n", "                pass\n"))

# loop and state

TESTS = "training/test_loop.py training/test_algorithm.py"
FILE = "training/loop.py"
fault("the learning rate never changes", TESTS,
      (FILE, "            state.adam.lr = learning_rate(options, state.epoch)\n", ""))
fault("β never warms up", "training/test_loop.py -k warmup", (FILE, "beta=kl_weight(config, options, state.epoch)", "beta=config.beta"))
fault("the last, smaller batch left out", TESTS,
      (FILE, "len(order), batch_size):", "len(order) - batch_size + 1, batch_size):"))
fault("a resumed epoch starts with its first batch", TESTS,
      (FILE, "range(batches_done * batch_size,", "range(0,"))
fault("a callback that returns None stops training", TESTS, (FILE, "is_true(after_epoch(state))", "after_epoch(state) is None"))
fault("a batch's callback cannot stop training", TESTS, (FILE, "is_true(after_batch(state, loss))", "after_batch(state, loss) == 2"))
fault("NumPy's True does not stop training", TESTS, (FILE, "(bool, np.bool_)", "bool"))
fault("a count stops training", TESTS, (FILE, "isinstance(value, (bool, np.bool_)) and bool(value)", "bool(value)"))
fault("seconds include the callbacks", TESTS,
      (FILE, "            for batch in minibatches(", "            started = time.perf_counter()\n            for batch in minibatches("),
      (FILE, "                started = time.perf_counter()\n", ""))
fault("progress counts this epoch only", TESTS, (FILE, "progress((state.epoch - 1) * len(images) + done,", "progress(done,"))
fault("test images are not checked", TESTS,
      (FILE, '        test_images = check_images("test_images", test_images, config.input_dim, unit_interval)\n', ""))
fault("a Bernoulli decoder takes any pixel", TESTS, (FILE, "unit_interval = LIKELIHOODS[config.likelihood].unit_interval", "unit_interval = False"))
fault("a state of another model is not refused", TESTS, (FILE, "    check_model(state, config)\n", ""))
fault("training without images", TESTS + " -k no_images", (FILE, "if len(images) == 0:", "if False:"))
fault("the sum of losses, not their mean", TESTS, (FILE, "state.loss_sum / len(images)", "state.loss_sum"))
fault("reconstruction and KL exchanged", "training/test_loop.py -k row",
      (FILE, "reconstruction=terms.reconstruction, kl=terms.kl,", "reconstruction=terms.kl, kl=terms.reconstruction,"))
fault("noise that is uniform", TESTS,
      (FILE, "return rng.standard_normal((options.num_samples, n, config.latent_dim), dtype=np.float32)",
       "return (rng.random((options.num_samples, n, config.latent_dim), dtype=np.float32) - np.float32(0.5)) "
       "* np.float32(12**0.5)"))
fault("the same noise for every minibatch", TESTS,
      (FILE, "return rng.standard_normal((", "return np.random.default_rng(0).standard_normal(("))

FILE = "training/state.py"
fault("a state of another activation accepted", TESTS + " -k another_model", (FILE, '("activation", "likelihood",', '("likelihood",'))
fault("every epoch in the same order", TESTS, (FILE, "default_rng([seed, self.epoch])", "default_rng([seed, 1])"))
fault("every seed the same", TESTS, (FILE, "default_rng([seed, self.epoch])", "default_rng([1, self.epoch])"))
fault("a resumed epoch starts its randomness again", TESTS, (FILE, "        if not interrupted:  #", "        if True:  #"))
fault("batches averaged, not images", TESTS, (FILE, "self.loss_sum += loss * count", "self.loss_sum += loss * 16"))
fault("losses run on into the next epoch", TESTS,
      (FILE, "self.batches_done, self.loss_sum, self.epoch_seconds = 0, 0.0, 0.0", "self.batches_done = 0"))
fault("seconds run on into the next epoch", "training/test_loop.py -k seconds",
      (FILE, "self.batches_done, self.loss_sum, self.epoch_seconds = 0, 0.0, 0.0", "self.batches_done, self.loss_sum = 0, 0.0"))
fault("bytes' mean image not divided by 255", TESTS, (FILE, "scale = 255 if images.dtype == np.uint8 else 1", "scale = 1"))
fault("Adam's epsilon ignored", TESTS, (FILE, ", epsilon=options.adam_epsilon", ""))

# schedule

TESTS = "training/test_schedule.py"
FILE = "training/schedule.py"
fault("the rate rises", TESTS, (FILE, "10 ** (-stage / 7)", "10 ** (stage / 7)"))
fault("stages of i epochs, not 3ⁱ", TESTS, (FILE, "position >= (3**i - 1) / 2", "position >= i * (i + 1) / 2"))
fault("seven stages", TESTS, (FILE, "for i in range(1, 8))", "for i in range(1, 7))"))
fault("decay begins an epoch late", TESTS, (FILE, "epochs_left / (options.decay_epochs + 1)", "(epochs_left + 1) / (options.decay_epochs + 1)"))
fault("decay ends at 0", TESTS, (FILE, "epochs_left / (options.decay_epochs + 1)", "(epochs_left - 1) / max(options.decay_epochs, 1)"))
fault("warmup ends an epoch early", TESTS, (FILE, "(epoch - 1) / options.warmup", "epoch / options.warmup"))
fault("warmup to 1, whatever β is", TESTS, (FILE, "return config.beta * (epoch - 1)", "return (epoch - 1)"))

# evaluation

TESTS = "training/test_evaluation.py"
FILE = "training/evaluation.py"
fault("the reconstruction's sign turned", TESTS, (FILE, "-float(sum(log_px))", "float(sum(log_px))"))
fault("the loss without the KL", TESTS, (FILE, "return ElboTerms(reconstruction + kl,", "return ElboTerms(reconstruction,"))
fault("active units by standard deviation", TESTS, (FILE, "mu.var(axis=0) >", "mu.std(axis=0) >"))
fault("active units of the last batch only", TESTS, (FILE, "np.concatenate(mu, dtype", "np.asarray(mu[-1], dtype"))
fault("threads outlive the last result", TESTS, (FILE, "            thread.join()\n", "            pass\n"))
fault("the same noise for every batch", TESTS, (FILE, "list(zip(batches, noise))", "[(batch, noise[0][:, : len(batch)]) for batch in batches]"))
fault("active units above 0.02", TESTS, (FILE, "ACTIVE_UNIT_VARIANCE = 0.01", "ACTIVE_UNIT_VARIANCE = 0.02"))
fault("standard errors added, not their squares", TESTS, (FILE, "variance += float((se**2).sum())", "variance += float(se.sum() ** 2)"))
fault("the error of one image, not of the mean", TESTS, (FILE, "math.sqrt(variance) / len(x)", "math.sqrt(variance / len(x))"))
fault("one generator's numbers for every batch", TESTS, (FILE, "rng.spawn(len(batches))", "[np.random.default_rng(0) for _ in batches]"))
fault("the last batch left out of log p", TESTS, (FILE, "list(zip(batches, rng", "list(zip(batches[:-1] or batches, rng"))
fault("the ELBO's sign turned", TESTS, (FILE, '"elbo": -terms.loss', '"elbo": terms.loss'))
fault("binarized again for every value", TESTS,
      (FILE, "mean_log_marginal(params, x, config,", "mean_log_marginal(params, to_input(images, binarize, rng), config,"))

# interrupts

TESTS = "training/test_interrupts.py"
FILE = "training/interrupts.py"
LOOP = "training/loop.py"
fault("an interrupt inside a batch", TESTS, (LOOP, "                with deferred_interrupt():\n                    x =", "                if True:\n                    x ="))
fault("an interrupt between the row of an epoch and its end", TESTS,
      (LOOP, "            with deferred_interrupt():\n                state.end_epoch", "            if True:\n                state.end_epoch"))
fault("a deferred interrupt is lost", TESTS, (FILE, "    if stop.received:\n        raise KeyboardInterrupt\n", ""))
fault("another program's handler is replaced", TESTS,
      (FILE, "if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:", "if False:"))
fault("the handler is not restored", TESTS, (FILE, "            signal.signal(number, handler)\n", "            pass\n"))
fault("every signal after the first is the second", TESTS, (FILE, "time.monotonic() - self.time > self.PATIENCE", "True"))

TESTS = "training/test_processes.py"
FILE = "training/processes.py"
fault("Ctrl-C during the forks leaves the workers", TESTS,
      (FILE, "KeyboardInterrupt: Ctrl-C that has waited since the first fork\n                self._end()\n", "\n"))
fault("Ctrl-C arrives between the forks", TESTS,
      (FILE, "signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))", "signal.pthread_sigmask(signal.SIG_BLOCK, ())"))
fault("the signals stay blocked", TESTS, (FILE, "                signal.pthread_sigmask(signal.SIG_SETMASK, blocked)\n", "                pass\n"))
fault("a warning of fork ends rank 0", TESTS, (FILE, '            warnings.simplefilter("ignore", DeprecationWarning)', '            pass'))
fault("threads with their own errstate", "training/test_evaluation.py", ("training/evaluation.py", "target=copy_context().run, args=(work,)", "target=work"))
