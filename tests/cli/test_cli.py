"""The command line as a whole: help, errors in one line, and every kind of standard
output.
"""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from numpyvae.cli import (
    COMMANDS,
    build_parser,
    console,
    error_message,
    join_negative_numbers,
    main,
)

HERE = [sys.executable, "-m", "numpyvae"]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["train", "--data", "nowhere"], "nowhere: no such file or directory"),
        (
            ["train", "--epoch", "3"],
            "unrecognized arguments: --epoch 3 (see `numpyvae train --help`)",
        ),
        (["evaluate", "run", "--count", "3"], "(see `numpyvae evaluate --help`)"),
        (
            ["train", "--epochs", "many"],
            "argument --epochs: epochs must be an integer, 1 or more, not 'many'",
        ),
        (
            ["train", "--epochs", "0"],
            "argument --epochs: epochs must be an integer, 1 or more, not 0",
        ),
        (["train", "--lr", "nan"], "lr must be a finite number"),
        (["train", "--activation", "gelu"], "--activation"),
        (
            ["train", "--latent", "0"],
            "argument --latent: latent_dim must be an integer, 1 or more, not 0",
        ),
        (
            ["train", "--hidden", "3", "0"],
            "argument --hidden: hidden_dims must be a sequence of positive integers",
        ),
        (
            ["train", "--logvar-x", "-1e-5"],
            "logvar_x is -1e-05, but only the normal likelihood has it",
        ),
        (
            ["train", "--log-interval", "0"],
            "argument --log-interval: must be an integer, 1 or more, not '0'",
        ),
        (
            ["train", "--checkpoint-every", "x"],
            "argument --checkpoint-every: must be an integer, 1 or more, not 'x'",
        ),
        (
            ["train", "--seed", "-1"],
            "argument --seed: seed must be an integer, 0 or more, not -1",
        ),
        (["train", "--resume", "runs/009"], "runs/009"),
        (["evaluate", "missing.npz"], "missing.npz"),
        (
            ["evaluate", "x", "--seed", "-1"],
            "argument --seed: seed must be an integer, 0 or more, not -1",
        ),
        (
            ["evaluate", "x", "--importance-samples", "-1"],
            "argument --importance-samples: must be an integer, 0 or more",
        ),
        (["sample", "missing.npz", "--out", "x.png"], "missing.npz"),
        (
            ["sample", "x", "--out", "x.jpg"],
            "argument --out: must end in .png, not 'x.jpg'",
        ),
        (
            ["sample", "x", "--out", "x.png", "--count", "0"],
            "argument --count: must be an integer, 1 or more",
        ),
        (["report", "nowhere"], "nowhere: not the directory of a run"),
        (
            ["download", "--mirror", "ftp://example.org/"],
            "ftp://example.org/: a mirror is an https:// address",
        ),
        (["mdp", "--gamma", "1"], "gamma"),
        (["mdp", "--gamma", "-0.1"], "gamma"),
        (["mdp", "--out", "no/such/directory/chain.svg"], "no/such/directory"),
        (["traim"], "traim"),
        (["--bogus"], "(see `numpyvae --help`)"),
    ],
)
def test_a_mistake_ends_in_one_line_and_status_2(
    arguments, words, tiny_directory, monkeypatch, error_line
):
    monkeypatch.setenv("NUMPYVAE_DATA", str(tiny_directory))
    assert main(arguments) == 2
    assert words in error_line()
    assert not Path("runs").exists()


def test_a_defect_is_one_line_and_status_70(monkeypatch, capsys):
    def broken(args, console):
        return len([1, 2]) + "a shape that does not fit"

    monkeypatch.setattr("numpyvae.cli.mdp.run", broken)
    assert main(["mdp"]) == 70
    line = capsys.readouterr().err
    assert line.startswith("numpyvae: defect: TypeError: ") and line.count("\n") == 1
    assert "test_cli.py, line " in line and "NUMPYVAE_TRACEBACK=1" in line


@pytest.mark.parametrize("arguments", [["mdp", "--gamma", "1"], ["report", "none"]])
def test_numpyvae_traceback_shows_where_an_error_comes_from(
    arguments, monkeypatch, capsys
):
    monkeypatch.setenv("NUMPYVAE_TRACEBACK", "1")
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert "Traceback (most recent call last):" in lines[0]
    assert lines[-1].startswith("numpyvae: error: ")


