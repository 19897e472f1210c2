"""Faults of book two, its plots and its command."""

from .faults import fault

CHAIN = "mdp/test_chain.py"
FILE = "mdp/chain.py"
fault("reward 1 in state 2 and 3 in state −1", CHAIN,
      (FILE, '{(-1, "-"): 1, (2, "+"): 3}', '{(-1, "-"): 3, (2, "+"): 1}'))
fault("the action with reward 3 stays where it is", CHAIN, (FILE, '(2, "+"): 0}', '(2, "+"): 2}'))
fault("state −1 leads to itself", CHAIN, (FILE, '(-1, "-"): 0,', '(-1, "-"): -1,'))
fault("a cycle that is not repeated", CHAIN, (FILE, " / (1 - gamma**cycle_length)", ""))
fault("a cycle one step too long", CHAIN, (FILE, "cycle_length = len(path) - cycle_start ",
                                           "cycle_length = len(path) "))
fault("the cycle's rewards counted before it as well", CHAIN, (FILE, "rewards[:cycle_start]", "rewards"))
fault("a reward discounted by one step too many", CHAIN,
      (FILE, "sum(r * gamma**k for r, k in prefix)", "sum(r * gamma**(k + 1) for r, k in prefix)"))
fault("the formula without the length of the cycle", CHAIN, (FILE, "(1-{power(cycle_length)})", "(1-g)"))

MODEL = "mdp/test_model.py"
FILE = "mdp/model.py"
fault("rewards of −inf that do not remove the action", MODEL, (FILE, "(available & (R != -np.inf)) |", "available |"))
fault("a missing reward taken for a missing action", MODEL, (FILE, "(R != -np.inf)", "(R > -np.inf)"))
fault("the rows of unavailable actions kept", MODEL, (FILE, "~available.ravel() | np.repeat", "np.repeat"))
fault("terminal states that go on", MODEL, (FILE, " | np.repeat(terminal, A))", ")"))
fault("terminal states that keep their rewards", MODEL, (FILE, "        R[terminal] = 0\n", ""))
fault("terminal states that do not end", MODEL, (FILE, "        end[terminal] = 1\n", ""))
fault("rewards of transitions by state taken for those by action", MODEL,
      (FILE, "            R = matrices\n", "            R = np.stack(matrices)\n"))
fault("a state without any action accepted", MODEL, (FILE, "if not available.any(axis=1).all():", "if False:"))
fault("arrays that stay writable", MODEL, (FILE, "        freeze(R, end, transitions)\n", ""))
fault("arrays writable after pickling", MODEL,
      (FILE, '        freeze(attributes["R"], attributes["end"], attributes["transitions"])\n', ""))
fault("attributes that can be set", MODEL, (FILE, "raise AttributeError(", "self.__dict__[name] = (value,"))
fault("states without actions that are not terminal", MODEL, (FILE, "[not transitions[s] for s in states]", "None"))
fault("a new discount factor that is not checked", MODEL,
      (FILE, "        other._check_values_exist()\n", ""))
fault("the limit of rewards without the horizon", MODEL, (FILE, "LARGEST * (1 - self.gamma) and", "LARGEST and"))
fault("γ = 1 accepted for processes without an end", "mdp/test_episodes.py",
      (FILE, "if self.gamma == 1 and", "if self.gamma == 2 and"))
fault("states kept that every action may leave", "mdp/test_episodes.py",
      (FILE, "(self.available & ~may_leave).any(axis=1)", "(self.available & ~may_leave).all(axis=1)"))
fault("endings that do not count as leaving", "mdp/test_episodes.py", (FILE, " + self.end > 0", " > 0"))
fault("matrices by action of another problem", MODEL,
      (FILE, "(self.transitions[a::A] for a in range(A))", "(self.transitions[A - 1 - a::A] for a in range(A))"))
FILE = "mdp/validation.py"
fault("a list of dense matrices read state by state", MODEL, (FILE, "axis=1).reshape(S * A, S), S, A",
                                                             "axis=0).reshape(S * A, S), S, A"))
fault("sparse matrices stacked action by action", MODEL, (FILE, "np.arange(S)[:, None] + S * np.arange(A)",
                                                         "np.arange(S * A)[:, None]"))
