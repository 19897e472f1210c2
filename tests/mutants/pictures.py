"""Faults in images, plots and the report."""

from .faults import fault

# png

TESTS = "pictures/test_png.py"
FILE = "pictures/png.py"
fault("differences called pixels", TESTS, (FILE, "1 + pixels.shape[1]), 2, np.uint8)", "1 + pixels.shape[1]), 0, np.uint8)"))
fault("differences to the first row", TESTS, (FILE, "rows[1:, 1:] -= pixels[:-1]", "rows[1:, 1:] -= pixels[:1]"))
fault("width and height exchanged", TESTS, (FILE, 'struct.pack(">IIBBBBB", width, height', 'struct.pack(">IIBBBBB", height, width'))
fault("gray declared as color", TESTS, (FILE, "0 if image.ndim == 2 else 2", "2 if image.ndim == 2 else 0"))
fault("the CRC of the data alone", TESTS, (FILE, "zlib.crc32(kind + data)", "zlib.crc32(data)"))
fault("upside down", TESTS, (FILE, "pixels = image.reshape(len(image), -1)", "pixels = image[::-1].reshape(len(image), -1)"))
fault("a file that cannot be encoded does not name its path", TESTS, (FILE, 'f"{path}: {error}"', 'f"{error}"'))
fault("four channels accepted", TESTS, (FILE, "not in ((), (3,))", "not in ((), (3,), (4,))"))
fault("sequence numbers of fcTL and fdAT apart", TESTS,
      (FILE, '_chunk(b"fdAT", struct.pack(">I", sequence)', '_chunk(b"fdAT", struct.pack(">I", i)'))
fault("the last frame as short as the others", TESTS, (FILE, "if i == len(frames) - 1 else", "if i == len(frames) else"))
fault("the first frame as fdAT", TESTS, (FILE, "        if i == 0:\n", "        if i == -1:\n"))
fault("an animation that plays once more than asked", TESTS, (FILE, "len(frames), plays)", "len(frames), plays + 1)"))
fault("frames of two shapes in one animation", TESTS,
      (FILE, "if not frames or any(frame.shape != frames[0].shape for frame in frames):", "if not frames:"))
fault("a delay of 65,536 ms", TESTS, (FILE, "<= delay <= 65_535", "<= delay <= 65_536"))
fault("delays in hundredths of a second", TESTS, (FILE, "0, 0, delay, 1000, 0, 0", "0, 0, delay, 100, 0, 0"))

# animation

TESTS = "pictures/test_animation.py"
FILE = "pictures/animation.py"
fault("the first epoch dropped", TESTS, (FILE, "sorted({1, epoch,", "sorted({epoch,"))
fault("a stride that is no power of two", TESTS, (FILE, "stride *= 2", "stride += 1"))
fault("one frame too many", TESTS, (FILE, "epoch // stride + 2 > most", "epoch // stride + 1 > most"))
fault("frames of epochs that are trained again are kept", TESTS, (FILE, "if e < epoch}", "} | set(epochs)"))
fault("frames of another size kept", TESTS, (FILE, " and frames.shape[1:] == frame.shape", ""))
fault("all 256 gray levels", TESTS, (FILE, "np.rint(frame / 17.0) * 17", "frame * 1.0"))
fault("the last frame left out when the file is too large", TESTS, (FILE, "[*levels[:-1:2], levels[-1]]", "levels[::2][:-1]"))
fault("too few frames accepted", TESTS, (FILE, "epoch < 1 or most < 4:", "epoch < 1 or most < 3:"))

# svg

