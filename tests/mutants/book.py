"""Faults in the book's page and its figures."""

from .faults import fault

# chart

TESTS = "learn/test_figures_chart.py"
FILE = "learn/chart.py"
fault("x by a linear axis where it is logarithmic", TESTS,
      (FILE, "LEFT, WIDTH - RIGHT, log=log_x", "LEFT, WIDTH - RIGHT, log=False"))
fault("the first and last color exchanged", TESTS, (FILE, "(200, 82, 10) if level > 0", "(200, 82, 10) if level < 0"))
fault("each array relative to its own sum", TESTS, (FILE, "np.abs(array).max() or 1.0", "np.abs(array).sum() or 1.0"))
fault("an array of zeros divided by zero", TESTS, (FILE, "(np.abs(array).max() or 1.0)", "np.abs(array).max()"))
fault("rows and columns of an array exchanged", TESTS,
      (FILE, "M{x + j * cell:.6g} {y + i * cell:.6g}", "M{x + i * cell:.6g} {y + j * cell:.6g}"))
fault("a run one square too short", TESTS, (FILE, "int(b - a)) for a, b", "int(b - a - 1)) for a, b"))
fault("gray levels reversed", TESTS, (FILE, "(12, 14, 18), (255, 255, 255)", "(255, 255, 255), (12, 14, 18)"))
fault("zeros kept on a logarithmic axis", TESTS, (FILE, "((y > 0) | (not log_y))", "((y >= 0) | (not log_y))"))
fault("one entry of the legend per curve, not per name", TESTS,
      (FILE, "names = {curve.name: SERIES[curve.color] for curve in curves if curve.name}",
       "names = {curve.name + ' ' * i: SERIES[curve.color] for i, curve in enumerate(curves) if curve.name}"))
fault("a note at pixels, not at values", TESTS,
      (FILE, "text(float(x_axis(x)), float(y_axis(y)), words", "text(x, y, words"))
fault("dashes left out", TESTS,
      (FILE, '"; stroke-dasharray: 6 4" if curve.kind == "dashed"', '"" if curve.kind == "dashed"'))

# the graph of one step

TESTS = "learn/test_figures_step.py"
FILE = "learn/step_graph.py"
fault("the KL's gradient without beta", TESTS,
      (FILE, "kl_divergence_backward(config.beta, mu", "kl_divergence_backward(1.0, mu"))
fault("the likelihood's gradient with the wrong sign", TESTS,
      (FILE, "np.full((1, 1), -1, y.dtype)", "np.full((1, 1), 1, y.dtype)"))
fault("the sum at mu is a difference", TESTS, (FILE, '"dmu": dmu_z + dmu_kl', '"dmu": dmu_z - dmu_kl'))
fault("the sum at logvar leaves out the KL", TESTS, (FILE, '"dlogvar": dlogvar_z + dlogvar_kl', '"dlogvar": dlogvar_z'))
fault("the prior's parameters left out", TESTS,
      (FILE, "mu, logvar, *prior_parameters(config, mu.dtype))", "mu, logvar)"))
fault("gradients through z and of the KL exchanged", TESTS,
      (FILE, '(f"d{name} from z", "through z", THROUGH_Z)', '(f"d{name} from KL", "through z", THROUGH_Z)'))
fault("dy drawn as gray pixels", TESTS,
      (FILE, '_image(a, "dy", 764, 246, cell, shape)', '_image(a, "dy", 764, 246, cell, shape, signed=False)'))
fault("the second sum is not marked", TESTS,
      (FILE, "body += _sum_node(224, top + 115)", "body += _sum_node(224, 207)[:3 if top < 200 else 0]"))
fault("two images accepted", TESTS, (FILE, "if len(x) != 1 or len(eps) != 1:", "if len(eps) != 1:"))

# figures of book one

TESTS = "learn/test_figures_vae.py"
FILE = "learn/figures_vae.py"
fault("central differences with twice the step", TESTS + " -k central or complex",
      (FILE, '("central difference", central_difference_gradient, -13, "dashed")',
       '("central difference", complex_step_gradient, -13, "dashed")'))
fault("the errors of another gradient", TESTS + " -k central or complex",
      (FILE, "negative_elbo(params, x, eps, config)[1])[name]", "negative_elbo(params, x, -eps, config)[1])[name]"))