fault("masked arrays read without their mask", MODEL, (FILE, "if np.ma.is_masked(x):", "if False:"))
fault("False as a discount factor", MODEL, (FILE, "if isinstance(gamma, bool) or not isinstance(gamma, Real)",
                                            "if not isinstance(gamma, Real)"))
fault("a discount factor above 1", MODEL, (FILE, "not 0 <= float(gamma) <= 1", "not 0 <= float(gamma)"))
fault("True as a number of sweeps", "mdp/test_solvers.py -k limits",
      (FILE, "isinstance(x, bool) or not isinstance(x, Integral)", "not isinstance(x, Integral)"))
fault("−1 as a state", "mdp/test_simulation.py", (FILE, "not low <= x <= high", "not x <= high"))
fault("negative probabilities", MODEL, (FILE, '(entries < 0, "negative")', '(entries < -9, "negative")'))
fault("probabilities that are not finite", MODEL, (FILE, '(~np.isfinite(entries), "not finite")',
                                                  '(entries != entries, "not finite")'))
fault("sums off by a thousandth", MODEL, (FILE, "abs(total - 1) > 4 * len(R) * U", "abs(total - 1) > 1e-3"))
fault("sums to the last bit", MODEL, (FILE, "abs(total - 1) > 4 * len(R) * U", "abs(total - 1) > 0"))
fault("the end left out of the sum", MODEL, (FILE, "transitions.sum(axis=1) + end.ravel()", "transitions.sum(axis=1)"))
fault("rewards of transitions not weighted", MODEL, (FILE, "csr_array(transitions).multiply(rewards)",
                                                    "csr_array(transitions > 0).multiply(rewards)"))
fault("the reward of an ending left out", MODEL, (FILE, "R[i, j] += probability * reward",
                                                 "R[i, j] += probability * reward * (not done)"))
fault("done that does not end the episode", MODEL, (FILE, "end[i, j] += probability if done else 0",
                                                   "end[i, j] += 0"))
fault("the last reward of an action, not the mean", MODEL,
      (FILE, "R[i, j] += probability * reward", "R[i, j] = reward"))
fault("the next state of a dictionary by its row", MODEL, (FILE, "index.get(following, 0)))", "index[s]))"))
fault("actions of a dictionary that every state has", MODEL, (FILE, "available[i, j] = True", "available[:, j] = True"))

BELLMAN = "mdp/test_bellman.py"
VALUES = "mdp/test_chain.py -k closed_forms or eight_places or myopic or critical"
FILE = "mdp/bellman.py"
fault("(I − γ P)ᵀ solved", VALUES, (FILE, "trans=0 if transpose else 1", "trans=1 if transpose else 0"))
fault("I + γ P solved", VALUES, (FILE, "system = -gamma * P", "system = gamma * P"))
fault("the identity set on the diagonal, not added", BELLMAN + " -k exact_fractions",
      (FILE, "P.shape[0] + 1] += 1", "P.shape[0] + 1] = 1"))
fault("no discount on what follows", BELLMAN + " -k operator",
      (FILE, "    q *= mdp.gamma\n", "    q *= 1.0\n"))
fault("the reward discounted as well", BELLMAN + " -k operator", (FILE, "    q += mdp.R\n",
                                                                  "    q += mdp.gamma * mdp.R\n"))
fault("the sparse system without the sign of γ P", BELLMAN + " -k sparse or exact_fractions",
      (FILE, "(eye_array(P.shape[0]) - gamma * P)", "(eye_array(P.shape[0]) + gamma * P)"))
fault("the policy's rows of another state", VALUES, (FILE, "rows = np.arange(S) * A + policy",
                                                     "rows = np.arange(S) + S * policy"))
fault("a residual with its sign", BELLMAN,
      (FILE, "return float(abs(bellman_operator", "return float((bellman_operator"))
fault("the operator without discount under a policy", BELLMAN, (FILE, "return r + mdp.gamma * (P", "return r + (P"))
fault("the operator with the smallest action value", BELLMAN,
      (FILE, "return action_values(mdp, v).max(axis=1)", "return action_values(mdp, v).min(axis=1)"))
fault("advantages against the largest action value", BELLMAN,
      (FILE, "action_values(mdp, v) - v[:, None]",
       "action_values(mdp, v) - action_values(mdp, v).max(axis=1)[:, None]"))