TESTS = "pictures/test_svg.py"
FILE = "pictures/svg.py"
fault("text that is not escaped", TESTS, (FILE, 'element("text", escape(words)', 'element("text", str(words)'))
fault("attributes that are not escaped", TESTS, (FILE, "    return escape(value)\n", "    return str(value)\n"))
fault("control characters in XML", TESTS, (FILE, '_NOT_XML.sub("\\uFFFD", str(text))', "str(text)"))
fault("a title that is not escaped", TESTS, (FILE, 'element("title", escape(title))', 'element("title", title)'))
fault("light colors on a dark page", TESTS, (FILE, "for i in (0, 1))", "for i in (0, 0))"))
fault("axis lines too faint", TESTS, (FILE, '("#7f8791", "#8a939e")', '("#b0b6bd", "#555d66")'))
fault("muted text too faint", TESTS, (FILE, '("#5d6673", "#a3adb9")', '("#8d96a3", "#6a7380")'))
fault("a blue that is not seen in the dark", TESTS, (FILE, '("#1f5fa8", "#74b3f7")', '("#1f5fa8", "#1f5fa8")'))
fault("no background of its own", TESTS, (FILE, ".plot .paper {{ fill: var(--paper) }}", ".plot .paper {{ fill: none }}"))
fault("ticks beyond an axis that is not extended", TESTS, (FILE, "self.low - margin <= t <= self.high + margin", "True"))
fault("an axis that does not reach its outer ticks", TESTS,
      (FILE, "(ticks[0], ticks[-1]) if outward else (low, high)", "(low, high)"))
fault("a logarithmic axis that is linear", TESTS, (FILE, "np.log10(values) if self.log else values", "values"))
fault("natural logarithms beside decimal ones", TESTS,
      (FILE, "np.log10(values) if self.log", "np.log(values) if self.log"))
fault("exponents for values on a logarithmic axis", TESTS, (FILE, 'return f"{10.0**exponent:g}"', 'return f"{exponent:g}"'))
fault("grid lines that are not at their labels", TESTS,
      (FILE, 'line(left, y, right, y, class_="grid")', 'line(left, y + 3, right, y + 3, class_="grid")'))
fault("x and y label exchanged", TESTS, (FILE, "bottom + 40, x_label", "bottom + 40, y_label"))
fault("ticks finer than integers", TESTS, (FILE, "step = max(finest,", "step = max(0 * finest,"))
fault("ticks that do not reach the highest value", TESTS, (FILE, "math.ceil(high / step)", "math.floor(high / step)"))
fault("steps of 1 and 10 only", TESTS, (FILE, "for factor in (1, 2, 5, 10)", "for factor in (1, 10)"))
fault("a constant curve has no ticks", TESTS, (FILE, "span = 1e-3 * abs(low) or 1.0", "span = 1e-3 * abs(low)"),
      (FILE, "    span = max(span, 1e-290)\n", ""))
fault("a single value at the left end", TESTS, (FILE, "(self.first + self.last) / 2)", "self.first)"))
fault("a legend that leaves the plot", TESTS, (FILE, "if x > 16 and x + space > width:", "if x > 16 and x > width:"))
fault("a legend's dots in one color", TESTS, (FILE, 'r=5, style=f"fill: {color}"', 'r=5, style="fill: #000000"'))
fault("a hyphen for a minus sign", TESTS, (FILE, '("−" if value < 0', '("-" if value < 0'))

# plots

TESTS = "pictures/test_plots.py"
FILE = "pictures/plots.py"
fault("the bound of iwae-dreg called the ELBO", TESTS, (FILE, 'options.objective.startswith("iwae")', 'options.objective == "iwae"'))
fault("one value under a magnifying glass", TESTS + " -k magnifying", (FILE, "if y_min is None and low == high and not log_y:", "if False:"))
fault("upside down", TESTS, (FILE, "Axis(low, high, height - BOTTOM, top + 34", "Axis(low, high, top + 34, height - BOTTOM"))
fault("x from right to left", TESTS, (FILE, "xs.max(), LEFT, width - RIGHT", "xs.max(), width - RIGHT, LEFT"))
fault("a logarithmic x axis ignored", TESTS, (FILE, "width - RIGHT, log=log_x", "width - RIGHT, log=False"))
fault("a logarithmic y axis ignored", TESTS, (FILE, "top + 34, log=log_y", "top + 34, log=False"))
fault("curves in the colors of others", TESTS,
      (FILE, "zip(*_thin(px, py)), style=f\"stroke: {color}\"", "zip(*_thin(px, py)), style=f\"stroke: {SERIES[0]}\""))