fault("KL in float64", TESTS + " -k expm1",
      (FILE, "np.linspace(-1e-3, 1e-3, 401).astype(np.float32)", "np.linspace(-1e-3, 1e-3, 401)"),
      (FILE, "np.float32(0.5) * (np.exp(d) - np.float32(1) - d)", "0.5 * (np.exp(d) - 1 - d)"))
fault("the KL's axis in millionths", TESTS + " -k expm1", (FILE, "stable * 1e7", "stable * 1e6"))
fault("v not corrected, m corrected", TESTS + " -k adam",
      (FILE, "uncorrected.append(m / (", "uncorrected.append(m / (1 - adam.beta1 ** (_ + 1)) / ("))
fault("groups of K weights are sums", TESTS + " -k bound",
      (FILE, "log_mean_exp(log_w.reshape(-1, K), axis=1).mean()",
       "(log_mean_exp(log_w.reshape(-1, K), axis=1) + np.log(K)).mean()"))
fault("an encoder that is the posterior", TESTS + " -k bound",
      (FILE, "* variance + 0.35, np.log(variance) + 0.8]", "* variance, np.log(variance)]"))
fault("log p(x) with the standard deviation for the variance", TESTS + " -k scipy",
      (FILE, "math.exp(config.logvar_x) * np.eye", "math.exp(config.logvar_x / 2) * np.eye"))

FILE = "learn/figures_estimators.py"
ESTIMATORS = TESTS + " -k estimators or true or rings or variance_falls"
fault("the true gradient from the wrong points", ESTIMATORS, (FILE, "[np.eye(L), -np.eye(L)]", "[np.eye(L), np.eye(L)]"))
fault("components of the weights, not of the biases", ESTIMATORS,
      (FILE, "components = [behind_W, behind_W + 1]", "components = [0, 1]"))
fault("the ring at the first estimate", ESTIMATORS,
      (FILE, "*_pixels(x_axis, y_axis, values.mean(axis=0))", "*_pixels(x_axis, y_axis, values[0])"))
fault("the cross at the origin", ESTIMATORS,
      (FILE, "float(x_axis(true[0])), float(y_axis(true[1]))", "float(x_axis(0)), float(y_axis(0))"))
fault("the sum of J estimates, not their mean", ESTIMATORS,
      (FILE, "values.reshape(-1, J, 2).mean(axis=1)", "values.reshape(-1, J, 2).sum(axis=1)"))

FILE = "learn/figures_collapse.py"
COLLAPSE = TESTS + " -k collapse"
fault("the decoder's standard deviation for its variance", COLLAPSE,
      (FILE, "logvar_x=math.log(DECODER_VARIANCE)", "logvar_x=math.log(DECODER_VARIANCE) / 2"))
fault("the KL summed over the images", COLLAPSE,
      (FILE, "kl_divergence(mu, logvar).mean(axis=0)", "kl_divergence(mu, logvar).sum(axis=0)"))
fault("units by rising KL", COLLAPSE, (FILE, "np.argsort(-model.kl[-1], kind", "np.argsort(model.kl[-1], kind"))
fault("curves by rising KL", COLLAPSE, (FILE, "key=lambda pair: -pair[1][-1]", "key=lambda pair: pair[1][-1]"))
fault("epochs from 0", COLLAPSE, (FILE, "np.arange(1, len(model.kl) + 1)", "np.arange(len(model.kl))"))

# figures of book two

TESTS = "learn/test_figures_mdp.py"
FILE = "learn/figures_mdp.py"
fault("the error to a policy that is not optimal", TESTS,
      (FILE, "policy_iteration(mdp).values, []", "policy_iteration(mdp).values + 1e-3, []"))
fault("the advantage without the determinant", TESTS, (FILE, "- mdp.gamma * P))", "- 0 * P))"))
fault("the polynomial of another action", TESTS,
      (FILE, "four_state_chain(g), (0, 0, 1, 1), 1, 1)", "four_state_chain(g), (0, 0, 1, 1), 2, 0)"))
fault("a root that crosses in place of one that touches", TESTS,
      (FILE, '[(1.0, 1, -0.25, False)]', '[(1.0, 1, -0.2, False)]'))
fault("slips of twice the probability", TESTS,
      (FILE, "((0, 1 - 2 * SLIP), (1, SLIP), (-1, SLIP))", "((0, 1 - 4 * SLIP), (1, 2 * SLIP), (-1, 2 * SLIP))"))