fault("values of one column accepted", BELLMAN, (FILE, 'read_array("v", v, (len(mdp.R),))', 'read_array("v", v)'))
fault("values that are not finite accepted", BELLMAN, (FILE, "if not np.isfinite(v).all():", "if False:"))
fault("a stochastic policy that sums to 0.9", BELLMAN, (FILE, "<= 4 * A * U)", "<= 0.2)"))
fault("an unavailable action in a stochastic policy", MODEL,
      (FILE, "valid &= ~((policy > 0) & ~mdp.available).any(axis=1)", "valid &= True"))
fault("an unavailable action in a policy", MODEL,
      (FILE, "inside & mdp.available[np.arange(S), np.where(inside, policy, 0)]", "inside"))
fault("iteration that stops early", BELLMAN + " -k iterative", (FILE, "(longest + 4) * U * (", "1e-6 * ("))
fault("iteration on the transposed system", BELLMAN + " -k iterative",
      (FILE, "system.T if transpose else by_rows", "by_rows if transpose else system.T"))
fault("no factors where iteration does not converge", BELLMAN + " -k convergence",
      (FILE, "factors[:] = factors or [_sparse_lu(system)]", "return x"))
fault("factors of any size", BELLMAN + " -k convergence", (FILE, "len(b) > LU_STATES", "False"))

SOLVERS = "mdp/test_solvers.py"
FILE, ROUNDING_FILE = "mdp/solvers.py", "mdp/rounding.py"
fault("the worst action for the best", VALUES, (FILE, "    best = q.argmax(axis=1)", "    best = q.argmin(axis=1)"))
fault("an action replaced by its equal", SOLVERS + " -k ties or kept or exactly",
      (FILE, "np.where(gain > 0, best, policy)", "np.where(gain > -1, best, policy)"))
fault("no tolerance for ties", SOLVERS + " -k ties or kept or exactly",
      (FILE, "gain[s] -= tie_tolerance", "gain[s] -= 0 * tie_tolerance"),
      (FILE, "+ tie_tolerance(mdp, v, error, (rows + policy)[s])", ""))
fault("a tolerance a million times too large", SOLVERS + " -k ties or kept or exactly",
      (FILE, "gain[s] -= tie_tolerance", "gain[s] -= 1e6 * tie_tolerance"))
fault("policy iteration that stops when LU decides nothing", SOLVERS + " -k exactly_optimal",
      (FILE, "            policy, Tv = _improve(mdp, v, policy, error)\n", ""))
fault("policy iteration with values that are not refined", SOLVERS + " -k refined or exactly",
      (FILE, "            v, error = refine(P, r, mdp.gamma, solve, H, v)\n", ""))
fault("starting values ignored", SOLVERS + " -k starting",
      (FILE, "mdp.R.max(axis=1) if v is None else v)", "mdp.R.max(axis=1))"))
fault("value iteration that stops on the last change itself",
      SOLVERS + " -k value_iteration or error_bounds or stops_on",
      (FILE, "error=(H - 1) * max(high, -low)", "error=max(high, -low)"))
fault("value iteration that stops on the span", SOLVERS + " -k value_iteration or error_bounds or stops_on",
      (FILE, "error=(H - 1) * max(high, -low)", "error=(H - 1) * (high - low)"))
fault("value iteration that waits one sweep too many", SOLVERS + " -k stops_on",
      (FILE, "error=(H - 1) * max(high, -low)", "error=H * max(high, -low)"))
fault("the iterate itself handed to on_sweep", SOLVERS + " -k on_sweep",
      (FILE, "on_sweep(sweep, v.copy())", "on_sweep(sweep, last)"))
fault("modified policy iteration without its constant", SOLVERS + " -k error_bounds or three",
      (FILE, "values = v + c\n", "values = v\n"))
fault("the constant with half of its horizon", SOLVERS + " -k error_bounds or three",
      (FILE, "c = (low + high) / 2 * H", "c = (low + high) / 4 * H"))
fault("modified policy iteration that returns the worst policy", SOLVERS + " -k returned_policy",
      (FILE, "return Solution(policy, values, iteration", "return Solution(q.argmin(axis=1), values, iteration"))
