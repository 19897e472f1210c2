"""train: its log, its files, the options, resuming and stopping."""

import contextlib
import csv
import os
import re
import shlex
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from numpyvae.cli import main
from numpyvae.cli.train import run as run_command
from numpyvae.data.idx import read_idx, write_idx
from numpyvae.runs import checkpoint
from numpyvae.runs.run import Run
from numpyvae.settings import PRESETS
from numpyvae.training.parallel.interrupts import StopFlag
from numpyvae.training.state import TrainingState

BATCH = re.compile(r"Train Epoch: (\d+) \[(\d+)/(\d+) \((\d+)%\)\]\tLoss: (\d+\.\d{6})")
EPOCH = re.compile(r"===== Epoch: (\d+) Average loss: (\d+\.\d{4}) =====")
TEST = re.compile(
    r"===== Test set loss: (\d+\.\d{4}) \(reconstruction (\d+\.\d{4}), KL (\d+\.\d{4})\) ====="
)
FILES = {
    "checkpoint.npz",
    "curve.svg",
    "frames.idx",
    "learning.png",
    "log.csv",
    "reconstructions.png",
    "report.html",
    "samples.png",
}
needs_fork = pytest.mark.skipif(
    sys.platform != "linux", reason="two processes are for Linux"
)


def rows(path):
    """log.csv without the seconds"""
    with open(path) as file:
        return [{**row, "seconds": None} for row in csv.DictReader(file)]


def same_arrays(a, b):
    (a, _), (b, _) = (checkpoint.load(f"{run}/checkpoint.npz") for run in (a, b))
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in b)


# The log and the files


def test_the_log_has_the_format_that_scripts_parse(train, capsys):
    assert train() == 0
    _, *lines, last = capsys.readouterr().out.splitlines()
    assert (
        last
        == "Wrote runs/001: report.html, learning.png, samples.png, reconstructions.png, curve.svg, log.csv, checkpoint.npz"
    )
    for epoch in (1, 2):
        batches, (average, test), lines = lines[:3], lines[3:5], lines[5:]
        found = [BATCH.fullmatch(line).groups()[:4] for line in batches]
        assert found == [
            (str(epoch), "0", "110", "0"),
            (str(epoch), "48", "110", "43"),
            (str(epoch), "96", "110", "86"),
        ]
        assert EPOCH.fullmatch(average)[1] == str(epoch)
        loss, reconstruction, kl = map(float, TEST.fullmatch(test).groups())
        assert (
            abs(loss - reconstruction - kl) < 1.5e-4
        )  # three roundings of half a last digit
    assert not lines