fault("walls that can be walked through", TESTS, (FILE, ' or GRID[r][c] == "#":', ' and False:'))
fault("a step that costs nothing", TESTS, (FILE, "LIVING_REWARD, SLIP = -0.04", "LIVING_REWARD, SLIP = -0.0"))
fault("slips to the front and the back", TESTS, (FILE, "order[(i + side) % 4]", "order[(i + 2 * side) % 4]"))

# costs

TESTS = "learn/test_figures_costs.py"
FILE = "learn/costs.py"
fault("the variance's derivative without its 2", TESTS, (FILE, "through * exponent * dlogvar_z", "through * dlogvar_z"))
fault("the KL weighted in the loss only", TESTS,
      (FILE, "kl_divergence_backward(error.kl_weight / N", "kl_divergence_backward(1 / N"))
fault("the mean over pixels in the loss only", TESTS, (FILE, "-scale / (J * N)", "-1 / (J * N)"))
fault("samples detached from mu only", TESTS, (FILE, "dlogvar_kl + through * exponent", "dlogvar_kl + exponent"))
fault("1/J missing in the loss", TESTS, (FILE, ".sum(axis=0) / J", ".sum(axis=0)"))
fault("uniform noise about 0", TESTS,
      (FILE, "uniform = rng.random(shape, dtype=np.float32)", "uniform = rng.random(shape, dtype=np.float32) - 1"))
fault("bias correction left in", TESTS, (FILE, "if not error.bias_correction:", "if False:"))
fault("a model that is not finite is evaluated", TESTS,
      (FILE, "if not np.isfinite(params.vector).all():\n            yield", "if False:\n            yield"))

# the page

TESTS = "learn/test_book.py"
CHECK = TESTS + " -k not figures_are_made and not command"
FILE = "learn/chapters.py"
fault("chapters in alphabetical order", CHECK, (FILE, "    return listed\n", "    return sorted(listed)\n"))
fault("an optional chapter left out", CHECK,
      (FILE, "    if sorted(listed) != sorted(modules):",
       "    if False:"), (FILE, "    if optional:\n", "    if False:\n"))
fault("an equation defined wherever its number is", CHECK,
      (FILE, r'''re.findall(r"^ +(?:(\((?:\d+|[A-Z])\.\d+\)) |''',
       r'''re.findall(r"^ *(?:.*?(\((?:\d+|[A-Z])\.\d+\))|'''))
fault("local names are links", CHECK, (FILE, "and node.id in known and node.id not in local:", "and node.id in known:"))
fault("columns counted in bytes", CHECK,
      (FILE, "return line, len(lines[line - 1].encode()[:byte].decode())", "return line, byte"))
fault("an import under another name has no links", CHECK,
      (FILE, "[alias.asname or alias.name] = address", "[alias.name] = address if not alias.asname else None"))
fault("a name of the test file that is not there", CHECK, (FILE, '"gradcheck_cases": "gradcheck", ', ""))
fault("names of a module that is imported are not links", CHECK,
      (FILE, "if address and node.value.id not in local:", "if not address and node.value.id not in local:"))

FILE = "learn/highlight.py"
fault("less-than signs not escaped", CHECK,
      (FILE, "cite(piece) if style in (\"string\", \"comment\") else escape(piece)",
       "cite(piece) if style in (\"string\", \"comment\") else piece"))
fault("white space between tokens lost", CHECK,
      (FILE, "        copy(each.start, escape)\n", "        copy(each.start, lambda piece: '')\n"))
fault("f-strings are not strings since Python 3.12", CHECK, (FILE, '_STRINGS = {"STRING", ', '_STRINGS = {'))
fault("names after def are not marked", CHECK, (FILE, 'after in ("def", "class")', 'after in ("class",)'))
fault("keywords not marked", CHECK, (FILE, '"keyword" if keyword.iskeyword(string)', '"" if keyword.iskeyword(string)'))
fault("a definition without its id", CHECK, (FILE, '(("id", anchor), ("class", style))', '(("class", style),)'))

FILE = "learn/prose.py"
fault("every number of a formula is a definition", CHECK, (FILE, "        left.discard(number)\n", ""))
fault("numbers that are defined nowhere are links", CHECK,
      (FILE, "return f'<a href=\"#{address}\">{match[0]}</a>' if address else match[0]\n\n    def _chapter",
       "return f'<a href=\"#{address}\">{match[0]}</a>'\n\n    def _chapter"))