fault("dots in the colors of others", TESTS, (FILE, 'r=3.5, style=f"fill: {color}"', 'r=3.5, style=f"fill: {SERIES[0]}"'))
fault("a dot at the first value", TESTS, (FILE, "cx=px[-1], cy=py[-1]", "cx=px[0], cy=py[0]"))
fault("the first value in the legend", TESTS, (FILE, 'last = [f"{y[-1]:.5g}"', 'last = [f"{y[0]:.5g}"'))
fault("values that are not finite plotted", TESTS, (FILE, "points[str(name)] = x[finite], y[finite]", "points[str(name)] = x, y"))
fault("a curve of another length", TESTS, (FILE, "if y.shape != x.shape or x.ndim != 1:", "if False:"))
fault("negative values on a logarithmic axis", TESTS, (FILE, "(log_y and (y[finite] <= 0).any())", "(log_y and (y[finite] < 0).any())"))
fault("thinning that loses the highest values", TESTS, (FILE, "last, ascending[first], ascending[last]", "last, ascending[first]"))
fault("thinning that loses the lowest values", TESTS, (FILE, "last, ascending[first], ascending[last]", "last, ascending[last]"))
fault("thinning that loses the last value of a pixel", TESTS,
      (FILE, "[first, last, ascending[first], ascending[last]]", "[first, ascending[first], ascending[last]]"))
fault("every point of a long curve", TESTS, (FILE, "    kept = np.unique(", "    kept = np.arange(len(x))\n    np.unique("))
fault("a curve that turns back is thinned", TESTS, (FILE, "if len(x) <= _FEW or (np.diff(column) < 0).any():", "if len(x) <= _FEW:"))
fault("the first epochs rule the axis", TESTS, (FILE, "        y_max = settled.max()\n", "        y_max = None\n"))
fault("a short curve loses its beginning", TESTS, (FILE, "if len(epochs) >= 4 else 0", "if len(epochs) >= 2 else 0"))
fault("half of the curve leaves the plot", TESTS,
      (FILE, "y_max = settled.max()\n", "y_max = np.median(settled)\n"))
fault("a late rise leaves the plot", TESTS,
      (FILE, "settled.max() - everything.min() <", "np.median(settled) - everything.min() <"),
      (FILE, "y_max = settled.max()\n", "y_max = np.median(settled)\n"))
fault("a curve that leaves the plot without a word", TESTS, (FILE, "    if ys.max() > high:\n", "    if False:\n"))
fault("a curve drawn over the title", TESTS, (FILE, "_inside(x_axis, y_axis, svg.polyline(", "str(svg.polyline("))
fault("a viewport that moves what is in it", TESTS, (FILE, 'viewBox=f"{left} {top} {width} {height}")', 'viewBox=f"0 0 {width} {height}")'))
fault("fractions of an epoch on the axis", TESTS, (FILE, "height=height, integer_x=True,", "height=height, integer_x=False,"))
fault("train and test exchanged", TESTS, (FILE, '("train_loss", "test_loss")', '("test_loss", "train_loss")'))
fault("the weighted loss called the negative ELBO", TESTS, (FILE, "    if config.beta != 1:\n", "    if config.beta > 10:\n"))
fault("the importance-weighted bound called the negative ELBO", TESTS,
      (FILE, 'options.objective.startswith("iwae"):', 'options.objective.startswith("iwae") and config.beta > 1:'))
fault("the largest x found again for each point", TESTS,
      (FILE, "((x_axis(a), y_axis(b)) for", "((np.array([x_axis(v) if max(a) else 0 for v in a]), y_axis(b)) for"))

# latent

