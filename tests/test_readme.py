"""The README: its links lead to files, its commands parse, and what is quick is run and
compared.

A fence of commands or Python is followed by the fence of its output. Of several
commands, the last one's is shown. A line … stands for any number of lines. Values of
training are compared to 1%: sums in another order, on another machine, round otherwise,
and 30 epochs make up to some 0.5% of that. Rounding errors, like 1.5e-15, are compared
to 1e-6.
"""

import contextlib
import io
import itertools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from numpyvae.cli import build_parser, main
from numpyvae.vae import gradient_estimators as estimators
from numpyvae.vae import iwae

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
FENCES = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


def is_commands(language, text):
    return language == "" and all(
        line.startswith(("python ", "git ", "HYPOTHESIS")) for line in text.splitlines()
    )


def output_of(*beginning):
    """The fence after the one whose last line begins so"""
    for (_, text), (_, output) in itertools.pairwise(FENCES):
        if text.splitlines()[-1].startswith(beginning):
            return output
    raise AssertionError(f"the README has no {beginning}")


def same(shown, printed, tolerance=0.01):
    """Whether the lines are alike but for figures, and those are near"""
    numbers = [
        [float(n.replace(",", "")) for n in NUMBER.findall(line)]
        for line in (shown, printed)
    ]
    alike = NUMBER.sub("#", shown).split() == NUMBER.sub("#", printed).split()
    return alike and all(
        abs(a - b) <= tolerance * abs(b) + 1e-6 for a, b in zip(*numbers, strict=True)
    )


def compare(shown, printed, tolerance=0.01):
    """Each run of lines between … is found in what was printed, in order; the first and
    the last one at its ends.
    """
    shown, printed = shown.splitlines(), printed.splitlines()
    place, anywhere = 0, False
    for line in shown:
        if line == "…":
            anywhere = True
            continue
        while (
            anywhere
            and place < len(printed)
            and not same(line, printed[place], tolerance)
        ):
            place += 1
        assert place < len(printed), f"not printed: {line}"
        assert same(line, printed[place], tolerance), (
            f"the README has\n{line}\nand this was printed:\n{printed[place]}"
        )
        place, anywhere = place + 1, False
    assert anywhere or place == len(printed), f"not in the README: {printed[place]}"


def test_a_comparison_can_fail():
    compare("a 1.00 b\n…\nz 2", "a 1.001  b\nm\nn 3\nz 2")
    for shown, printed in [
        ("a 1", "a 1.02"),
        ("a 1", "b 1"),
        ("a 1", "a 1\na 2"),
        ("a 1\n…\nz", "a 1\ny"),
        ("a 1 2", "a 1"),
    ]:
        with pytest.raises(AssertionError):
            compare(shown, printed)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)]+)\)", README))))
def test_a_link_leads_to_a_file(target):
    assert "://" in target or (ROOT / target.split("#")[0]).is_file()


COMMANDS = sorted(
    {
        line
        for language, text in FENCES
        if is_commands(language, text)
        for line in text.splitlines()
    }
    | set(re.findall(r"`((?:python|HYPOTHESIS)[^`]*)`", README))
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_names_what_is_there(command):
    words = shlex.split(command.split(" && ")[-1])
    of_numpyvae = "numpyvae" in words[:3] and words[1:3] == ["-m", "numpyvae"]
    if of_numpyvae and words[3:] and "--help" not in words:
        build_parser().parse_args(words[3:])
    for word in words:
        if re.fullmatch(r"tests/[\w/]*\.py|tests", word):
            assert (ROOT / word).exists()
        if re.fullmatch(r"tests\.\w+", word):
            path = ROOT / word.replace(".", "/")
            assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def test_every_chapter_of_book_one_is_in_the_reading_order():
    modules = {path.stem for path in (ROOT / "numpyvae" / "vae").glob("*.py")} - {
        "__init__"
    }
    assert modules == set(re.findall(r"\(numpyvae/vae/(\w+)\.py\)", README))


def test_it_is_short():
    assert len(README) < 19_000


EXAMPLES = [
    (text, output)
    for (language, text), (_, output) in itertools.pairwise(FENCES)
    if language == "python"
]
# One trains a run, and one loads it: that run is trained once.
(TRAINING,) = [example for example in EXAMPLES if "Run.create" in example[0]]
(LOADING,) = [example for example in EXAMPLES if "VAE.load" in example[0]]


def printed_by(code):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})  # noqa: S102 (the README's own)
    return printed.getvalue()


def test_the_python_that_trains_and_loads_a_run_prints_what_it_shows(
    monkeypatch, tmp_path
):
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    for code, output in (TRAINING, LOADING):
        compare(output, printed_by(code))


@pytest.mark.parametrize(
    "code, output", [e for e in EXAMPLES if e not in (TRAINING, LOADING)]
)
def test_the_python_prints_what_it_shows(code, output, monkeypatch, tmp_path):
    for name in ("data", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)  # what a snippet writes stays there
    if "write_svg" in code:
        (tmp_path / "runs").mkdir()
    compare(output, printed_by(code))


def test_the_chain_is_solved_as_shown_to_the_last_digit(capsys):
    assert main(["mdp"]) == 0
    (shown,) = [text for language, text in FENCES if "- reward 1" in text]
    compare(shown, capsys.readouterr().out, tolerance=0)


def test_gradcheck_prints_the_table_that_is_shown(capsys):
    assert main(["gradcheck"]) == 0
    shown = next(text for _, text in FENCES if "gradients correct" in text)
    printed = capsys.readouterr().out
    compare(
        *(re.sub(r"(limit \S+).*", r"\1", text) for text in (shown, printed))
    )  # which is worst may differ elsewhere


@pytest.mark.slow
def test_training_on_the_sample_prints_what_is_shown(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sample").symlink_to(ROOT / "data" / "sample")
    environment.pop("NUMPYVAE_DATA", None)
    done = subprocess.run(
        [sys.executable, "-m", "numpyvae", "train", "--out", "runs/sample"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    compare(output_of("python -m numpyvae train --out runs/sample"), done.stdout)
    assert {path.name for path in (tmp_path / "runs" / "sample").iterdir()} >= {
        "samples.png",
        "report.html",
    }


@pytest.mark.slow
def test_the_gradient_estimators_compare_as_shown():
    done = subprocess.run(
        [sys.executable, "-m", "tests.gradient_estimators"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for chapter, head in (estimators, "estimator"), (iwae, "K"):
        table = rf"^ *{head}  .*?\n\n"
        shown = re.search(table, chapter.__doc__, re.MULTILINE | re.DOTALL)[0]
        compare("…\n" + shown.strip() + "\n…", done.stdout, tolerance=0.05)