fault("rows taken to sum to exactly 1", SOLVERS + " -k rows_that",
      (FILE, " + abs(c) * (H * mdp.gamma * off + 4 * U)", ""))
fault("rounds that never end early", SOLVERS + " -k far_fewer", (FILE, "size(v - last) <= enough", "False"))
fault("sweeps without discount", SOLVERS + " -k number_of_sweeps or starting",
      (FILE, "        P *= mdp.gamma\n", ""))
fault("a bound without rounding", SOLVERS + " -k tolerance or unreachable",
      (ROUNDING_FILE, "return error + rounding", "return error"),
      (ROUNDING_FILE, "if error + rounding > tolerance:", "if False:"),
      (ROUNDING_FILE, "    if rounding > tolerance:", "    if False:"))
fault("an unreachable tolerance found out by the last sweep only", SOLVERS + " -k early",
      (ROUNDING_FILE, "if error + rounding > tolerance:", "if False:"))
fault("refused near γ = 1 whatever the tolerance", SOLVERS + " -k justified or error_bounds",
      (ROUNDING_FILE, "4 * unit * max(above, -below)", "1e6 * unit * max(above, -below)"))
fault("any tolerance accepted", SOLVERS + " -k limits", (ROUNDING_FILE, "or not 0 < tolerance < np.inf:", "or False:"))
fault("max_sweeps not checked", SOLVERS + " -k limits", (FILE, '    read_integer("max_sweeps", max_sweeps, 1)\n', ""))

TIES = "mdp/test_rounding.py mdp/test_solvers.py -k tie or worse or penalty or shortest"
FILE = "mdp/ties.py"
fault("ties only where values are equal to the bit", TIES,
      (FILE, "gap <= np.take_along_axis(tau, best, axis=1) + tau", "gap <= 0"))
fault("everything within a thousandth a tie", TIES,
      (FILE, "gap <= np.take_along_axis(tau, best, axis=1) + tau", "gap <= 1e-3"))
fault("ties with the worst action", "mdp/test_rounding.py", (FILE, "best = q.argmax(axis=1)",
                                                             "best = q.argmin(axis=1)"))
fault("unavailable actions among the optimal ones", "mdp/test_model.py mdp/test_episodes.py",
      (FILE, "mdp.available & (gap", "~mdp.available | (gap"))
fault("100,001 policies", SOLVERS + " -k enumerated", (FILE, "if A ** S > limit:", "if A ** S > limit * 2:"))
fault("policies with unavailable actions", MODEL, (FILE, "return _choices(mdp.available)",
                                                  "return _choices(mdp.available | True)"))

FILE = "mdp/rounding.py"
ROUNDING = "mdp/test_rounding.py"
fault("a tolerance from the largest reward of the problem", ROUNDING,
      (FILE, "unit * np.where(mdp.available, abs(mdp.R), 0)",
       "unit * np.full(mdp.R.shape, abs(mdp.R[mdp.available]).max())"))
fault("a tolerance from the largest value of the problem", ROUNDING,
      (FILE, "error + unit * abs(v)  ", "error + unit * abs(v).max()  "))
fault("a tolerance without the error of the values",
      ROUNDING + " mdp/test_solvers.py -k tie or worse or penalty or shortest or exactly",
      (FILE, "inherited = error + unit", "inherited = 0 * error + 1e-9 * unit"))
fault("refinement that never refines", ROUNDING, (FILE, "v, last = v + e, abs(e).max()", "v, last = v, abs(e).max()"))
fault("refinement with the wrong sign", ROUNDING,
      (FILE, "v, last = v + e, abs(e).max()", "v, last = v - e, abs(e).max()"))
fault("the residual without the low part of γ v", ROUNDING, (FILE, "    columns[:, -1] += w_low\n", ""))
fault("the residual without the low parts of its sums", ROUNDING, (FILE, "                low[rows] += carry\n", ""))
fault("the residual of γ v without its last slices", ROUNDING, (FILE, "tails[:, exact]", "columns[:, exact]"))
fault("slices of too many bits", ROUNDING,
      (FILE, "(53 - int(longest).bit_length()) // 2", "(60 - int(longest).bit_length()) // 2"))