TESTS = "pictures/test_latent.py"
FILE = "pictures/latent.py"
fault("principal components of mu that is not centered", TESTS, (FILE, "np.linalg.svd(mu - mu.mean(axis=0)", "np.linalg.svd(mu"))
fault("singular values taken for variances", TESTS, (FILE, "s**2 / max((s**2).sum(), 1e-300)", "s / max(s.sum(), 1e-300)"))
fault("a component's sign left to the SVD", TESTS, (FILE, "np.where(vt.sum(axis=1) < 0, -1, 1)", "np.where(vt.sum(axis=1) < 0, 1, -1)"))
fault("the scatter upside down", TESTS, (FILE, "top + SIDE, top)\n    first, second", "top, top + SIDE)\n    first, second"))
fault("coordinates exchanged", TESTS,
      (FILE, "_points(x_axis(coordinates[:, 0]), y_axis(coordinates[:, 1])", "_points(x_axis(coordinates[:, 1]), y_axis(coordinates[:, 0])"))
fault("each axis stretched for itself", TESTS, (FILE, "Axis(center[1] - side / 2, center[1] + side / 2", "Axis(low[1] - 0.1, high[1] + 0.1"))
fault("the variances of the components exchanged", TESTS, (FILE, "{explained_variance[i]:.0%}", "{explained_variance[1 - i]:.0%}"))
fault("points in the color of another class", TESTS, (FILE, "for each, color in zip(classes, colors):", "for each, color in zip(classes, colors[::-1]):"))
fault("a class without its points", TESTS, (FILE, "labels == each", "labels == classes[0]"))
fault("colors by order though a digit is missing", TESTS, (FILE, "[CLASS_COLORS[c] for c in classes]", "list(CLASS_COLORS[: len(classes)])"))
fault("two classes in one color", TESTS, (FILE, "_of_luminance(i / len(classes)", "_of_luminance(i // 4 / len(classes)"))
fault("colors too light for paper", TESTS, (FILE, "(0.17, 0.27)[i % 2]", "(0.17, 0.5)[i % 2]"))
fault("a plane linear in z", TESTS, (FILE, "fraction = ndtr((np.asarray(values, np.float64) - self.mean) / self.sigma)",
                                    "fraction = (np.asarray(values, np.float64) - self.mean) / self.sigma / 6 + 0.5"))
fault("a plane that ignores the prior's mean", TESTS, (FILE, "QuantileAxis(mu_p[0], sigma_p[0]", "QuantileAxis(0.0, sigma_p[0]"))
fault("the plane's axes exchanged", TESTS, (FILE, "_points(x_axis(mu[:, 0]), y_axis(mu[:, 1])", "_points(x_axis(mu[:, 1]), y_axis(mu[:, 0])"))
fault("z₂ downward", TESTS, (FILE, "sigma_p[1], top + height, top)", "sigma_p[1], top, top + height)"))
fault("the manifold's image beside its axes", TESTS, (FILE, "x=LEFT, y=top, width=SIDE", "x=LEFT + 20, y=top, width=SIDE"))
fault("bars from the bottom of the plot", TESTS, (FILE, "level, bars = float(y_axis(threshold)), []", "level, bars = 208.0, []"))
fault("bars in the order of the units", TESTS, (FILE, 'np.argsort(-variance, kind="stable")', "np.arange(len(variance))"))
fault("bars with the numbers of others", TESTS, (FILE, "RIGHT, labels=order,", "RIGHT, labels=order[::-1],"))
fault("a unit at the threshold counted as active", TESTS, (FILE, "int((variance > threshold).sum())", "int((variance >= threshold).sum())"))
fault("active bars in gray", TESTS, (FILE, "if variance[unit] > threshold else", "if variance[unit] < threshold else"))
fault("an axis without the smallest variance", TESTS, (FILE, "min(threshold / 10, values[-1])", "threshold / 10"))

# samples

TESTS = "pictures/test_samples.py"
FILE = "pictures/samples.py"
fault("samples twice as wide as the prior", TESTS, (FILE, "eps = rng.standard_normal((count", "eps = 2 * rng.standard_normal((count"))
fault("a sample around mu for a reconstruction", TESTS, (FILE, "    (mu, _), _ = encode(params, x, config)\n    return mean_images(params, mu",
                                                         "    (mu, logvar), _ = encode(params, x, config)\n    return mean_images(params, mu + np.exp(logvar)"))