def test_a_library_that_cannot_be_loaded_is_an_error_and_not_a_defect(
    monkeypatch, error_line
):
    def low_memory(args, console):
        try:
            raise ImportError("libopenblas.so: failed to map segment")
        except ImportError as reason:
            raise ImportError(
                "IMPORTANT: a page of advice\n\n", name="numpy"
            ) from reason

    monkeypatch.setattr("numpyvae.cli.mdp.run", low_memory)
    assert main(["mdp"]) == 2
    assert "failed to map segment; are NumPy and SciPy installed" in error_line()


def test_a_module_of_the_package_that_is_missing_is_a_defect(monkeypatch, capsys):
    def broken(args, console):
        raise ImportError("no attribute", name="numpyvae.vae")

    monkeypatch.setattr("numpyvae.cli.mdp.run", broken)
    assert main(["mdp"]) == 70


def test_help_is_a_command_that_explains_the_others(capsys, error_line):
    for asked, flag in (
        (["help"], ["--help"]),
        (["help", "sample"], ["sample", "--help"]),
    ):
        assert main(flag) == 0
        expected = capsys.readouterr().out
        assert main(asked) == 0
        assert capsys.readouterr().out == expected
    assert main(["help", "nothing"]) == 2
    assert "nothing" in error_line()


def test_without_a_command_the_help_is_printed(capsys):
    assert main([]) == 0
    assert main(["--help"]) == 0
    first, second = capsys.readouterr().out.split("usage:")[1:]
    assert first == second and all(f"\n    {name}" in first for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_a_line_of_help_and_examples(name, capsys):
    assert main([name, "--help"]) == 0
    help_text = capsys.readouterr().out
    assert (
        help_text.startswith(f"usage: numpyvae {name}")
        and f"examples:\n  numpyvae {name}" in help_text
    )


def test_every_example_in_the_help_parses():
    for name in COMMANDS:
        subparsers = next(
            action for action in build_parser()._actions if action.choices
        )
        for line in (
            subparsers.choices[name].description.split("examples:\n")[1].splitlines()
        ):
            build_parser().parse_args(line.split("   ")[0].split()[1:])


def test_every_command_that_has_json_puts_one_object_on_one_line(capsys):
    assert main(["mdp", "--json"]) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1 and json.loads(out) and err == ""


# Negative numbers


@pytest.mark.parametrize(
    "words, joined",
    [
        (["--logvar-x", "-1e-5"], ["--logvar-x=-1e-5"]),
        (["--beta", "-2"], ["--beta=-2"]),
        (["--out", "-x"], ["--out", "-x"]),
        (["-1"], ["-1"]),
        (["--hidden", "3", "-1"], ["--hidden", "3", "-1"]),
        (["--lr=3", "-1e2"], ["--lr=3", "-1e2"]),
    ],
)
def test_a_negative_number_is_joined_to_the_flag_before_it(words, joined):
    assert join_negative_numbers(words) == joined


# Standard output and standard error


def test_a_terminal_without_unicode_is_no_error():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*HERE, "mdp"], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0 and done.stderr == "" and "?3 - 1)/2" in done.stdout


def test_main_prints_into_any_object_with_a_write_method():
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        assert main(["mdp", "--json"]) == 0 and main(["mdp", "--gamma", "2"]) == 2
    assert json.loads(output.getvalue()) and errors.getvalue().startswith(
        "numpyvae: error: "
    )


@pytest.fixture(params=["", "1"], ids=["buffered", "unbuffered"])
def buffering(request, monkeypatch):
    monkeypatch.setenv("PYTHONUNBUFFERED", request.param)


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["mdp"], []])
def test_a_full_disk_behind_standard_output_is_one_line(words, buffering):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*HERE, *words], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (
        2,
        "numpyvae: error: standard output: No space left on device\n",
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="has no /dev/full")
@pytest.mark.parametrize("words, status", [(["mdp", "--gamma", "1"], 2), (["mdp"], 0)])
def test_a_full_disk_behind_standard_error_changes_no_status(words, status, buffering):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*HERE, *words], check=False, stdout=subprocess.DEVNULL, stderr=full
        )
    assert done.returncode == status


