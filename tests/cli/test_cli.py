"""True statements about the command line, as a person or a script meets it."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from numpyvae.runs import checkpoint
from numpyvae.cli import main

BATCH = re.compile(r"Train Epoch: (\d+) \[(\d+)/(\d+) \((\d+)%\)\]\tLoss: (\d+\.\d{6})")
EPOCH = re.compile(r"===== Epoch: (\d+) Average loss: (\d+\.\d{4}) =====")
TEST = re.compile(r"===== Test set loss: (\d+\.\d{4}) \(reconstruction (\d+\.\d{4}), KL (\d+\.\d{4})\) =====")
needs_fork = pytest.mark.skipif(sys.platform != "linux", reason="two processes are for Linux")
FILES = {"checkpoint.npz", "curve.svg", "log.csv", "reconstructions.png", "report.html", "samples.png"}


@pytest.fixture(autouse=True)
def a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NUMPYVAE_DATA", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(checkpoint.__file__).parents[2]))  # for processes that a test starts


@pytest.fixture
def train(tiny_directory):
    """Train on the tiny data set, quickly; returns the exit status."""
    def run(*options):
        return main(["train", "--data", str(tiny_directory), "--hidden", "8", "--latent", "2", "--batch-size", "16",
                     "--log-interval", "3", "--epochs", "2", *options])
    return run


def error_line(capsys):
    """The one line on standard error, all that a user's mistake may print."""
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and captured.err.startswith("numpyvae: error: "), captured.err
    return captured.err


def test_the_log_has_the_format_that_scripts_parse(train, capsys):
    assert train() == 0
    _, *lines, last = capsys.readouterr().out.splitlines()
    assert last == "Wrote runs/001: report.html, samples.png, reconstructions.png, curve.svg, log.csv, checkpoint.npz"
    for epoch in (1, 2):
        batches, (average, test), lines = lines[:3], lines[3:5], lines[5:]
        found = [BATCH.fullmatch(line).groups()[:4] for line in batches]
        assert found == [(str(epoch), "0", "110", "0"), (str(epoch), "48", "110", "43"), (str(epoch), "96", "110", "86")]
        assert EPOCH.fullmatch(average)[1] == str(epoch)
        loss, reconstruction, kl = map(float, TEST.fullmatch(test).groups())
        assert abs(loss - reconstruction - kl) < 1.5e-4  # three roundings of half a last digit
    assert not lines


def test_a_run_leaves_its_six_files_and_never_touches_another(train):
    train(), train()
    assert {path.name for path in Path("runs").iterdir()} == {"001", "002"}
    for run in Path("runs").iterdir():
        assert {path.name for path in run.iterdir()} == FILES
    with open("runs/001/log.csv") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", "train_loss", "test_loss", "reconstruction", "kl", "seconds"]
    assert [row["epoch"] for row in rows] == ["1", "2"]


def test_two_runs_of_one_seed_give_the_same_pictures_and_parameters(train):
    train("--out", "a"), train("--out", "b"), train("--out", "c", "--seed", "2")
    for name in ("samples.png", "reconstructions.png"):
        assert Path("a", name).read_bytes() == Path("b", name).read_bytes() != Path("c", name).read_bytes()
    (a, _), (b, _) = checkpoint.load("a/checkpoint.npz"), checkpoint.load("b/checkpoint.npz")
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_out_must_be_new_or_empty(train, capsys):
    Path("full").mkdir()
    Path("full/precious").write_text("x")
    assert train("--out", "full") == 2
    assert "full is not empty" in error_line(capsys)
    assert [path.name for path in Path("full").iterdir()] == ["precious"]