fault("reconstructions above their originals", TESTS, (FILE, "np.stack([originals.reshape(rows), others.reshape(rows)]",
                                                       "np.stack([others.reshape(rows), originals.reshape(rows)]"))
fault("an interpolation without its originals", TESTS,
      (FILE, "[originals[:, :1], between, originals[:, 1:]]", "[between[:, :1], between, between[:, -1:]]"))
fault("originals at the wrong ends", TESTS,
      (FILE, "[originals[:, :1], between, originals[:, 1:]]", "[originals[:, 1:], between, originals[:, :1]]"))
fault("an interpolation backward", TESTS, (FILE, "mu[0::2, None] * (1 - t) + mu[1::2, None] * t", "mu[0::2, None] * t + mu[1::2, None] * (1 - t)"))
fault("an interpolation that does not arrive", TESTS, (FILE, "np.linspace(0, 1, steps)", "np.linspace(0, 1, steps, endpoint=False)"))
fault("an odd number of images to interpolate", TESTS, (FILE, "if len(x) % 2 or steps < 2:", "if steps < 2:"))
fault("a traversal of all units at once", TESTS, (FILE, "row[:, unit] = _quantiles(steps)", "row[:] = _quantiles(steps)[:, None]"))
fault("a traversal from plus to minus", TESTS, (FILE, "row[:, unit] = _quantiles(steps)", "row[:, unit] = -_quantiles(steps)"))
fault("a traversal that ignores where the others are held", TESTS, (FILE, "if eps is None else eps", "if eps is None else 0 * eps"))
fault("unit L of L units", TESTS, (FILE, "0 <= unit < config.latent_dim]", "0 <= unit <= config.latent_dim]"))
fault("the least active units first", TESTS, (FILE, "np.argsort(-mu.astype(np.float64)", "np.argsort(mu.astype(np.float64)"))
fault("z₂ downward in the manifold", TESTS, (FILE, "_quantiles(side)[::-1])", "_quantiles(side))"))
fault("z₁ and z₂ exchanged in the manifold", TESTS, (FILE, "np.stack([z1.ravel(), z2.ravel()]", "np.stack([z2.ravel(), z1.ravel()]"))
fault("quantiles at the ends of intervals", TESTS, (FILE, "(np.arange(n) + 0.5) / n", "(np.arange(n) + 0.9) / n"))
fault("a grid by columns", TESTS, (FILE, "padding + i // columns * (height + padding), padding + i % columns",
                                  "padding + i % columns * (height + padding), padding + i // columns"))
fault("a grid that loses its last row", TESTS, (FILE, "rows = -(-count // columns)", "rows = max(count // columns, 1)"))
fault("padding in white", TESTS, (FILE, "pad_value: int = 48", "pad_value: int = 255"))
fault("an image enlarged along its rows only", TESTS, (FILE, "image.repeat(n, axis=0).repeat(n, axis=1)", "image.repeat(n, axis=0)"))
fault("a row of reconstructions that is not full", TESTS, (FILE, "    x = x[: len(x) // columns * columns]\n", ""))

# report