fault("slices that overlap", ROUNDING, (FILE, "2.0 ** (-k * bits) ", "2.0 ** (-k * bits - 1) "))
fault("two slices whatever the horizon", ROUNDING, (FILE, "if H * error <=", "if error <="))
fault("the bound of the residual without what was rounded", ROUNDING,
      (FILE, "error = rounded + ", "error = 1e-9 * rounded + "))
fault("the smallest value refined as the largest", ROUNDING,
      (FILE, "abs(v[v != 0]).min(initial=np.inf)", "size"))
fault("only the first block of rows", ROUNDING,
      (FILE, "total[rows], carry = _two_sum(total[rows], product)",
       "total[:step], carry = _two_sum(total[:step], product)"))
fault("halves of the wrong width", ROUNDING, (FILE, "134217729.0", "1048577.0"))
fault("an error bound without the last correction", ROUNDING,
      (FILE, "(abs(e) + H * unsolved) * scale", "H * unsolved * scale"))
fault("an error bound that is not scaled back", ROUNDING,
      (FILE, "(abs(e) + H * unsolved) * scale", "(abs(e) + H * unsolved)"))

HORIZON = "mdp/test_horizon.py"
FILE = "mdp/horizon.py"
fault("backward induction that forgets the final values", HORIZON,
      (FILE, "values[horizon] = np.where(", "_ = np.where("))
fault("final values at terminal states", HORIZON,
      (FILE, "np.where(mdp.terminal, 0, as_values", "np.where(False, 0, as_values"))
fault("the first stage left out", HORIZON, (FILE, "range(horizon - 1, -1, -1)", "range(horizon - 1, 0, -1)"))
fault("the discount factor of the MDP, whatever is given", HORIZON,
      (FILE, "mdp.gamma if gamma is None else read_discount(gamma)",
       "mdp.gamma if gamma is None or read_discount(gamma) >= 0 else 0"))
fault("the policy of the stage before", HORIZON, (FILE, "policies[t] = q", "policies[horizon - 1 - t] = q"))
fault("overflow passed on", HORIZON, (FILE, "if not np.isfinite(values).all():", "if False:"))
EPISODES = "mdp/test_episodes.py"
fault("the shortest episode for the longest", EPISODES,
      (FILE, "longer = steps.max(axis=1) > steps[states, policy] + 1e-9 * abs(w).max()",
       "longer = np.zeros(len(w), bool)"))
fault("a horizon without the step itself", EPISODES,
      (FILE, "return float(w.max() / c)", "return float(w.max() / c) - 1"))
fault("the mean length for the largest", EPISODES, (FILE, "return float(w.max() / c)", "return float(w.mean() / c)"))
fault("an episode of any length", EPISODES, (FILE, "if not c > 0.5 or w.max()", "if w.max()"))
fault("steps of actions that are not there", EPISODES + " mdp/test_model.py",
      (FILE, "np.where(mdp.available, 1 + (", "np.where(True, 1 + ("), (FILE, ".reshape(mdp.R.shape), -np.inf)",
                                                                       ".reshape(mdp.R.shape) * 1.5, -np.inf)"))

AVERAGE = "mdp/test_average.py"
FILE = "mdp/average.py"
fault("state visitation without the factor 1 − γ", AVERAGE, (FILE, "* (1 - mdp.gamma if mdp.gamma < 1 else 1)", ""))
fault("no visits without discount", AVERAGE, (FILE, "(1 - mdp.gamma if mdp.gamma < 1 else 1)", "(1 - mdp.gamma)"))
fault("state visitation by the system itself", AVERAGE, (FILE, "(d0, transpose=True)", "(d0)"))
fault("a start that sums to anything", AVERAGE, (FILE, "or abs(d0.sum() - 1) > 4 * S * U", ""))
fault("a bias that is not centered", AVERAGE, (FILE, "h - mu @ h, mu)", "h, mu)"))
fault("the gain left in the bias", AVERAGE, (FILE, "    h[0] = 0\n", ""))
fault("the stationary distribution of the system itself", AVERAGE, (FILE, "np.linalg.solve(matrix.T, first)",
                                                                   "np.linalg.solve(matrix, first)"))