def test_ctrl_c_while_the_command_line_is_imported_is_one_line():
    """The import of argparse is interrupted, which comes before anything of numpyvae."""
    code = (
        "import sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'argparse': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from numpyvae.__main__ import main\n"
        "sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (130, "numpyvae: interrupted\n")


def test_an_error_of_the_system_without_a_file_has_its_words_only():
    assert error_message(OSError(22, "Invalid argument")) == "Invalid argument"


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["mdp"]])
def test_a_closed_pipe_is_status_141_and_no_message(words, buffering):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*HERE, *words], stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_closed_standard_streams_are_no_error():
    for redirection, status in ((">&-", 0), ("2>&-", 0), (">&- 2>&-", 0)):
        done = subprocess.run(
            f"{' '.join(HERE)} mdp --json {redirection}",
            shell=True,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (status, "")
    assert subprocess.run(f"{' '.join(HERE)} traim 2>&-", shell=True).returncode == 2


def test_python_without_docstrings_still_has_help_and_commands():
    for words in (["train", "--help"], ["mdp", "--json"]):
        done = subprocess.run(
            [sys.executable, "-OO", "-m", "numpyvae", *words],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 and done.stdout and done.stderr == ""


def test_main_works_in_a_thread(train):
    status = []
    thread = threading.Thread(
        target=lambda: status.append(train("--quiet", "--processes", "1"))
    )
    thread.start()
    thread.join()
    assert status == [0] and Path("runs/001/report.html").is_file()


# Messages


def test_an_error_is_one_line_whatever_its_text():
    assert error_message(ValueError("a\n  b\tc")) == "a b c"
    assert error_message(OSError(2, "No such file", "here")) == "here: No such file"
    assert error_message(OSError("its own words")) == "its own words"
    assert error_message(MemoryError()) == "not enough memory"
    assert error_message(ValueError()) == "ValueError"


def test_memory_that_is_not_there_is_one_line(monkeypatch, error_line):
    def too_much(*arguments):
        raise MemoryError("Unable to allocate 9 TiB")

    monkeypatch.setattr("numpyvae.cli.mdp.chain_results", too_much)
    assert main(["mdp"]) == 2
    assert (
        error_line()
        == "numpyvae: error: not enough memory (Unable to allocate 9 TiB)\n"
    )


def test_an_interrupt_is_one_line_and_status_130(monkeypatch, capsys):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("numpyvae.cli.mdp.chain_results", interrupted)
    assert main(["mdp"]) == 130
    assert capsys.readouterr() == ("", "numpyvae: interrupted\n")
    assert (
        signal.getsignal(signal.SIGINT) is before
    )  # a caller of main can still be interrupted


@pytest.mark.parametrize(
    "text, shown",
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("a\rb", "a\\rb"),
        ("\x9b1m", "\\x9b1m"),
        ("a\tb\nc", "a\tb\nc"),
        ("é √3", "é √3"),
        ("\u202eabc", "\\u202eabc"),
        ("\udcff", "\\udcff"),
        ("\x00", "\\x00"),
    ],
)
def test_control_characters_are_printed_as_escapes(text, shown):
    assert console.printable(text) == shown


def test_json_has_null_for_a_number_that_is_not_finite(capsys):
    console.Console().json(
        {"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": (1, None)}}
    )
    assert json.loads(capsys.readouterr().out) == {
        "a": None,
        "b": [None, 1.5],
        "c": {"d": [1, None]},
    }


@pytest.mark.parametrize(
    "seconds, text", [(0, "0:00"), (61, "1:01"), (3599.6, "1:00:00"), (3661, "1:01:01")]
)
def test_durations(seconds, text):
    assert console.format_duration(seconds) == text


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_progress_line_is_for_terminals_and_is_cleared_before_a_line(
    monkeypatch, capsys
):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    shown = console.Console()
    shown.progress(0, 200, "images")
    shown.next_update = 0.0
    shown.progress(50, 200, "images")
    assert "\r 25%  " in terminal.getvalue() and "images/s" in terminal.getvalue()
    shown.line("a line")
    assert terminal.getvalue().endswith(" \r") and capsys.readouterr().out == "a line\n"
    monkeypatch.setattr(sys, "stderr", quiet := io.StringIO())
    console.Console().progress(50, 200, "images")
    assert quiet.getvalue() == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="has no /dev/full")
def test_the_version_on_a_full_disk_is_an_error():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "numpyvae", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