@pytest.mark.parametrize(
    "options, name",
    [
        (("--beta", "4"), "reconstruction + 4 KL"),
        (("--objective", "iwae-dreg", "--samples", "3"), "negative IWAE bound, K = 3"),
    ],
)
def test_the_log_names_the_losses_if_they_are_two_quantities(
    train, capsys, options, name
):
    assert train(*options) == 0
    expected = f"Training loss: {name}. Test loss: negative ELBO."
    assert capsys.readouterr().out.splitlines()[1] == expected
    assert main(["train", "--resume", "runs/001", "--epochs", "3"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == expected
    assert train() == 0 and "Training loss" not in capsys.readouterr().out


def test_the_help_lists_every_file_that_is_written():
    assert all(name in run_command.__doc__ for name in FILES - {"frames.idx"})


def test_a_run_leaves_its_six_files_and_no_run_touches_another(train):
    train(), train()
    assert {path.name for path in Path("runs").iterdir()} == {"001", "002"}
    for run in Path("runs").iterdir():
        assert {path.name for path in run.iterdir()} == FILES
    found = rows("runs/001/log.csv")
    assert list(found[0]) == [
        "epoch",
        "train_loss",
        "test_loss",
        "reconstruction",
        "kl",
        "seconds",
        "active_units",
    ]
    assert [row["epoch"] for row in found] == ["1", "2"]


def test_the_log_file_has_the_epochs_own_values_in_their_columns(train, capsys):
    train()
    printed = capsys.readouterr().out
    for row, average, test in zip(
        rows("runs/001/log.csv"),
        EPOCH.findall(printed),
        TEST.findall(printed),
        strict=True,
    ):
        assert average == (row["epoch"], f"{float(row['train_loss']):.4f}")
        assert test == tuple(
            f"{float(row[name]):.4f}" for name in ("test_loss", "reconstruction", "kl")
        )
    with open("runs/001/log.csv") as file:
        assert all(0 < float(row["seconds"]) < 60 for row in csv.DictReader(file))


def test_one_seed_gives_the_same_images_and_parameters_twice(train):
    train("--out", "a"), train("--out", "b"), train("--out", "c", "--seed", "2")
    for name in ("samples.png", "reconstructions.png"):
        assert (
            Path("a", name).read_bytes()
            == Path("b", name).read_bytes()
            != Path("c", name).read_bytes()
        )
    assert same_arrays("a", "b") and not same_arrays("a", "c")


def test_quiet_prints_nothing(train, capsys):
    assert train("--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_an_epoch_is_printed_after_it_is_saved(train, monkeypatch):
    saved = []
    monkeypatch.setattr(
        "numpyvae.cli.console.Console.line",
        lambda console, text: (
            saved.append(len(Run.load("runs/001").state.history))
            if "Test set" in text
            else None
        ),
    )
    train()
    assert saved == [1, 2]


# Where a run is written


def test_out_must_be_new_or_empty(train, error_line):
    Path("full").mkdir()
    Path("full/precious").write_text("x")
    assert train("--out", "full") == 2
    assert "full is not empty" in error_line()
    assert train("--out", "full/precious") == 2
    assert (
        error_line()
        == "numpyvae: error: full/precious is a file: choose a new directory\n"
    )
    assert [path.name for path in Path("full").iterdir()] == ["precious"]


def test_a_run_takes_the_next_number_whatever_else_is_there(train):
    for name in ("007", "²", "9x", "notes"):
        Path("runs", name).mkdir(parents=True)
    assert train("--quiet") == 0 and Path("runs/008/report.html").is_file()


def test_an_output_that_cannot_be_written_is_named(train, error_line):
    Path("file").write_text("in the way")
    assert train("--out", "file/run") == 2
    assert "file" in error_line()


# The options


def test_hidden_takes_any_number_of_sizes_also_none(train, tiny_directory):
    assert train("--hidden", "7", "5", "--out", "two") == 0
    assert (
        main(
            [
                "train",
                "--data",
                str(tiny_directory),
                "--epochs",
                "1",
                "--out",
                "none",
                "--hidden",
            ]
        )
        == 0
    )
    assert (
        Run.load("two").config.hidden_dims == (7, 5)
        and Run.load("none").config.hidden_dims == ()
    )


def test_initialization_warmup_and_the_rest_reach_the_run(train):
    options = [
        "--initialization",
        "glorot",
        "--adam-epsilon",
        "1e-4",
        "--warmup",
        "1",
        "--decay-epochs",
        "1",
        "--samples",
        "2",
    ]
    assert train("--quiet", *options) == 0
    chosen = Run.load("runs/001").options
    assert (
        chosen.initialization,
        chosen.adam_epsilon,
        chosen.warmup,
        chosen.decay_epochs,
        chosen.num_samples,
    ) == ("glorot", 1e-4, 1, 1, 2)


def test_a_preset_says_what_it_sets_and_other_options_override_it(train, capsys):
    assert train("--preset", "burda") == 0
    assert (
        "Preset burda: hidden_dims (8,), latent_dim 2, activation tanh"
        in capsys.readouterr().out
    )
    run = Run.load("runs/001")
    assert (
        run.config.hidden_dims == (8,)
        and run.options.binarize == PRESETS["burda"]["binarize"]
    )
    assert run.options.adam_epsilon == PRESETS["burda"]["adam_epsilon"]


def test_beta_is_refused_with_the_importance_weighted_objective(train, error_line):
    assert train("--objective", "iwae", "--beta", "0.5") == 2
    assert "beta" in error_line() and not Path("runs").exists()


def test_the_command_that_a_run_names_trains_the_same_again(train):
    assert (
        train(
            "--quiet",
            "--objective",
            "iwae",
            "--samples",
            "3",
            "--initialization",
            "glorot",
            "--lr",
            "0.01",
        )
        == 0
    )
    words = shlex.split(Run.load("runs/001").command_line())
    assert words[:2] == ["numpyvae", "train"] and main([*words[1:], "--quiet"]) == 0
    assert same_arrays("runs/001", "runs/002")


# The data


def test_a_truncated_data_file_is_named_and_nothing_is_written(
    train, tiny_directory, error_line
):
    path = tiny_directory / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    assert train() == 2
    assert "train-images-idx3-ubyte.gz" in error_line() and not Path("runs").exists()


def test_without_data_the_sample_that_is_installed_is_trained_on(capsys):
    assert main(["train", "--epochs", "1", "--hidden", "4"]) == 0
    assert "For all of MNIST: numpyvae download" in capsys.readouterr().out


def test_a_control_character_in_a_name_reaches_the_terminal_escaped(
    train, tiny_directory, capsys
):
    strange = tiny_directory.rename("a\x1b[31mb")
    assert (
        main(
            [
                "train",
                "--data",
                str(strange),
                "--hidden",
                "8",
                "--latent",
                "2",
                "--epochs",
                "1",
            ]
        )
        == 0
    )
    assert (
        "\x1b" not in (printed := capsys.readouterr().out) and "a\\x1b[31mb" in printed
    )


def test_a_directory_whose_name_is_not_utf_8_is_trained_in_to_the_end(
    train, tiny_directory, capsys
):
    name = os.fsdecode(b"a\xffb")
    data = tiny_directory.rename(name + "data")
    assert (
        main(
            [
                "train",
                "--data",
                str(data),
                "--hidden",
                "8",
                "--latent",
                "2",
                "--epochs",
                "1",
                "--out",
                name,
            ]
        )
        == 0
    )
    assert Path(name, "report.html").is_file() and main(["evaluate", name]) == 0


# Resuming


def test_a_finished_run_resumed_with_more_epochs_is_the_longer_run(train):
    train("--out", "short"), train("--out", "long", "--epochs", "4")
    assert main(["train", "--resume", "short", "--epochs", "4"]) == 0
    assert rows("short/log.csv") == rows("long/log.csv") and same_arrays(
        "short", "long"
    )
    assert (
        Path("short/samples.png").read_bytes() == Path("long/samples.png").read_bytes()
    )


def test_resuming_a_finished_run_changes_nothing_and_says_so(trained, capsys):
    before = {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in Path("runs/001").iterdir()
    }
    assert main(["train", "--resume", "runs/001"]) == 0
    assert (
        "has finished its 2 epochs; raise --epochs to continue"
        in capsys.readouterr().out
    )
    assert before == {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in Path("runs/001").iterdir()
    }


def test_resuming_a_finished_run_writes_a_report_that_is_missing(trained, capsys):
    report = Path("runs/001/report.html").read_bytes()
    Path("runs/001/report.html").unlink()
    assert main(["train", "--resume", "runs/001"]) == 0
    assert "Wrote runs/001/report.html" in capsys.readouterr().out
    assert Path("runs/001/report.html").read_bytes() == report


@pytest.mark.parametrize(
    "option",
    [
        ("--lr", "0.5"),
        ("--hidden", "9"),
        ("--seed", "3"),
        ("--latent", "4"),
        ("--epochs", "1"),
        ("--samples", "2"),
        ("--decay-epochs", "1"),
        ("--out", "x"),
        ("--preset", "burda"),
    ],
)
def test_resume_refuses_what_contradicts_the_run_by_name(trained, error_line, option):
    assert main(["train", "--resume", "runs/001", *option]) == 2
    assert option[0] in error_line()


def test_resume_accepts_options_that_agree_with_the_run(trained):
    assert (
        main(
            [
                "train",
                "--resume",
                "runs/001",
                "--hidden",
                "8",
                "--lr",
                "0.001",
                "--quiet",
            ]
        )
        == 0
    )


def test_resume_refuses_a_copy_beside_the_checkpoint(trained, error_line):
    """A run continues where its checkpoint is: from a copy it would overwrite the files
    of the original.
    """
    Path("runs/001/epoch2.npz").write_bytes(
        Path("runs/001/checkpoint.npz").read_bytes()
    )
    before = {path: path.read_bytes() for path in Path("runs/001").iterdir()}
    assert main(["train", "--resume", "runs/001/epoch2.npz", "--epochs", "3"]) == 2
    assert (
        "--resume runs/001/epoch2.npz: must be the directory of a run, or its checkpoint.npz"
        in error_line()
    )
    assert before == {path: path.read_bytes() for path in Path("runs/001").iterdir()}
    assert (
        main(
            ["train", "--resume", "runs/001/checkpoint.npz", "--epochs", "3", "--quiet"]
        )
        == 0
    )


def test_resume_refuses_other_data(train, tiny_directory, error_line):
    train("--quiet")
    path = tiny_directory / "t10k-images-idx3-ubyte.gz"
    images = read_idx(path)
    images[3, 2, 1] ^= 1
    write_idx(path, images)
    assert main(["train", "--resume", "runs/001", "--epochs", "3"]) == 2
    assert "not the data that runs/001 was trained on" in error_line()


def test_a_run_whose_data_has_moved_knows_the_new_place(
    train, tiny_directory, error_line
):
    assert train("--quiet") == 0
    moved = tiny_directory.rename("moved")
    assert main(["train", "--resume", "runs/001", "--epochs", "3"]) == 2
    assert "no such file or directory; runs/001 was trained on" in error_line()
    assert (
        main(
            [
                "train",
                "--resume",
                "runs/001",
                "--epochs",
                "3",
                "--data",
                str(moved),
                "--quiet",
            ]
        )
        == 0
    )
    report = Path("runs/001/report.html").read_text("utf-8")
    assert f"--data {moved.absolute()}" in report
    assert main(["report", "runs/001"]) == 0


def test_a_schedule_is_defined_for_its_number_of_epochs(train, error_line):
    train("--quiet", "--decay-epochs", "1")
    assert main(["train", "--resume", "runs/001", "--epochs", "3"]) == 2
    assert "the schedule of runs/001 is defined for 2" in error_line()


# Stopping


@needs_fork
@pytest.mark.parametrize(
    "number, status, processes", [(signal.SIGINT, 130, 2), (signal.SIGTERM, 143, 1)]
)
def test_a_signal_ends_the_batch_saves_and_says_how_to_resume(
    command, wait_for, tiny_directory, number, status, processes
):
    settings = [
        "--data",
        tiny_directory,
        "--hidden",
        8,
        "--latent",
        2,
        "--batch-size",
        16,
        "--epochs",
        20,
    ]
    several = ["--processes", str(processes), "--quiet"]
    assert main(["train", *map(str, settings), *several, "--out", "whole"]) == 0
    process = command(
        "train",
        *settings,
        "--processes",
        processes,
        "--out",
        "cut",
        "--log-interval",
        1,
    )
    wait_for(process, "===== Test")
    line = wait_for(process, "Train Epoch: 2")
    os.killpg(
        process.pid, number
    )  # to all processes of the group, as a terminal sends Ctrl-C
    out, err = (
        line + process.stdout.read(),
        process.stderr.read(),
    )  # communicate() leaves out what has been read ahead
    assert process.wait(timeout=300) == status
    batches, state = (
        BATCH.findall(out),
        Run.load("cut").state,
    )  # the last batch in the log is the checkpoint's
    assert (state.epoch, state.batches_done) == (
        int(batches[-1][0]),
        int(batches[-1][1]) // 16 + 1,
    )
    assert err == "numpyvae: saved; resume with `numpyvae train --resume cut`\n"
    assert main(["train", *several, "--resume", "cut"]) == 0
    assert rows("cut/log.csv") == rows("whole/log.csv") and same_arrays("cut", "whole")


@needs_fork
def test_a_killed_worker_ends_in_one_line_and_the_last_epoch_is_kept(
    command, wait_for, tiny_directory
):
    process = command(
        "train",
        "--data",
        tiny_directory,
        "--hidden",
        8,
        "--latent",
        2,
        "--epochs",
        10_000,
        "--out",
        "run",
        "--processes",
        2,
    )
    wait_for(process, "===== Test")
    wait_for(process, "Train Epoch: 2")
    (worker,) = (
        Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    )
    os.kill(int(worker), signal.SIGKILL)
    _, err = process.communicate(timeout=300)
    assert (
        process.returncode == 2
        and err.startswith("numpyvae: error: ")
        and err.count("\n") == 1
    )
    assert main(["evaluate", "run"]) == 0


def test_standard_output_closed_early_is_no_error(tiny_directory, command):
    reader, writer = os.pipe()
    process = command(
        "train",
        "--data",
        tiny_directory,
        "--hidden",
        8,
        "--latent",
        2,
        "--log-interval",
        1,
        stdout=writer,
    )
    os.close(writer)
    assert os.read(reader, 11) == b"Training on"
    os.close(reader)
    assert process.communicate(timeout=300)[1] == "" and process.returncode == 141


def test_a_run_that_diverges_leaves_a_report_that_says_so(
    train, error_line, monkeypatch
):
    begin_epoch = TrainingState.begin_epoch

    def diverge_in_the_third(state, *arguments):
        order = begin_epoch(state, *arguments)
        if state.epoch == 3:
            state.params.vector[...] = np.nan
        return order

    monkeypatch.setattr(TrainingState, "begin_epoch", diverge_in_the_third)
    assert train("--quiet", "--epochs", "4", "--processes", "1") == 2
    assert error_line() == (
        "numpyvae: error: epoch 3, batch 1: the loss is nan; a smaller learning rate may help\n"
    )
    run = Run.load("runs/001")
    assert len(run.state.history) == 2 and np.isfinite(run.state.params.vector).all()
    status = "Training failed after 2 of 4 epochs: epoch 3, batch 1: the loss is nan"
    assert status in Path("runs/001/report.html").read_text("utf-8")
    Path("runs/001/report.html").unlink()
    assert main(["report", "runs/001"]) == 0  # made again, the page still says why
    page = Path("runs/001/report.html").read_text("utf-8")
    assert (
        status in page
        and page.count("the loss is nan") == 1
        and run.conditions["processes"] == 1
    )
    monkeypatch.setattr(TrainingState, "begin_epoch", begin_epoch)
    assert main(["train", "--resume", "runs/001", "--quiet"]) == 0
    assert "failed" not in Path("runs/001/report.html").read_text("utf-8")
    assert "failure" not in Run.load("runs/001").conditions


def test_an_interrupted_run_has_a_report(command, wait_for, tiny_directory):
    process = command(
        "train",
        "--data",
        tiny_directory,
        "--hidden",
        8,
        "--latent",
        2,
        "--epochs",
        10_000,
        "--out",
        "cut",
    )
    wait_for(process, "===== Test")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=300)
    assert process.returncode == 143
    assert "Stopped after" in Path("cut/report.html").read_text("utf-8")


def wait_until_asleep(pid):
    """Return when a process has been asleep in 20 looks in a row: however busy the
    machine is, it is not running then.
    """
    asleep = 0
    while asleep < 20:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        asleep = asleep + 1 if state == "S" else 0
        time.sleep(0.02)


@needs_fork
@pytest.mark.parametrize(
    "number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_second_signal_ends_a_batch_whose_worker_is_stopped(
    command, wait_for, tiny_directory, number, status
):
    process = command(
        "train",
        "--data",
        tiny_directory,
        "--hidden",
        8,
        "--latent",
        2,
        "--epochs",
        10_000,
        "--out",
        "run",
        "--processes",
        2,
    )
    wait_for(process, "===== Test")
    (worker,) = (
        Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    )
    os.kill(int(worker), signal.SIGSTOP)
    try:
        wait_until_asleep(process.pid)  # the batch under way waits for the worker
        process.send_signal(number)
        time.sleep(StopFlag.PATIENCE + 0.5)
        process.send_signal(number)
        _, err = process.communicate(timeout=300)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(worker), signal.SIGKILL)
    assert process.returncode == status
    assert (
        err
        == "numpyvae: stopped; the last checkpoint is intact; resume with `numpyvae train --resume run`\n"
    )
    assert Run.load("run").state.history


def test_many_signals_at_once_are_one(command, wait_for, tiny_directory):
    process = command(
        "train",
        "--data",
        tiny_directory,
        "--hidden",
        8,
        "--latent",
        2,
        "--epochs",
        10_000,
        "--out",
        "run",
    )
    wait_for(process, "===== Test")
    for _ in range(20):
        process.send_signal(signal.SIGINT)
        time.sleep(0.005)
    _, err = process.communicate(timeout=300)
    assert (
        err == "numpyvae: saved; resume with `numpyvae train --resume run`\n"
        and process.returncode == 130
    )


# One process per run


@pytest.fixture
def training(command, wait_for, tiny_directory):
    """A training process that has begun and does not end by itself"""
    process = command(
        "train",
        "--data",
        tiny_directory,
        "--hidden",
        8,
        "--latent",
        2,
        "--epochs",
        100_000,
        "--out",
        "run",
        "--processes",
        1,
    )
    wait_for(process, "===== Test")
    return process


def test_a_run_in_training_is_not_resumed_by_a_second_process(training, error_line):
    assert main(["train", "--resume", "run", "--epochs", "1"]) == 2
    assert (
        error_line()
        == "numpyvae: error: run: is in use by another process; wait until it has ended\n"
    )
    assert main(["evaluate", "run"]) == 0  # reading needs no lock


def test_the_lock_ends_with_the_process_however_it_ends(training):
    training.kill()
    training.wait()
    done = len(Run.load("run").state.history)
    assert main(["train", "--resume", "run", "--epochs", str(done + 1), "--quiet"]) == 0


def test_of_several_runs_with_one_out_exactly_one_trains(command, tiny_directory):
    words = [
        "train",
        "--data",
        tiny_directory,
        "--hidden",
        8,
        "--latent",
        2,
        "--epochs",
        1,
        "--out",
        "run",
        "--quiet",
    ]
    Path("run").mkdir()  # empty, which is allowed
    processes = [command(*words) for _ in range(4)]
    errors = [process.communicate(timeout=300)[1] for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 2, 2, 2]
    assert all(
        "is not empty" in error or "in use" in error for error in errors if error
    )
    assert len(Run.load("run").state.history) == 1


# Conditions


def test_the_conditions_are_part_of_the_run_and_changes_are_named(train, capsys):
    train("--quiet", "--processes", "1", "--epochs", "1")
    run = Run.load("runs/001")
    assert (
        run.conditions["processes"] == 1 and run.conditions["numpy"] == np.__version__
    )
    capsys.readouterr()
    assert (
        main(["train", "--resume", "runs/001", "--epochs", "2", "--quiet"]) == 0
    )  # the recorded number, on any machine
    assert (
        capsys.readouterr().err == ""
        and Run.load("runs/001").conditions["processes"] == 1
    )
    run = Run.load("runs/001")
    run.conditions |= {"numpy": "1.0", "cpu_features": ["MMX"]}
    run.save()
    assert main(["train", "--resume", "runs/001", "--epochs", "3", "--quiet"]) == 0
    error = capsys.readouterr().err
    assert error.startswith(
        "numpyvae: results can differ in their last digits from an uninterrupted run: "
    )
    assert (
        f"numpy 1.0 -> {np.__version__}" in error
        and "cpu_features MMX -> " in error
        and error.count("\n") == 1
    )


@needs_fork
def test_another_number_of_processes_is_named_when_it_is_asked_for(train, capsys):
    train("--quiet", "--processes", "1", "--epochs", "1")
    assert (
        main(
            [
                "train",
                "--resume",
                "runs/001",
                "--epochs",
                "2",
                "--quiet",
                "--processes",
                "2",
            ]
        )
        == 0
    )
    assert "uninterrupted run: processes 1 -> 2\n" in capsys.readouterr().err
    assert Run.load("runs/001").conditions["processes"] == 2


def test_training_with_a_learners_functions_says_whose_they_are(
    tmp_path, tiny_directory, capsys
):
    own = tmp_path / "own.py"
    own.write_text("def linear(x, W, b):\n    y = x @ W + b\n    return y, (x, W)\n")
    common = [
        "train",
        "--data",
        str(tiny_directory),
        "--epochs",
        "1",
        "--processes",
        "1",
    ]
    assert main([*common, "--out", str(tmp_path / "a"), "--functions", str(own)]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == "1 function of yours: linear; the other 48 are the package's"
    assert main([*common, "--out", str(tmp_path / "b")]) == 0
    assert (
        rest[:-1] == capsys.readouterr().out.splitlines()[:-1]
    )  # the last line names the directory


def test_training_refuses_a_learners_function_that_is_wrong(
    tmp_path, tiny_directory, capsys
):
    own = tmp_path / "own.py"
    own.write_text("def linear(x, W, b):\n    return x @ W - b, (x, W)\n")
    assert (
        main(
            [
                "train",
                "--data",
                str(tiny_directory),
                "--out",
                str(tmp_path / "a"),
                "--functions",
                str(own),
            ]
        )
        == 2
    )
    assert "linear" in capsys.readouterr().err and not (tmp_path / "a").exists()


def test_too_many_processes_leave_no_run_behind(error_line):
    assert main(["train", "--processes", "1000"]) == 2
    assert (
        "processes must be 64 or fewer, not 1000" in error_line()
        and not Path("runs").exists()
    )


@needs_fork
def test_a_batch_larger_than_any_memory_is_all_images(train):
    train("--quiet", "--batch-size", str(10**20), "--epochs", "1", "--processes", "2")
    assert Run.load("runs/001").state.batches_done == 1


# What a received run asks for, and whose functions it was trained with


def test_a_received_run_starts_no_more_processes_than_there_are_cores(
    train, monkeypatch, capsys
):
    train("--quiet", "--epochs", "1")
    received = Run.load("runs/001")
    received.conditions["processes"] = 64
    received.save()
    monkeypatch.setattr("numpyvae.training.parallel.cores.available_cores", lambda: 1)
    started = []
    monkeypatch.setattr(
        "numpyvae.training.parallel.processes.os.fork", lambda: started.append(1)
    )
    assert main(["train", "--resume", "runs/001", "--epochs", "2", "--quiet"]) == 0
    assert "processes 64 -> 1" in capsys.readouterr().err and not started
    assert Run.load("runs/001").conditions["processes"] == 1


def test_the_functions_of_a_run_are_part_of_its_record(train, capsys):
    """Trained with a learner's function, then resumed without it"""
    Path("mine.py").write_text(
        "import numpy as np\n\n\ndef relu(x):\n    y = np.maximum(x, 0)\n    return y, y\n"
    )
    assert train("--functions", "mine.py", "--epochs", "1", "--quiet") == 0
    assert "1 function of yours: relu" in Run.load("runs/001").conditions["functions"]
    capsys.readouterr()
    assert main(["train", "--resume", "runs/001", "--epochs", "2", "--quiet"]) == 0
    line = capsys.readouterr().err
    assert "results can differ" in line and "functions: 1 function of yours" in line
    assert "-> the package's" in line and line.count("\n") == 1
    assert "functions" not in Run.load("runs/001").conditions


def test_an_output_that_was_killed_before_its_first_checkpoint_is_accepted(
    train, error_line
):
    Path("killed").mkdir()
    Path("killed/.checkpoint.npz.0123456789abcdef.tmp").write_bytes(b"PK")
    assert main(["train", "--resume", "killed"]) == 2
    assert "killed: has no checkpoint yet; begin with --out killed" in error_line()
    assert train("--quiet", "--epochs", "1", "--out", "killed") == 0
    assert main(["train", "--resume", "killed", "--epochs", "2", "--quiet"]) == 0