fault("two recurrent classes accepted", AVERAGE, (FILE, "if len(closed) > 1:", "if len(closed) > 9:"))
fault("transient classes counted as recurrent", AVERAGE, (FILE, "origin[origin != target]", "origin[origin == -1]"))
fault("an average over episodes", AVERAGE, (FILE, "if mdp.end.any():", "if False:"))

SIMULATION = "mdp/test_simulation.py"
FILE = "mdp/simulation.py"
fault("a return without its discount", SIMULATION,
      (FILE, "rewards @ mdp.gamma ** np.arange(len(actions))", "rewards.sum()"))
fault("a return discounted from the first reward", SIMULATION,
      (FILE, "** np.arange(len(actions))", "** np.arange(1, len(actions) + 1)"))
fault("the rewards of the next state", SIMULATION, (FILE, "mdp.R[states[:len(actions)], actions]",
                                                   "mdp.R[states[-len(actions):] if actions else [], actions]"))
fault("an episode that goes on after its end", SIMULATION, (FILE, "and not ended:", ":"),
      (FILE, "        if not ended:\n", "        if True:\n"))
fault("an end with the opposite probability", SIMULATION,
      (FILE, "rng.random() < mdp.end[s, a]", "rng.random() > mdp.end[s, a]"))
fault("next states without their order", SIMULATION,
      (FILE, "int(row.indices[_sample(row.data, rng)])", "_sample(row.data, rng)"))
fault("all next states alike", SIMULATION,
      (FILE, "cumulative = np.cumsum(weights)", "cumulative = np.cumsum(weights > 0) * 1.0"))
fault("the state below the one sampled", SIMULATION,
      (FILE, 'rng.random(), side="right"))', 'rng.random(), side="right") - 1)'))
fault("randomness of its own", SIMULATION,
      (FILE, "cumulative /= cumulative[-1] ", "rng = np.random.default_rng(); cumulative /= cumulative[-1] "))

DISCOUNT = "mdp/test_discount.py"
FILE = "mdp/discount.py"
fault("touching taken for crossing", DISCOUNT,
      (FILE, "_sign_at(p, a) * _sign_at(p, b) < 0", "_sign_at(p, a) * _sign_at(p, b) <= 0"))
fault("roots of the slope only", DISCOUNT,
      (FILE, "ends = [low, *_sign_changes(slope, low, high), high]", "ends = [low, high]"))
fault("the left end of a bracket at its right", DISCOUNT,
      (FILE, "        if _sign_at(p, middle) == after:", "        if _sign_at(p, middle) != after:"))
fault("a coarse root", DISCOUNT, (FILE, "Fraction(1, 2**60)", "Fraction(1, 2**20)"))
fault("the advantage without the policy's own value", DISCOUNT, (FILE, "        p[:, :, k] -= n[:, None]\n", ""))
fault("the last critical discount factor for the first", DISCOUNT,
      (FILE, "gamma = min((root for p", "gamma = max((root for p"))
fault("the first policy for Blackwell's", DISCOUNT, (FILE, "*_, (_, policy) =", "(_, policy), *_ ="))
fault("floats for the fractions that they stand for", DISCOUNT,
      (FILE, "return near if abs(near", "return Fraction(value) if abs(near"))
fault("fractions that are merely near", DISCOUNT,
      (FILE, "<= 2 * Fraction(np.spacing(abs(value)))", "<= Fraction(1, 10**4)"))
fault("unavailable actions in the search", DISCOUNT,
      (FILE, "    p[~available] = Fraction(0) ", "    p[:0] = Fraction(0) "))
fault("endings taken for errors of a sum", DISCOUNT, (FILE, " + _to_fractions(mdp.end.ravel())", ""))
fault("more policies than can be searched", DISCOUNT, (FILE, "if A ** S > 100_000:", "if A ** S > 10**9:"))

PLOT = "pictures/test_chain.py"
FILE = "pictures/chain.py"
fault("values upside down", PLOT, (FILE, "Axis(Y_MIN, Y_MAX, top + height, top, log=True)",
                                   "Axis(Y_MIN, Y_MAX, top, top + height, log=True)"))
fault("a linear axis", PLOT, (FILE, "top + height, top, log=True)", "top + height, top)"))
fault("discount factors from right to left", PLOT,
      (FILE, "Axis(0, 1, left, left + width)", "Axis(0, 1, left + width, left)"))