TESTS = "runs/test_report.py"
FILE = "runs/report.py"
fault("a failure that was overcome", TESTS + " -k written", (FILE, "if FAILURE in run.conditions and done < run.options.epochs:", "if FAILURE in run.conditions:"))
fault("a history that is not checked", TESTS, (FILE, "    _check_history(run)\n", ""))
fault("reconstruction and KL exchanged in the metrics", TESTS, (FILE, "{last['reconstruction']:.4f}", "{last['kl']:.4f}"))
fault("the first epoch's metrics", TESTS, (FILE, "last = history[-1]", "last = history[0]"))
fault("training time of the last epoch only", TESTS, (FILE, "for row in history):\n        rows", "for row in history[-1:]):\n        rows"))
fault("the two terms exchanged in the plots", TESTS, (FILE, '{"reconstruction": reconstruction}', '{"reconstruction": kl}'))
fault("active units on an axis of their own range", TESTS, (FILE, "y_min=0, y_max=latents, ", ""))
fault("a stopped run that does not say so", TESTS, (FILE, "if done < run.options.epochs else", "if done > run.options.epochs else"))
fault("a failed run that does not say why", TESTS, (FILE, "of {planned}: {run.conditions[FAILURE]}", "of {planned}"))
fault("1 epochs", TESTS, (FILE, "'' if count == 1 else 's'", "'s'"))
fault("a diverged run without a report", TESTS, (FILE, "    except ValueError as error:\n", "    except KeyError as error:\n"))
fault("settings of the model only", TESTS, (FILE, "{**vars(config), **vars(options)}", "{**vars(config)}"))
fault("conditions left out", TESTS, (FILE, ", **conditions}", "}"))
fault("pixels binarized with another seed", TESTS, (FILE, "len(run.state.history), EVALUATION_STREAM]", "EVALUATION_STREAM]"))
fault("all images in the scatter", TESTS, (FILE, "_latent_cards(run, mu[:MAX_POINTS]", "_latent_cards(run, mu[:]"))
fault("samples and reconstructions exchanged", TESTS, (FILE, "samples, reconstructions = run", "reconstructions, samples = run"))
fault("units in their order, not by activity", TESTS, (FILE, "        order = active_first(mu)\n", ""))
fault("a manifold with padding, off its axes", TESTS, (FILE, "20, padding=0)", "20)"))
fault("a plane with the variance of the prior as its standard deviation", TESTS,
      (FILE, "sigma_p = sample_prior(np.ones(2), config) - mu_p", "sigma_p = (sample_prior(np.ones(2), config) - mu_p) ** 2"))
fault("titles in plots under headings", TESTS, (FILE, 'run.options, "", **SIZE)', "run.options, **SIZE)"))

FILE = "runs/html.py"
fault("a heading that is not escaped", TESTS, (FILE, "<h1>{escape(heading)}", "<h1>{heading}"))
fault("a status that is not escaped", TESTS, (FILE, "{escape(status)}</p>", "{status}</p>"))
fault("a table that is not escaped", TESTS, (FILE, "{escape(format_value(value))}", "{format_value(value)}"))
fault("a table's names that are not escaped", TESTS, (FILE, "{escape(str(name).replace('_', ' '))}", "{str(name).replace('_', ' ')}"))
fault("a command that is not escaped", TESTS, (FILE, "<span>{escape(words)}</span>", "<span>{words}</span>"))
fault("a page title that is not escaped", TESTS, (FILE, "numpyvae: {escape(name)}", "numpyvae: {name}"))
fault("a command broken inside an option", TESTS, (FILE, 'command.split(" --")', 'command.split(" ")'))
fault("images that are not enlarged", TESTS, (FILE, "large = enlarge(image)", "large = image"))
fault("muted status", TESTS, (FILE, "p.status {{ color: var(--alert)", "p.status {{ color: var(--grid)"))

# frames

TESTS = "runs/test_frames.py"
FILE = "runs/frames.py"
fault("epochs in one byte", TESTS, (FILE, 'np.array(epochs, ">u4")', 'np.array(epochs, np.uint8).astype(">u4")'))
fault("epochs written little-endian and read big-endian", TESTS, (FILE, 'np.array(epochs, ">u4")', 'np.array(epochs, "<u4")'))
fault("damaged frames are an error", TESTS, (FILE, "except (IdxError, OSError):", "except OSError:"))
fault("frames in any order accepted", TESTS, (FILE, "if epochs == sorted(set(epochs)):", "if epochs:"))
fault("the extra row shown", TESTS, (FILE, "return epochs, array[:, 1:]", "return epochs, array"))
fault("an animation without frames", TESTS, (FILE, "    if not len(frames):\n        return False\n", ""))
fault("a report without its animation", "runs/test_report.py", ("runs/report.py", "    write_animation(run.directory)\n", ""))
fault("epochs that leave no frame", "cli/test_train.py -k files",
      ("runs/run.py", "            save_frame(self.directory, len(self.state.history), samples)\n", ""))
