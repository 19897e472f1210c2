"""A wrong function is never called right, a right one always, and whatever the
learner's code does is one line.
"""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from numpyvae import cli
from numpyvae.cli import check as command
from numpyvae.cli.console import Console
from numpyvae.exercises import check_functions
from numpyvae.exercises.files import PACKAGE, write_exercises
from numpyvae.exercises.judge import process
from numpyvae.exercises.judge import run as check
from numpyvae.exercises.table import EXERCISES, package_function
from tests.exercises.alternatives import ALTERNATIVES
from tests.exercises.exercise_files import source, write_chapter, write_solved


def one(path_or_names, name):
    (verdict,) = check_functions(path_or_names, name)
    return verdict


def test_exercises_as_written_are_not_done(tmp_path):
    write_exercises(tmp_path / "mine")
    verdicts = check_functions(tmp_path / "mine")
    assert [(v.name, v.status) for v in verdicts] == [
        (exercise.name, "not done") for exercise in EXERCISES
    ]


def test_the_packages_own_functions_are_right_in_a_directory(tmp_path):
    before = processor_time()
    subprocess.run(
        [sys.executable, "-c", "import numpyvae.exercises.judge.run"],
        cwd=PACKAGE.parent,
        check=True,
    )
    start = processor_time()
    verdicts = check_functions(write_solved(tmp_path))
    assert processor_time() - start < 20 * (
        start - before
    )  # as long as 2 or 3 starts of Python, all of them together
    assert [v.name for v in verdicts] == [exercise.name for exercise in EXERCISES]
    assert {v.status for v in verdicts} == {"right"}


def processor_time():
    """Of this process and of those that it has started and waited for"""
    return sum(os.times()[:4])


@pytest.fixture(scope="module")
def verdicts_on_alternatives():
    """Verdicts by name, one for each of the three ways: each function is judged alone"""
    verdicts = {name: [] for name in ALTERNATIVES}
    for way in range(3):
        functions = {name: ways[way] for name, ways in ALTERNATIVES.items()}
        for verdict in check_functions(functions):
            verdicts[verdict.name].append(verdict)
    return verdicts


@pytest.mark.parametrize("name", ALTERNATIVES)
def test_right_answers_written_differently_are_right(name, verdicts_on_alternatives):
    verdicts = verdicts_on_alternatives[name]
    assert len(ALTERNATIVES[name]) == len(verdicts) == 3
    assert {verdict.status for verdict in verdicts} == {"right"}, verdicts


# Right, with a remark


def _sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def _through_the_probability(dy, x, logits):
    p = _sigmoid(np.float64(logits))
    return dy[..., None] * (x / p - (1 - x) / (1 - p)) * p * (1 - p)


def _one_sided(f, inputs, name, h=1e-6):
    gradient = np.zeros(inputs[name].shape)
    for i in np.ndindex(gradient.shape):
        moved = inputs[name].copy()
        moved[i] += h
        gradient[i] = (f({**inputs, name: moved}) - f(inputs)) / h
    return gradient


ON_PAPER = {
    "the exercise sheet's KL (2.6)": (
        "kl_divergence",
        lambda mu, logvar, m=0.0, s=0.0: (
            0.5 * (s - logvar)
            + (np.exp(logvar) + (mu - m) ** 2) / (2 * np.exp(s))
            - 0.5
        ),
        "np.expm1(d) − d + …) keeps",
    ),
    "exp(d) − 1 − d": (
        "kl_divergence",
        lambda mu, logvar, m=0.0, s=0.0: (
            0.5 * (np.exp(logvar - s) - 1 - (logvar - s) + (mu - m) ** 2 / np.exp(s))
        ),
        "use np.expm1",
    ),
    "softplus as its docstring prints it": (
        "softplus",
        lambda logits: np.maximum(logits, 0) + np.log(1 + np.exp(-abs(logits))),
        "np.log1p(exp(−|l|)) keeps",
    ),
    "sigmoid by tanh": (
        "sigmoid",
        lambda logits: 0.5 * (1 + np.tanh(logits / 2)),
        "1/(1 + exp(−l)) keeps",
    ),
    "sigmoid of clipped logits": (
        "sigmoid",
        lambda logits: _sigmoid(np.clip(logits, -500, 500)),
        "7.1e-218 where 0 is correct",
    ),
    "sigmoid from above": (
        "sigmoid",
        lambda logits: 1 - 1 / (1 + np.exp(logits)),
        "2 correct digits there",
    ),
    "log_prob with log(1 + exp(l))": (
        "log_prob",
        lambda x, logits: (x * logits - np.log(1 + np.exp(logits))).sum(-1),
        "cannot overflow",
    ),
    "log_prob_backward through p(1 − p)": (
        "log_prob_backward",
        _through_the_probability,
        "dy (x − 1/(1 + exp(−l))) keeps",
    ),
    "a one-sided difference": (
        "central_difference_gradient",
        _one_sided,
        "its error falls as h",
    ),
}