fault("the curves exchanged", PLOT, (FILE, "curve(myopic, MYOPIC_COLOR), curve(farsighted, FARSIGHTED_COLOR)",
                                     "curve(farsighted, MYOPIC_COLOR), curve(myopic, FARSIGHTED_COLOR)"))
fault("the areas exchanged", PLOT, (FILE, "area(lambda gamma: gamma <= critical, MYOPIC_COLOR)",
                                    "area(lambda gamma: gamma <= critical, FARSIGHTED_COLOR)"))
fault("the legend exchanged", PLOT, (FILE, 'MYOPIC_COLOR, MYOPIC, "myopic: reward 1"',
                                     'MYOPIC_COLOR, FARSIGHTED, "myopic: reward 1"'))
fault("the panel of another state", PLOT, (FILE, "number(STATES[s])", "number(STATES[3 - s])"))
fault("the curves of another state", PLOT,
      (FILE, "[(gamma, values[s]) for gamma", "[(gamma, values[3 - s]) for gamma"))
fault("the mark beside the crossing", PLOT, (FILE, "pixels([(critical, dict(", "pixels([(critical / 2, dict("))
GRID = "pictures/test_gridworld.py"
FILE = "pictures/gridworld.py"
fault("rows for columns", GRID, (FILE, "MARGIN + s % columns * CELL, TITLE + s // columns * CELL",
                                 "MARGIN + s // columns * CELL, TITLE + s % columns * CELL"))
fault("up for down", GRID, (FILE, '"up": (0, -1), "right": (1, 0), "down": (0, 1)',
                            '"up": (0, 1), "right": (1, 0), "down": (0, -1)'))
fault("the smallest value the darkest", GRID, (FILE, "(value - low) / span", "1 - (value - low) / span"))
fault("arrows of the actions not taken", GRID,
      (FILE, "zip(directions, actions) if taken)", "zip(directions, actions) if not taken)"))
fault("arrowheads at the wrong end", GRID, (FILE, "tip_x - 8 * dx + k * 5 * dy", "tip_x + 8 * dx + k * 5 * dy"),
      (FILE, "tip_y - 8 * dy + k * 5 * dx", "tip_y + 8 * dy + k * 5 * dx"))
fault("a label that is not written", GRID, (FILE, "text(cx, cy + 6, label, ", "text(cx, cy + 6, '', "))
fault("a hyphen for a minus sign", GRID, (FILE, "number(value, 3)", "f\"{value:.3g}\""))
fault("cells too dark for their words", GRID, (FILE, "DARKEST = 0.45", "DARKEST = 0.6"))
fault("walls drawn as states", GRID, (FILE, "if not np.isfinite(value):", "if False:"))
fault("the action above the one given", GRID,
      (FILE, "np.arange(len(directions)) == actions[:, None]", "np.arange(len(directions)) == actions[:, None] + 1"))
fault("the value of the cell before", GRID, (FILE, "number(value, 3)", "number(value + 1, 3)"))

COMMAND = "cli/test_mdp.py"
FILE = "cli/mdp.py"
fault("the largest for the smallest discount factor", COMMAND, (FILE, "return min(solutions", "return max(solutions"))
fault("the farsighted policy evaluated for the myopic", COMMAND,
      (FILE, 'for action in myopic["policy"]])', 'for action in farsighted["policy"]])'))
fault("the loss as a gain", COMMAND, (FILE, "max(0.0, 1 - value / best)", "max(0.0, best / value - 1)"))
fault("JSON always", COMMAND, (FILE, "if args.json:", "if True:"))
fault("the policy among its own ties", COMMAND, (FILE, 'if policy != d["policy"]]', "]"))
fault("sweeps to another tolerance", COMMAND,
      (FILE, "value_iteration(mdp, 1e-8, max_sweeps", "value_iteration(mdp, 1e-7, max_sweeps"))
fault("discount factors ignored", COMMAND,
      (FILE, "chain_results(args.gamma or [0.1, 0.99])", "chain_results([0.1, 0.99])"))
fault("a plot that is not written", "cli/test_cli.py -k mdp", (FILE, "        write_svg(args.out, chain_svg())\n", ""))