def test_quiet_prints_nothing(train, capsys):
    assert train("--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_hidden_takes_any_number_of_sizes_none_included(train, tiny_directory):
    assert train("--hidden", "7", "5", "--out", "two") == 0
    assert main(["train", "--data", str(tiny_directory), "--epochs", "1", "--out", "none", "--hidden"]) == 0
    assert checkpoint.load("two/checkpoint.npz")[1]["config"]["hidden"] == [7, 5]
    assert checkpoint.load("none/checkpoint.npz")[1]["config"]["hidden"] == []


@pytest.mark.parametrize("options", [("--activation", "tanh"), ("--samples", "3"), ("--objective", "iwae", "--samples", "5"),
                                     ("--likelihood", "normal"), ("--likelihood", "normal", "--logvar-x", "-2"),
                                     ("--beta", "0.5"), ("--binarize", "threshold"), ("--preset", "burda")])
def test_every_kind_of_model_trains_scores_and_draws(train, tiny_directory, capsys, options):
    assert train(*options) == 0
    capsys.readouterr()
    assert main(["evaluate", "runs/001", "--data", str(tiny_directory), "--importance-samples", "10", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert list(result) == ["elbo", "reconstruction", "kl", "active_units", "log_marginal", "log_marginal_se",
                            "importance_samples", "images", "binarization", "data"]
    assert result["elbo"] == pytest.approx(result["reconstruction"] - result["kl"], rel=1e-12)
    assert result["log_marginal"] > result["elbo"] and result["images"] == 24
    assert main(["sample", "runs/001", "--out", "drawn.png"]) == 0


def test_a_preset_says_what_it_sets_and_gives_way_to_options(train, capsys):
    assert train("--preset", "burda") == 0
    assert "Preset burda: hidden (200, 200), latent 50" not in capsys.readouterr().out  # overridden: 8 and 2
    config = checkpoint.load("runs/001/checkpoint.npz")[1]
    assert config["config"]["hidden"] == [8] and config["options"]["binarize"] == "dynamic"


def test_beta_is_refused_with_the_importance_weighted_objective(train, capsys):
    assert train("--objective", "iwae", "--beta", "0.5") == 2
    assert "beta" in error_line(capsys) and not Path("runs").exists()


@pytest.mark.parametrize("kind", [(), ("--reconstruct",), ("--manifold",), ("--interpolate",)])
def test_samples_of_every_kind(train, tiny_directory, capsys, kind):
    train("--quiet")
    data = [] if kind in ((), ("--manifold",)) else ["--data", str(tiny_directory)]
    assert main(["sample", "runs/001", "--out", "drawn.png", *kind, *data]) == 0
    assert capsys.readouterr().out.startswith("Wrote drawn.png: ")
    assert Path("drawn.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("arguments, words", [
    (["train", "--data", "nowhere"], "nowhere: no such directory"),
    (["train", "--epoch", "3"], "--epoch"),
    (["train", "--epochs", "many"], "--epochs"),
    (["train", "--epochs", "0"], "epochs must be a whole number, 1 or above"),
    (["train", "--lr", "nan"], "lr must be a finite number"),
    (["train", "--activation", "gelu"], "--activation"),
    (["train", "--latent", "0"], "latent must be"),
    (["train", "--log-interval", "0"], "--log-interval must be 1 or above"),
    (["train", "--resume", "runs/009"], "runs/009"),
    (["evaluate", "missing.npz"], "missing.npz"),
    (["sample", "missing.npz", "--out", "x.png"], "missing.npz"),
    (["download", "--mirror", "ftp://example.org/"], "ftp://example.org/: a mirror is an https:// address"),
    (["mdp", "--gamma", "1"], "gamma is 1.0"),
    (["mdp", "--gamma", "-0.1"], "gamma is -0.1"),
    (["mdp", "--out", "no/such/folder/chain.svg"], "no/such/folder"),
    (["traim"], "traim"),
    ([], "COMMAND"),
])
def test_a_mistake_ends_in_one_line_and_status_2(arguments, words, tiny_directory, monkeypatch, capsys):
    monkeypatch.setenv("NUMPYVAE_DATA", str(tiny_directory))
    assert main(arguments) == 2
    assert words in error_line(capsys)
    assert not Path("runs").exists()


def test_a_truncated_data_file_is_named(train, tiny_directory, capsys):
    path = tiny_directory / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    assert train() == 2
    assert "train-images-idx3-ubyte.gz" in error_line(capsys) and not Path("runs").exists()


def test_no_data_says_how_to_get_it(capsys):
    assert main(["train"]) == 2
    assert "download" in error_line(capsys)


def test_an_output_that_cannot_be_written_is_named(train, capsys):
    Path("file").write_text("in the way")
    assert train("--out", "file/run") == 2
    assert "file" in error_line(capsys)


def test_data_of_another_size_than_the_models_is_refused(train, tmp_path, capsys):
    from numpyvae.data.idx import write_idx

    train("--quiet")
    Path("other").mkdir()
    for name, shape in (("train-images-idx3-ubyte", (4, 3, 3)), ("train-labels-idx1-ubyte", (4,)),
                        ("t10k-images-idx3-ubyte", (4, 3, 3)), ("t10k-labels-idx1-ubyte", (4,))):
        write_idx(Path("other", name), np.zeros(shape, np.uint8))
    assert main(["evaluate", "runs/001", "--data", "other"]) == 2
    assert "9 pixels" in error_line(capsys)


def test_gradcheck_prints_a_row_a_gradient_and_one_json_object(capsys):
    assert main(["gradcheck"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert main(["gradcheck", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["ok"] is True and result["worst"] <= 1e-14 and len(result["rows"]) >= 50
    assert set(result["rows"][0]) == {"configuration", "name", "complex_step", "worst_entry", "central_difference"}
    assert rows[-1] == f"{len(result['rows'])} of {len(result['rows'])} gradients correct"


def test_gradcheck_exits_with_1_when_a_gradient_is_wrong(monkeypatch, capsys):
    from numpyvae.vae.objectives import OBJECTIVES

    forward, backward = OBJECTIVES["iwae"]

    def wrong(cache):
        grads = backward(cache)
        grads["decoder.0.b"][...] *= 1 + 1e-6
        return grads

    monkeypatch.setitem(OBJECTIVES, "iwae", (forward, wrong))
    assert main(["gradcheck", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_mdp_prints_json_with_the_values_of_the_assignment(capsys):
    assert main(["mdp", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert set(result) == {"states", "discounts", "cross", "switches"} and result["states"] == [-1, 0, 1, 2]
    short, long = result["discounts"]
    assert (short["gamma"], short["policy"]) == (0.1, ["-", "-", "+", "+"])
    assert (long["gamma"], long["policy"]) == (0.99, ["-", "+", "+", "+"])
    assert long["values"] == pytest.approx([99.00670011, 98.99666678, 99.99663311, 101.00670011], abs=5e-9)  # as printed
    assert result["cross"]["values"] == pytest.approx([50.25125628, 49.74874372, 51.72874372, 52.25125628], abs=5e-9)
    assert result["switches"] == pytest.approx([(3**0.5 - 1) / 2], abs=1e-12)


def test_mdp_draws_into_a_file_and_keeps_standard_output_for_the_figures(capsys):
    assert main(["mdp", "--gamma", "0.5", "--json", "--out", "chain.svg"]) == 0
    assert json.loads(capsys.readouterr().out) and Path("chain.svg").read_text().startswith("<svg")


def without_seconds(path):
    return [line.rsplit(",", 1)[0] for line in Path(path).read_text().splitlines()]


def test_a_finished_run_resumed_with_more_epochs_is_the_longer_run(train, tiny_directory):
    train("--out", "short"), train("--out", "long", "--epochs", "4")
    assert main(["train", "--resume", "short", "--epochs", "4"]) == 0
    assert without_seconds("short/log.csv") == without_seconds("long/log.csv")
    (a, _), (b, _) = checkpoint.load("short/checkpoint.npz"), checkpoint.load("long/checkpoint.npz")
    assert all(np.array_equal(a[name], b[name]) for name in b)
    assert Path("short/samples.png").read_bytes() == Path("long/samples.png").read_bytes()


def test_resuming_a_finished_run_says_so_and_changes_nothing(train, capsys):
    train("--quiet")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in Path("runs/001").iterdir()}
    assert main(["train", "--resume", "runs/001"]) == 0
    assert "has all of its 2 epochs" in capsys.readouterr().out
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in Path("runs/001").iterdir()}


@pytest.mark.parametrize("option", [("--lr", "0.5"), ("--hidden", "9"), ("--seed", "3"), ("--latent", "4"), ("--epochs", "1")])
def test_resume_refuses_what_contradicts_the_run_by_name(train, capsys, option):
    train("--quiet")
    assert main(["train", "--resume", "runs/001", *option]) == 2
    assert option[0] in error_line(capsys)


def test_resume_refuses_other_data(train, tiny_directory, capsys):
    train("--quiet")
    path = tiny_directory / "t10k-images-idx3-ubyte.gz"
    from numpyvae.data.idx import read_idx, write_idx
    images = read_idx(path)
    images[3, 2, 1] ^= 1
    write_idx(path, images)
    assert main(["train", "--resume", "runs/001", "--epochs", "3"]) == 2
    assert "not what runs/001 was trained on" in error_line(capsys)


def test_a_run_whose_data_has_moved_is_resumed_to_its_end_and_knows_the_new_place(train, tiny_directory):
    assert train() == 0
    moved = tiny_directory.rename("moved")
    assert main(["train", "--resume", "runs/001", "--epochs", "3", "--data", str(moved)]) == 0
    assert "--data moved" in Path("runs/001/report.html").read_text("utf-8")
    assert main(["report", "runs/001"]) == 0


@pytest.fixture
def command():
    """Training as a process of its own, and of its own group, as a terminal starts it"""
    def run(*options):
        return subprocess.Popen([sys.executable, "-m", "numpyvae", "train", *map(str, options)], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    return run


def wait_for(process, beginning):
    return next(line for line in process.stdout if line.startswith(beginning))


@needs_fork
@pytest.mark.parametrize("number, status, processes", [(signal.SIGINT, 130, 2), (signal.SIGTERM, 143, 1)])
def test_a_signal_finishes_the_batch_saves_and_says_how_to_go_on(command, tiny_directory, number, status, processes):
    settings = ["--data", tiny_directory, "--hidden", 8, "--latent", 2, "--batch-size", 16, "--epochs", 40]
    command(*settings, "--processes", processes, "--out", "whole").communicate(timeout=60)
    process = command(*settings, "--processes", processes, "--out", "cut")
    wait_for(process, "===== Test")
    os.killpg(process.pid, number)  # to both, as a terminal sends Ctrl-C
    _, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert err == f"numpyvae: stopped and saved; go on with `numpyvae train --resume cut --processes {processes}`\n"
    command("--processes", processes, "--resume", "cut").communicate(timeout=60)
    assert without_seconds("cut/log.csv") == without_seconds("whole/log.csv")
    (a, _), (b, _) = checkpoint.load("cut/checkpoint.npz"), checkpoint.load("whole/checkpoint.npz")
    assert all(np.array_equal(a[name], b[name]) for name in b)


@needs_fork
def test_a_second_process_that_is_killed_ends_in_one_line_and_the_last_epoch_is_kept(command, tiny_directory):
    process = command("--data", tiny_directory, "--hidden", 8, "--latent", 2, "--epochs", 10_000, "--out", "run", "--processes", 2)
    wait_for(process, "===== Test")
    wait_for(process, "Train Epoch: 2")
    (second,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(second), signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2 and err.startswith("numpyvae: error: the second process is gone") and err.count("\n") == 1
    assert main(["evaluate", "run", "--data", str(tiny_directory)]) == 0


@pytest.mark.parametrize("cores, platform, before, found", [
    (1, "linux", "", (1, None)), (2, "linux", "", (2, "1")), (8, "linux", "", (2, "4")), (5, "linux", "", (2, "2")),
    (2, "darwin", "", (1, None)), (2, "linux", "import numpy", (1, None)),
    (2, "linux", "os.environ['OMP_NUM_THREADS'] = '7'", (2, "7"))])
def test_two_processes_train_where_each_has_a_core_and_blas_can_still_be_told(cores, platform, before, found):
    code = (f"import os, sys\nos.sched_getaffinity = lambda process: range({cores})\nsys.platform = {platform!r}\n{before}\n"
            "from numpyvae.cli.train import share_out\nprint((share_out(None), os.environ.get('OMP_NUM_THREADS')))")
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == repr(found)


def test_how_many_processes_is_one_or_two(train, capsys):
    assert train("--processes", "3") == 2
    assert "--processes" in error_line(capsys)


def test_a_terminal_without_unicode_is_no_error():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-m", "numpyvae", "mdp"], capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and done.stderr == "" and "gamma* = 0.36602540378444 = (?3 - 1)/2" in done.stdout


def test_nobody_reading_the_log_is_no_error(tiny_directory):
    command = f"{sys.executable} -m numpyvae train --data {tiny_directory} --hidden 8 --latent 2 --log-interval 1 | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.stderr == "" and done.stdout.startswith("Training on ")