@pytest.mark.parametrize("form", ON_PAPER)
def test_a_form_that_is_correct_on_paper_is_right_with_a_remark(form):
    name, function, words = ON_PAPER[form]
    verdict = one({name: function}, name)
    assert verdict.status == "right" and words in verdict.remark, verdict
    assert verdict.input and verdict.got != verdict.expected and not verdict.error


def test_a_value_that_is_not_finite_where_training_goes_is_wrong():
    naive = {
        "log_prob": lambda x, logits: (
            x * np.log(_sigmoid(logits)) + (1 - x) * np.log(1 - _sigmoid(logits))
        ).sum(-1),
        "log_mean_exp": lambda a, axis=0: np.log(np.exp(a).mean(axis)),
    }
    for verdict in check_functions(naive):
        assert verdict.status == "wrong" and not verdict.remark
        assert "on paper" in verdict.error, verdict


def test_a_remark_does_not_make_the_command_fail(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np\ndef sigmoid(l): return 0.5 * (1 + np.tanh(l / 2))\n"
    )
    assert run(path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["right", "sigmoid", "vae/bernoulli"]
    assert "remark" in lines[1] and "3 correct digits there" in lines[1]
    assert lines[-1] == "1 of 1 right"


# Whatever the learner's code does

WRONG = "numpy as np, os, sys, time"
MISBEHAVIOR = {
    "an endless loop": ("while True: pass", "does not return within"),
    "a long sleep": ("time.sleep(1000)", "does not return within"),
    "sys.exit": ("sys.exit(0)", "calls sys.exit"),
    "os._exit": ("os._exit(0)", "ended its process with exit status 0"),
    "deep recursion": ("return relu(x)", "RecursionError"),
    "a signal": ("os.kill(os.getpid(), 11)", "ended its process"),
    "10 GB": ("return np.ones(10 * 2**30 // 8), x", "MemoryError"),
    "an exception": ("raise KeyError('line\\nline')", "raises KeyError: 'line\\nline'"),
    "a message of two lines": (
        "raise ValueError('one\\ntwo')",
        "raises ValueError: one two",
    ),
    "a changed argument": ("x[x < 0] = 0; return x, x", "changes its argument x"),
    "a string": ("return 'abc', x", "returns str"),
    "a number for a pair": (
        "return 1.0",
        "returns float; a pair (y, cache) was expected",
    ),
    "objects": ("return np.array([object()]), x", "an array or a number was expected"),
    "a ragged list": ("return [[1], [2, 3]], x", "an array or a number was expected"),
    "complex numbers": ("return np.maximum(x, 0) + 1e-3j, x", ""),
    "another shape": ("return np.maximum(x, 0).sum(), x", ""),
    "an interrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "a closed output": ("os.close(1); os.close(2); raise SystemExit", "calls sys.exit"),
}


@pytest.mark.parametrize("what", MISBEHAVIOR)
def test_misbehavior_is_one_line(tmp_path, what, capfd):
    body, words = MISBEHAVIOR[what]
    path = tmp_path / "mine.py"
    path.write_text(
        f"import {WRONG}\ndef relu(x):\n    {body}\ndef entropy(logvar):\n"
        "    return 0.5 * (np.log(2 * np.pi) + logvar + 1)\n"
    )
    relu, entropy = check_functions(path, seconds=2)
    assert (
        relu.status == "wrong"
        and words in relu.problem
        and "\n" not in relu.problem + relu.got + relu.input
    )
    assert entropy.status == "right"  # the others are judged nevertheless
    assert capfd.readouterr() == ("", "")


def test_prints_are_swallowed_and_input_finds_no_one(tmp_path, capfd):
    path = tmp_path / "mine.py"
    path.write_text(
        textwrap.dedent("""
        import os, sys
        import numpy as np
        print("loaded")
        def relu(x):
            print("x" * 10**6)
            os.system("echo y")
            sys.stderr.write("z")
            y = np.maximum(x, 0)
            return y, y
        def entropy(v):
            input()
    """)
    )
    relu, entropy = check_functions(path)
    assert relu.status == "right" and "EOFError" in entropy.problem
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "text, words",
    [
        (
            "import no_such_module\ndef relu(x): ...",
            "cannot be imported: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        ("def relu(x:\n", "line 1: SyntaxError"),
        ("import sys; sys.exit(0)\nrelu = 1", "cannot be imported: it calls sys.exit"),
        ("while True: pass\nrelu = 1", "does not return within"),
        ("import os; os._exit(1)\nrelu = 1", "ended its process with exit status 1"),
        ("x = bytearray(10 * 2**30)\nrelu = 1", "MemoryError"),
        ("raise ValueError('a\\nb')\nrelu = 1", "ValueError: a b"),
        ("relu = 1", "relu is not a function"),
        ("relu\0", "SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_imported_is_one_line(tmp_path, text, words):
    path = tmp_path / "mine.py"
    path.write_text(text)
    (verdict,) = check_functions(path, ["relu"], seconds=2)
    assert (
        verdict.status == "wrong"
        and words in verdict.problem
        and "\n" not in verdict.problem
    )


# Nothing that the learner's code starts outlives the check


def beating(directory, body):
    """A file whose relu has `body`, and the file that a process of it writes to"""
    path, beat, script = (directory / name for name in ("mine.py", "beat", "script"))
    script.write_text(
        f"import time\nwhile True:\n    open({str(beat)!r}, 'a').write('x')\n"
        "    time.sleep(0.02)\n"
    )
    lines = textwrap.indent(textwrap.dedent(body), "    ")
    path.write_text(
        "import os, subprocess, sys\ndef relu(x):\n"
        f"    beat, script = {str(beat)!r}, [sys.executable, {str(script)!r}]\n{lines}"
    )
    return path, beat


def assert_still(beat):
    """Nothing writes any more, once what had been killed has ended."""
    before, still = -1, 0
    for _ in range(100):
        size = beat.stat().st_size
        still = still + 1 if size == before else 0
        if still == 4:
            return
        before = size
        time.sleep(0.1)
    raise AssertionError("a process of the learner is alive")


WAIT = "while not os.path.exists(beat): pass\n"
STARTS = {
    "a process of its own": "subprocess.Popen(script)\n" + WAIT,
    "before its process ends": "subprocess.Popen(script)\n" + WAIT + "os._exit(0)\n",
    "in a session of its own": (
        "subprocess.Popen(script, start_new_session=True)\n" + WAIT + "os._exit(0)\n"
    ),
}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no guard")
@pytest.mark.parametrize("what", STARTS)
def test_what_the_learners_code_has_started_ends_with_the_check(tmp_path, what):
    path, beat = beating(tmp_path, STARTS[what])
    check_functions(path)
    assert_still(beat)


LOOP = "while True: open(beat, 'a').write('x')"
COMMANDS = {
    "check": "from numpyvae.exercises import check_functions as f; f({path!r})",
    "train --functions": (
        "from numpyvae.exercises import use_functions\nwith use_functions({path!r}): 1"
    ),
}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no guard")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_loop_of_the_learner_ends_with_a_check_that_is_killed(
    tmp_path, command, number
):
    path, beat = beating(tmp_path, LOOP)
    code = COMMANDS[command].format(path=str(path))
    with subprocess.Popen([sys.executable, "-c", code], cwd=PACKAGE.parent) as process:
        while not beat.exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
    assert_still(beat)


def test_a_check_needs_no_standard_streams_and_no_signal_of_a_child(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("import numpy as np\ndef relu(x): return np.maximum(x, 0), x > 0\n")
    code = (
        "import os, signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "for descriptor in (0, 2): os.close(descriptor)\n"
        "from numpyvae.exercises import check_functions\n"
        f"print(check_functions({str(path)!r}, 'relu')[0].status)"
    )
    path.write_text("import numpy as np\ndef relu(x): return (np.maximum(x, 0),) * 2\n")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, stdout=-1, check=True
    )
    assert done.stdout == b"right\n"


def test_the_processor_time_of_the_learners_code_is_limited(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import resource\ndef relu(x):\n"
        "    raise ValueError(resource.getrlimit(resource.RLIMIT_CPU)[0])\n"
    )
    words = check_functions(path, seconds=10)[0].problem
    assert 20 < int(words.rpartition(" ")[2]) <= 20 * os.cpu_count() + 1


def test_that_no_process_can_be_started_is_one_sentence(monkeypatch):
    def refuse():
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(process.os, "fork", refuse)
    with pytest.raises(OSError, match=r"no process can be started .* temporarily"):
        check_functions({"relu": lambda x: (x, x)})


def test_that_the_guard_can_start_no_process_is_the_same_sentence(monkeypatch):
    parent, fork = os.getpid(), os.fork

    def refuse():
        if os.getpid() == parent:
            return fork()
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(process.os, "fork", refuse)
    with pytest.raises(OSError, match=r"no process can be started .* temporarily"):
        check_functions({"relu": lambda x: (x, x)})


def test_a_new_interpreter_judges_where_fork_is_not_safe(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "can_fork", lambda: False)
    path = tmp_path / "mine.py"
    path.write_text("import os\ndef relu(x):\n    os._exit(3)\n")
    (verdict,) = check_functions(path)
    assert verdict.problem == "ended its process with exit status 3"
    with pytest.raises(ValueError, match="only files and directories"):
        check_functions({"relu": lambda x: (x, x)})


@pytest.mark.parametrize(
    "statement",
    [
        "x = " + " + ".join(["1"] * 20_000),
        "if 0: pass\n" + "elif 1: pass\n" * 5_000,
    ],
    ids=["a sum of 20,000 terms", "5,000 elif"],
)
def test_a_file_that_is_nested_deeply_is_checked(tmp_path, statement):
    path = tmp_path / "mine.py"
    path.write_text(f"def relu(x): return x\n{statement}\n")
    (verdict,) = check_functions(path)
    assert verdict.name == "relu" and "\n" not in verdict.problem


def test_two_gigabytes_returned_are_one_line():
    def relu(x):
        return np.zeros(3 * 2**26), x  # 1.5 GB; the copy does not fit

    verdict = one({"relu": relu}, "relu")
    assert verdict.status == "wrong" and verdict.problem + verdict.got, verdict


def test_a_path_that_is_no_file_is_one_line():
    with pytest.raises(OSError, match="neither a directory of exercises nor a file"):
        check_functions("/dev/zero")


# The verdict


def test_a_verdict_shows_the_smallest_failing_input_and_names_the_error():
    verdict = one(
        {"reparameterize": lambda mu, logvar, eps: mu + np.exp(logvar) * eps},
        "reparameterize",
    )
    assert verdict.status == "wrong"
    assert (
        verdict.error
        == "this is mu + exp(logvar)·eps: the variance where the standard deviation belongs"
    )
    assert verdict.input == "reparameterize(mu=[[0]], logvar=[[1.2]], eps=[[1]])"
    assert (verdict.got, verdict.expected) == ("[[3.320116923]]", "[[1.8221188]]")


def test_both_passes_wrong_alike_are_wrong(tmp_path):
    text = source("vae.gaussian").replace(
        "mu + np.exp(0.5 * logvar) * eps", "mu + np.exp(logvar) * eps"
    )
    text = text.replace(
        "dsigma * (0.5 * np.exp(0.5 * logvar))", "dsigma * np.exp(logvar)"
    )
    write_chapter(tmp_path, "vae.gaussian", text)
    verdicts = check_functions(tmp_path, ["reparameterize", "reparameterize_backward"])
    assert ["variance" in verdict.error for verdict in verdicts] == [True, True]


def test_a_function_is_judged_alone_although_its_file_has_a_wrong_one(tmp_path):
    wrong = "\n\ndef linear_backward_params(dy, cache, grads=(None, None)):\n    return 0 * cache[1], dy.sum(axis=0)\n"
    write_chapter(tmp_path, "vae.layers", source("vae.layers") + wrong)
    by_name = {v.name: v.status for v in check_functions(tmp_path)}
    assert (
        by_name["linear_backward"] == "right"
        and by_name["linear_backward_params"] == "wrong"
    )


def test_a_pair_may_have_a_cache_of_its_own():
    def relu(x):
        return np.maximum(x, 0), x < 0

    def relu_backward(dy, negative):
        return np.where(negative, 0, dy) * 1.0

    def shared(dy, negative):
        return np.where(negative, 0, dy)

    verdicts = check_functions({"relu": relu, "relu_backward": relu_backward})
    assert [v.status for v in verdicts] == [
        "wrong",
        "wrong",
    ]  # at the kink x = 0 it is not masked
    assert (
        check_functions(
            {"relu": lambda x: (np.maximum(x, 0), x <= 0), "relu_backward": shared}
        )[1].status
        == "right"
    )


def test_forms_of_a_missing_body():
    def dots(x): ...

    def documented(x):
        """y = max(x, 0)"""

    def passes(x):
        """y = max(x, 0)"""

    def refuses(x):
        raise NotImplementedError

    for function in (dots, documented, passes, refuses):
        assert one({"relu": function}, "relu").status == "not done"
    assert one({"relu": lambda x: None}, "relu").status == "not done"
    assert one({"relu": lambda x: "abc"}, "relu").status == "wrong"


def test_only_what_the_learner_defines_is_judged(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from numpyvae.vae.layers import linear, tanh_backward\nimport numpy as np\n"
        "def relu_backward(dy, y): return np.where(y > 0, dy, 0) + 0 * linear(y, np.eye(y.shape[1]), 0)[0]\n"
    )
    assert [(v.name, v.status) for v in check_functions(path)] == [
        ("relu_backward", "right")
    ]
    state = {
        "linear": package_function("linear"),
        "relu_backward": lambda dy, y: np.where(y > 0, dy, 0),
    }
    assert [(v.name, v.status) for v in check_functions(state)] == [
        ("relu_backward", "right")
    ]
    write_solved(tmp_path)
    (tmp_path / "vae" / "layers.py").write_text(
        "from numpyvae.vae.layers import linear\n"
    )
    assert one(tmp_path, "linear").status == "not done"


def test_a_notebook_checks_its_own_names_in_place():
    state = {"relu": lambda x: (np.maximum(x, 0), np.maximum(x, 0)), "calls": []}

    def entropy(logvar):
        state["calls"].append(1)
        return 0.5 * (np.log(2 * np.pi) + logvar + 1)

    assert [v.status for v in check_functions({**state, "entropy": entropy})] == [
        "right",
        "right",
    ]
    assert not state["calls"]  # it ran in another process


@pytest.mark.parametrize(
    "call, error, words",
    [
        (
            lambda path: check_functions(path / "missing"),
            FileNotFoundError,
            "no such file",
        ),
        (lambda path: check_functions(path), ValueError, "has none of the functions"),
        (
            lambda path: check_functions({"relu": 1}, ["rely"]),
            ValueError,
            "no exercise is called 'rely'",
        ),
        (lambda path: check_functions({}), ValueError, "the namespace has none"),
        (
            lambda path: check_functions({"relu": 1}, ["entropy"]),
            ValueError,
            "the namespace has none of the functions entropy",
        ),
    ],
)
def test_nothing_to_check_is_an_error(tmp_path, call, error, words):
    with pytest.raises(error, match=words):
        call(tmp_path)


def test_the_notebooks_own_package_of_the_same_name_is_not_meant(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "vae", ModuleType("vae"))
    write_solved(tmp_path)
    assert one(tmp_path, "relu").status == "right"


def test_files_of_the_learner_may_import_each_other(tmp_path):
    write_solved(tmp_path)
    (tmp_path / "vae" / "tools.py").write_text(
        "import numpy as np\ndef positive(x): return np.maximum(x, 0)\n"
    )
    (tmp_path / "vae" / "layers.py").write_text(
        "from .tools import positive\nfrom vae.gaussian import entropy\n"
        "def relu(x): return positive(x), positive(x)\n"
    )
    assert one(tmp_path, "relu").status == "right"


@pytest.mark.parametrize(
    "garbage", [b"no json", b"[1]", b"[" * 9999, b'{"status": 3, "name": "x"}']
)
def test_garbage_from_the_learners_process_is_a_verdict(tmp_path, garbage):
    verdict = one(writes_into_the_pipe(tmp_path, garbage + b"\n"), "relu")
    assert (verdict.name, verdict.status) == ("relu", "wrong")


def writes_into_the_pipe(directory, data):
    """A file whose relu writes into the pipe of the verdicts, then loops"""
    path = directory / "mine.py"
    path.write_text(
        textwrap.dedent(f"""
        import os, sys
        def relu(x):
            frame = sys._getframe()
            while "messages" not in frame.f_locals:
                frame = frame.f_back
            os.write(frame.f_locals["messages"], {data!r})
            while True: pass
        """)
    )
    return path


def test_a_message_that_is_begun_and_never_ended_has_the_time_limit(tmp_path):
    started = time.monotonic()
    (verdict,) = check_functions(writes_into_the_pipe(tmp_path, b"{"), seconds=1)
    assert "does not return within 1 s" in verdict.problem
    assert time.monotonic() - started < 10


# The command


@pytest.fixture
def numpyvae(monkeypatch):
    """The command line, with these two commands"""
    monkeypatch.setattr(
        cli, "COMMANDS", tuple(dict.fromkeys((*cli.COMMANDS, "exercises", "check")))
    )
    return lambda *arguments: cli.main([*map(str, arguments)])


def test_from_nothing_to_the_first_right_exercise(tmp_path, numpyvae, capsys):
    directory = tmp_path / "mine"
    assert numpyvae("exercises", directory) == 0
    assert (
        f"Wrote {len(EXERCISES)} exercises into {directory}" in capsys.readouterr().out
    )
    assert numpyvae("check", directory) == 0
    assert (
        f"0 of {len(EXERCISES)} right, {len(EXERCISES)} not done; next: linear in vae/"
        in capsys.readouterr().out
    )
    chapter = directory / "vae" / "layers.py"
    text = chapter.read_text("utf-8")
    body = text.index("    ...\n", text.index("def linear("))
    chapter.write_text(
        text[:body] + "    return x @ W + b, (x, W)\n" + text[body + 8 :], "utf-8"
    )
    assert numpyvae("check", directory, "linear") == 0
    assert "right     linear  vae/layers" in capsys.readouterr().out


def test_a_users_error_is_one_line_and_status_2(tmp_path, numpyvae, capsys):
    for arguments, words in (
        (("check", tmp_path / "missing"), "there is no such file"),
        (("check", tmp_path), "none of the"),
        (("exercises", tmp_path / "a" / "b"), "is not a directory"),
        (("check", tmp_path, "nothing"), "no exercise is called 'nothing'"),
    ):
        assert numpyvae(*arguments) == 2
        captured = capsys.readouterr()
        assert (
            words in captured.err and captured.err.count("\n") == 1 and not captured.out
        )


def run(path, *names, as_json=False, watch=False):
    arguments = SimpleNamespace(
        path=str(path), names=list(names), json=as_json, watch=watch, hint=None
    )
    return command.run(arguments, Console())


def test_the_command_prints_a_row_per_function_and_exits_1_if_one_is_wrong(
    tmp_path, capsys
):
    path = tmp_path / "mine.py"
    path.write_text(
        textwrap.dedent("""
        import numpy as np
        def relu(x): return np.maximum(x, 0), np.maximum(x, 0)
        def relu_backward(dy, cache): ...
        def entropy(logvar): return 7 + 0 * logvar
        def reparameterize(mu, logvar, eps): return mu + np.exp(logvar) * eps
    """)
    )
    assert run(path) == 1
    assert capsys.readouterr().out == textwrap.dedent("""\
        right     relu            vae/layers
        not done  relu_backward   vae/layers
        wrong     entropy         logvar is ignored
                  input     entropy(logvar=0)
                  got       7
                  expected  1.418938533
        wrong     reparameterize  this is mu + exp(logvar)·eps: the variance where the standard deviation belongs
                  input     reparameterize(mu=[[0]], logvar=[[1.2]], eps=[[1]])
                  got       [[3.320116923]]
                  expected  [[1.8221188]]
                  published numpy-ml, neural_nets/models/vae.py; DeZero, examples/vae.py (of its third book)
        vae/layers    1 of 2; next: relu_backward
        vae/gaussian  0 of 2; next: entropy
        1 of 4 right, 2 wrong, 1 not done; next: relu_backward in vae/layers.py
    """)
    assert run(path, "relu") == 0 and run(path, "relu_backward") == 0


def test_json_is_one_object(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np\ndef relu(x): return x, x\ndef relu_backward(dy, cache): ...\n"
    )
    assert run(path, as_json=True) == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["right"], result["wrong"], result["not done"]) == (0, 1, 1)
    assert set(result["functions"][0]) == set(check.Verdict._fields)


def test_functions_of_a_broken_file_share_a_line(tmp_path, capsys):
    write_chapter(tmp_path, "vae.gaussian")
    (tmp_path / "vae" / "layers.py").write_text("import no_such_module\n")
    assert run(tmp_path) == 1
    lines = [
        line
        for line in capsys.readouterr().out.splitlines()
        if "no_such_module" in line
    ]
    assert len(lines) == 1 and "linear, relu, relu_backward and 3 more" in lines[0]


def test_the_package_is_where_the_checks_look():
    assert (PACKAGE / "vae" / "layers.py").is_file()


def test_a_file_of_any_suffix_is_read_as_python(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("def linear(x, W, b):\n    return x @ W + b, (x, W)\n")
    assert [verdict.status for verdict in check_functions(path)] == ["right"]


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(
        ValueError, match="no exercise is called 'liner'; did you mean linear"
    ):
        check_functions(".", ["liner"])


# What to do next


def test_a_chapter_that_is_not_begun_is_one_line_and_one_that_is_says_what_is_next(
    tmp_path, capsys
):
    write_exercises(tmp_path / "mine")
    (tmp_path / "mine" / "vae" / "layers.py").write_text(
        "import numpy as np\ndef linear(x, W, b): return x @ W + b, (x, W)\n"
        "def relu(x): return x, x\n"
    )
    assert run(tmp_path / "mine") == 1
    lines = capsys.readouterr().out.splitlines()
    assert (
        "not done  vae/elbo: 3 functions, elbo_terms, negative_elbo, "
        "negative_elbo_backward" in lines
    )
    assert "vae/layers  1 of 6; next: relu" in lines
    assert lines[-1] == (
        f"1 of {len(EXERCISES)} right, 1 wrong, {len(EXERCISES) - 2} not done; "
        "next: relu in vae/layers.py"
    )


def test_watch_checks_again_when_a_file_is_saved(tmp_path, monkeypatch, capsys):
    path = tmp_path / "mine.py"
    path.write_text("def relu(x): return x, x\n")
    saves = [
        "import numpy as np\ndef relu(x): return (np.maximum(x, 0),) * 2\n",
        "def relu(x) return\n",
    ]

    def save(seconds):
        if not saves:
            raise KeyboardInterrupt
        path.write_text(saves.pop(0))

    monkeypatch.setattr(command.time, "sleep", save)
    assert run(path, watch=True) == 1
    out = capsys.readouterr().out
    rows = [line[:5] for line in out.splitlines() if line[:5] in ("right", "wrong")]
    assert rows == ["wrong", "right", "wrong"]
    assert "SyntaxError" in out and out.count("is watched: save a file") == 3


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--hint", "entropy"], "entropy, hint 1 of 2:"),
        (["--hint", "entropy:2"], "(2.4)"),
        (["--hint", "Adam.step:2"], "(8.4)"),
    ],
)
def test_a_hint_needs_no_path(numpyvae, capsys, arguments, words):
    assert numpyvae("check", *arguments) == 0
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, words",
    [
        ([], "check needs PATH"),
        (["--hint", "kl"], "did you mean kl_divergence"),
        (["--hint", "relu:3"], "relu has 2 hints"),
        ([".", "--watch", "--json"], "--json is one object"),
    ],
)
def test_a_request_that_cannot_be_met_is_one_line(numpyvae, capsys, arguments, words):
    assert numpyvae("check", *arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err and captured.err.count("\n") == 1 and not captured.out


def test_in_a_notebook_verdicts_are_a_table():
    def entropy(logvar):
        return -logvar

    verdicts = check_functions({"relu": lambda x: ("<b>", x), "entropy": entropy})
    html = verdicts._repr_html_()
    assert html.count("<tr>") == 3 and html.startswith("<table>")
    assert "entropy(logvar=0)" in html and "<b>" not in html
    assert "0 of 2 right, 2 wrong; next: relu in vae/layers.py" in html
    assert isinstance(verdicts, list) and verdicts[0].name == "relu"