fault("formulas wrapped like prose", CHECK, (FILE, '            kind = "formula"\n', '            kind = "prose"\n'))
fault("text not escaped", CHECK, (FILE, "NUMBER.sub(self._equation, escape(text))", "NUMBER.sub(self._equation, text)"))
fault("lists set as prose", CHECK, (FILE, r're.match(r" *- \S", line)', r're.match(r" *-- \S", line)'))
fault("a stop in a list item ends the list", CHECK,
      (FILE, 'groups[-1][0] == "list" and line.startswith(" ")', 'groups[-1][0] == "list" and line.startswith("- ")'))
fault("wide gaps kept in a narrow column", CHECK,
      (FILE, "pieces = re.split(r\" {3,}\", line.strip())", "pieces = [line.strip()]"))

FILE = "learn/book.py"
fault("the docstring stays in the code as well", CHECK, (FILE, "if i not in row.docstring_lines]", "]"))
fault("the last line of a module left out", CHECK,
      (FILE, "len(chapter.source.splitlines()) + 1", "len(chapter.source.splitlines())"))
fault("figures of a chapter in each book", CHECK,
      (FILE, "if f.chapter == (name, c.name)]", "if f.chapter[1] == c.name]"))
fault("methods without rows", CHECK, (FILE, 'yield from _starts(child, f"{name}.{child.name}")', "pass"))
fault("an id on every row without a name", CHECK,
      (FILE, "own.get(row.name) if row.name else None", "own.get(row.name)"))
fault("equations of book two with book one's ids", CHECK,
      (FILE, "return f\"{book}-{number.strip('()')}\"", "return f\"vae-{number.strip('()')}\""))

FILE = "learn/page.py"
fault("plots that shrink to any size", CHECK,
      (FILE, "SMALLEST_TEXT, PLOT_TEXT = 11, 13", "SMALLEST_TEXT, PLOT_TEXT = 7, 13"))
fault("comments in the color of grid lines", CHECK,
      (FILE, ".comment {{ color: var(--muted) }}", ".comment {{ color: var(--grid) }}"))
fault("a web font", CHECK,
      (FILE, 'STYLE = palette_css(":root")',
       'STYLE = "@import url(https://example.org/font.css);" + palette_css(":root")'))
fault("no width of the device", CHECK,
      (FILE, 'content="width=device-width, initial-scale=1"', 'content="initial-scale=1"'))
fault("captions left out", CHECK, (FILE, "<b>{escape(title)}</b>{escape(caption)}", "<b>{escape(title)}</b>"))
fault("an image upside down", CHECK, (FILE, "png_bytes(pixels)", "png_bytes(pixels[::-1])"))
fault("a section that is not closed", CHECK, (FILE, "</table></div></section>", "</table></div>"))
fault("every log p(x) is below the limit", CHECK, (FILE, "if value > _LOWEST else", "if value > 0 else"))

FILE = "learn/figures.py"
ALL = TESTS + " -k figures_are_made or command"
fault("the count of figures is one too small", ALL, (FILE, "len(_WITHOUT_IMAGES) + 3", "len(_WITHOUT_IMAGES) + 2"))
fault("noise that differs from page to page", ALL,
      (FILE, "np.random.default_rng(1)\n    params", "np.random.default_rng()\n    params"))
fault("two figures of one name", ALL, (FILE, 'yield Figure("traversal"', 'yield Figure("collapse"'))
fault("a chapter that does not exist", ALL,
      (FILE, '("mdp", "ties"), "A grid world"', '("mdp", "grid"), "A grid world"'))
fault("an index beyond a small test set", ALL, (FILE, "STEP_IMAGE % len(test_images)", "STEP_IMAGE + 100"))
FILE = "cli/book.py"
fault("figures as PNG under the name of SVG", ALL, (FILE, "{'.svg' if svg else '.png'}", "{'.png' if svg else '.svg'}"))
fault("progress of figures starts at 0", ALL,
      (FILE, "made.append(figure)\n        console.progress(len(made), total",
       "made.append(figure)\n        console.progress(len(made) - 1, total"))
fault("costs trained and not shown", ALL, (FILE, 'cost_table(rows) if rows else ""', '""'))
