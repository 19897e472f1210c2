"""evaluate, sample, report, gradcheck, mdp: what each prints and writes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from numpyvae.cli import main
from numpyvae.data.idx import read_idx, write_idx
from numpyvae.data.pixels import to_input
from numpyvae.data.sources.png import read_png
from numpyvae.runs.run import Run
from numpyvae.vae import encode, gradcheck_cases

KEYS = [
    "elbo",
    "reconstruction",
    "kl",
    "active_units",
    "log_marginal",
    "log_marginal_se",
    "effective_sample_size",
    "importance_samples",
    "images",
    "data",
    "binarization",
]


def write_other_data(directory, shape=(4, 6, 5)):
    """IDX files of other images"""
    Path(directory).mkdir()
    rng = np.random.default_rng(3)
    for split in ("train", "t10k"):
        write_idx(
            Path(directory, f"{split}-images-idx3-ubyte"),
            rng.integers(0, 256, shape, dtype=np.uint8),
        )
        write_idx(
            Path(directory, f"{split}-labels-idx1-ubyte"), np.zeros(shape[0], np.uint8)
        )
    return directory


@pytest.fixture
def evaluate(capsys):
    """The JSON object of evaluate runs/001"""

    def run(*options):
        capsys.readouterr()
        assert main(["evaluate", "runs/001", "--json", *options]) == 0
        return json.loads(capsys.readouterr().out)

    return run


# evaluate


@pytest.mark.parametrize(
    "options",
    [
        ("--activation", "tanh"),
        ("--samples", "3"),
        ("--objective", "iwae", "--samples", "5"),
        ("--likelihood", "normal"),
        ("--likelihood", "normal", "--logvar-x", "-2"),
        ("--beta", "0.5"),
        ("--binarize", "threshold"),
        ("--preset", "burda"),
    ],
)
def test_every_kind_of_model_trains_is_evaluated_and_sampled(train, evaluate, options):
    assert train(*options) == 0
    result = evaluate("--importance-samples", "10")
    assert (
        set(KEYS) <= set(result)
        and result["images"] == 24
        and result["importance_samples"] == 10
    )
    assert result["elbo"] == pytest.approx(
        -(result["reconstruction"] + result["kl"]), rel=1e-12
    )
    assert result["log_marginal"] > result["elbo"] and 0 <= result["active_units"] <= 2
    assert result["binarization"] == Run.load("runs/001").options.binarize
    assert main(["sample", "runs/001", "--out", "samples.png"]) == 0


def test_the_runs_own_data_is_evaluated_whatever_else_is_there(
    train, evaluate, tiny_directory, capsys, monkeypatch
):
    """Also from another directory, though --data was relative."""
    tiny_directory.rename("own")
    assert (
        main(
            [
                "train",
                "--data",
                "own",
                "--hidden",
                "8",
                "--latent",
                "2",
                "--epochs",
                "1",
                "--quiet",
            ]
        )
        == 0
    )
    expected = evaluate()
    Path("data").mkdir()
    write_other_data("data/mnist")
    assert (
        evaluate() == expected
        and expected["data"] == "own"
        and expected["data_of_run"] is True
    )
    monkeypatch.chdir("data")
    assert main(["evaluate", "../runs/001", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["elbo"] == expected["elbo"]


def test_the_last_epochs_test_loss_is_of_the_same_kind(train, evaluate):
    """One sample of z per image each, from other generators: they agree to sampling
    error.
    """
    train("--quiet", "--epochs", "30")
    row = Run.load("runs/001").state.history[-1]
    result = evaluate()
    assert result["reconstruction"] == pytest.approx(
        row["reconstruction"], abs=0.5
    )  # 24 images, some nats each
    assert result["kl"] == pytest.approx(row["kl"], rel=1e-6)  # has no noise


def test_other_data_is_named_as_such(trained, evaluate, capsys):
    own, other = evaluate(), evaluate("--data", write_other_data("other"))
    assert (
        other["data"] == "other"
        and other["data_of_run"] is False
        and other["elbo"] != own["elbo"]
    )
    assert main(["evaluate", "runs/001", "--data", "other"]) == 0
    assert "not the data that runs/001 was trained on" in capsys.readouterr().out


def test_the_same_data_elsewhere_is_the_runs_data(train, evaluate, tiny_directory):
    train("--quiet")
    own = evaluate()
    tiny_directory.rename("moved")
    assert evaluate("--data", "moved") == {**own, "data": "moved"}


def test_data_that_is_gone_is_named(train, tiny_directory, error_line):
    train("--quiet")
    tiny_directory.rename("moved")
    assert main(["evaluate", "runs/001"]) == 2
    assert "tiny: no such file or directory; runs/001 was trained on" in error_line()


@pytest.mark.parametrize("shape", [(4, 3, 3), (4, 5, 6)])
def test_images_of_another_shape_are_refused(trained, error_line, shape):
    write_other_data("other", shape)
    assert main(["evaluate", "runs/001", "--data", "other"]) == 2
    assert (
        f"images have {shape[1]} x {shape[2]} pixels, the model in runs/001 has 6 x 5 pixels"
        in error_line()
    )


def test_the_seed_decides_the_estimate(train, evaluate):
    train("--quiet", "--binarize", "dynamic")
    first, again, other = (
        evaluate("--importance-samples", "3", "--seed", seed)
        for seed in ("1", "1", "2")
    )
    assert (
        first == again
        and first["seed"] == 1
        and first["log_marginal"] != other["log_marginal"]
        and first["elbo"] != other["elbo"]
    )


def test_evaluate_prints_what_its_json_has(trained, evaluate, capsys):
    result = evaluate("--importance-samples", "10")
    assert main(["evaluate", "runs/001", "--importance-samples", "10"]) == 0
    lines = {
        line.split("  ")[1].strip(): line.split()[len(line.split("  ")[1].split()) :]
        for line in capsys.readouterr().out.splitlines()[1:]
    }
    assert lines["ELBO"] == [f"{result['elbo']:.4f}"] and lines["reconstruction"] == [
        f"{result['reconstruction']:.4f}"
    ]
    assert lines["KL"] == [f"{result['kl']:.4f}"] and lines["active units"] == [
        str(result["active_units"]),
        "of",
        "2",
    ]
    assert lines["log p(x)"][:3] == [
        f"{result['log_marginal']:.4f}",
        "±",
        f"{result['log_marginal_se']:.4f}",
    ]


def test_one_importance_sample_has_no_standard_error(trained, evaluate, capsys):
    """From one number there is no variance: null in JSON, and no ± in the text."""
    assert evaluate("--importance-samples", "1")["log_marginal_se"] is None
    assert evaluate("--importance-samples", "2")["log_marginal_se"] > 0
    assert main(["evaluate", "runs/001", "--importance-samples", "1"]) == 0
    line = next(
        line for line in capsys.readouterr().out.splitlines() if "log p(x)" in line
    )
    assert (
        line.endswith("(1 importance sample per image)")
        and "±" not in line
        and "nan" not in line
    )


def test_an_interrupt_does_not_wait_for_the_samples(train, evaluate, command):
    """All samples are in one batch. Its processor time after the signal is compared
    with the time for all of them, which is 1,000 times that of 2,000 samples.
    """
    train("--quiet", "--hidden", "400")
    began = time.process_time()
    evaluate("--importance-samples", "2000")
    whole = 1000 * (time.process_time() - began)
    process = command("evaluate", "runs/001", "--importance-samples", "2000000")
    used = wait_until_busy(process)
    process.send_signal(signal.SIGINT)
    err = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert (process.returncode, err) == (130, "numpyvae: interrupted\n")
    assert usage.ru_utime + usage.ru_stime - used < whole / 50


def wait_until_busy(process):
    """The processor time that the process has used, as soon as it is 1.5 seconds.

    It has loaded NumPy, which takes 0.2 to 0.4, and computes.
    """
    while process.poll() is None:
        fields = (
            Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        )
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        if used > 1.5:
            return used
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="a limit on processes is Linux's")
def test_a_system_without_more_threads_evaluates_all_the_same(trained, evaluate):
    expected = evaluate("--importance-samples", "10")
    code = (
        "import threading, sys\nstart = threading.Thread.start\n"
        'def refuse(thread): raise RuntimeError("can\'t start new thread")\n'
        "threading.Thread.start = refuse\nfrom numpyvae.cli import main\nsys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            "evaluate",
            "runs/001",
            "--importance-samples",
            "10",
            "--json",
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) == expected and done.stderr == ""


# sample


@pytest.mark.parametrize(
    "kind",
    [
        (),
        ("--reconstruct",),
        ("--manifold",),
        ("--interpolate",),
        ("--traverse",),
        ("--traverse", "1"),
        ("--interpolate", "3", "7"),
    ],
)
def test_each_kind_of_sample_is_a_png(trained, capsys, kind):
    assert main(["sample", "runs/001", "--out", "images.png", *kind]) == 0
    assert capsys.readouterr().out.startswith("Wrote images.png: ")
    assert Path("images.png").read_bytes().startswith(b"\x89PNG")


def test_a_sample_is_named_after_its_kind_and_its_directory_is_made(trained, capsys):
    for kind, name in (
        ((), "samples.png"),
        (("--reconstruct",), "reconstructions.png"),
    ):
        assert main(["sample", "runs/001", *kind]) == 0
        assert capsys.readouterr().out.startswith(f"Wrote {name}: ")
    assert main(["sample", "runs/001", "--out", "new/place/a.png"]) == 0
    assert Path("new/place/a.png").read_bytes() == Path("samples.png").read_bytes()


def test_the_seed_decides_the_samples_and_the_choice_of_test_images(trained):
    for kind in ((), ("--reconstruct",), ("--interpolate",)):
        for name, seed in (("a.png", "1"), ("b.png", "1"), ("c.png", "2")):
            main(["sample", "runs/001", "--out", name, "--seed", seed, *kind])
        assert (
            Path("a.png").read_bytes()
            == Path("b.png").read_bytes()
            != Path("c.png").read_bytes()
        )


def test_count_is_the_number_of_images(trained, capsys):
    for kind, count, said in (
        ((), "5", "5 images"),
        (("--reconstruct",), "8", "16 images, 8 test images"),
        (("--reconstruct",), "5", "10 images, 5 test images"),
    ):
        assert (
            main(["sample", "runs/001", "--out", "x.png", "--count", count, *kind]) == 0
        )
        assert f"Wrote x.png: {said}" in capsys.readouterr().out


def test_a_count_that_the_manifold_cannot_keep_is_refused(trained, error_line):
    assert (
        main(["sample", "runs/001", "--out", "x.png", "--count", "5", "--manifold"])
        == 2
    )
    assert (
        "--count does not apply to --manifold" in error_line()
        and not Path("x.png").exists()
    )


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_test_images_are_reconstructed_and_interpolated(
    train, tiny_directory, error_line, capsys, count
):
    for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        write_idx(tiny_directory / name, read_idx(tiny_directory / name)[:count])
    assert train("--quiet") == 0
    assert main(["sample", "runs/001", "--out", "x.png", "--reconstruct"]) == 0
    assert main(["sample", "runs/001", "--out", "y.png", "--interpolate"]) == (
        2 if count == 1 else 0
    )
    assert count > 1 or "needs two test images" in capsys.readouterr().err


def sampled(capsys, *options):
    """(pixels, what the command printed) of sample runs/001"""
    assert main(["sample", "runs/001", "--out", "x.png", *options]) == 0
    return read_png(Path("x.png")), capsys.readouterr().out


def test_a_grid_has_its_rows_and_columns_and_the_scale_its_pixels(trained, capsys):
    """Images of 6 x 5 with 2 pixels around each."""
    for options, rows, columns, scale in (
        ((), 8, 8, 4),
        (("--grid", "3", "5"), 3, 5, 4),
        (("--count", "9"), 2, 8, 4),
        (("--grid", "1", "2", "--scale", "1"), 1, 2, 1),
        (("--scale", "3"), 8, 8, 3),
        (("--reconstruct", "--grid", "2", "6"), 4, 6, 4),
    ):
        image, _ = sampled(capsys, *options)
        assert image.shape[:2] == (scale * (2 + rows * 8), scale * (2 + columns * 7)), (
            options
        )


def test_chosen_images_are_at_the_ends_of_an_interpolation(trained, tiny, capsys):
    image, printed = sampled(capsys, "--interpolate", "3", "7", "--scale", "1")
    assert np.array_equal(image[2:8, 2:7], tiny[1][3]) and np.array_equal(
        image[2:8, -7:-2], tiny[1][7]
    )
    assert image.shape == (10, 2 + 8 * 7) and "1 time" in printed


def test_a_traversal_has_a_row_per_unit_and_active_units_first(train, capsys):
    train("--quiet", "--epochs", "20", "--lr", "0.01")
    both, printed = sampled(capsys, "--traverse", "--scale", "1")
    order = [int(unit) for unit in re.findall(r"latent units (\d), (\d)", printed)[0]]
    run = Run.load("runs/001")
    test_images = run.source.load().test_images
    mu = encode(run.state.params, to_input(test_images, "none", None), run.config)[0][0]
    assert order == np.argsort(-mu.var(axis=0)).tolist()
    chosen, _ = sampled(capsys, "--traverse", *map(str, order), "--scale", "1")
    assert np.array_equal(chosen, both) and both.shape == (2 + 2 * 8, 2 + 8 * 7)
    single, _ = sampled(capsys, "--traverse", str(order[1]), "--scale", "1")
    assert np.array_equal(single[2:8], both[10:16])


@pytest.mark.parametrize(
    "options, words",
    [
        (
            ("--interpolate", "3"),
            "--interpolate takes two numbers of test images, or none; not 1",
        ),
        (
            ("--interpolate", "3", "24"),
            "--interpolate 24: tiny has test images 0 to 23",
        ),
        (("--reconstruct", "--count", "32"), "--count 32: tiny has 24 test images"),
        (("--reconstruct", "--grid", "5", "5"), "--grid 5 5: tiny has 24 test images"),
        (
            ("--interpolate", "--count", "104"),
            "--count 104: 13 rows take 26 test images, and tiny has 24",
        ),
        (("--interpolate", "-1", "3"), "--interpolate"),
        (("--traverse", "2"), "latent unit 2 does not exist"),
        (("--count", "9", "--reconstruct"), "--count 9: must be a multiple of 8 here"),
        (("--count", "5", "--interpolate"), "multiple of 8"),
        (("--grid", "0", "3"), "argument --grid: must be an integer, 1 or more"),
        (("--scale", "0"), "argument --scale"),
        (("--grid", "2", "2", "--count", "3"), "not allowed with"),
        (("--grid", "2", "2", "--manifold"), "--grid does not apply to --manifold"),
        (("--count", "9", "--traverse", "1"), "--count does not apply to chosen"),
        (("--interpolate", "--grid", "2", "3"), "4 columns"),
    ],
)
def test_what_cannot_be_an_image_is_refused_in_one_line(
    trained, tiny_for_all, error_line, options, words
):
    assert main(["sample", "runs/001", "--out", "x.png", *options]) == 2
    error = error_line().replace(f"{tiny_for_all.parent}/", "")
    assert words in error and not Path("x.png").exists()


# report


def test_report_needs_the_data_of_the_run_and_finds_it_where_it_is_now(
    train, tiny_directory, error_line
):
    train("--quiet")
    page = Path("runs/001/report.html").read_bytes()
    assert main(["report", "runs/001", "--data", write_other_data("other")]) == 2
    assert "other: not the data that runs/001 was trained on" in error_line()
    assert Path("runs/001/report.html").read_bytes() == page
    tiny_directory.rename("moved")
    assert main(["report", "runs/001", "--data", "moved"]) == 0
    page = Path("runs/001/report.html").read_text("utf-8")
    words = re.sub("<.*?>", " ", page).split()
    assert f"--data {Path('moved').absolute()}" in " ".join(words)


# gradcheck


def test_gradcheck_prints_a_row_per_gradient_and_one_json_object(
    capsys, monkeypatch, gradient_checks
):
    monkeypatch.setattr(gradcheck_cases, "check_all", lambda: iter(gradient_checks))
    assert main(["gradcheck"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert main(["gradcheck", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (
        result["ok"] is True and result["worst"] <= 1e-14 and len(result["rows"]) >= 50
    )
    assert set(result["rows"][0]) == {
        "configuration",
        "name",
        "complex_step",
        "worst_entry",
        "central_difference",
    }
    assert str(len(result["rows"])) in rows[-1]


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


# mdp


def test_mdp_prints_json_with_the_values_of_the_assignment(capsys):
    assert main(["mdp", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert {"states", "discounts", "cross", "switches"} <= set(result) and result[
        "states"
    ] == [-1, 0, 1, 2]
    short, long = result["discounts"]
    assert (short["gamma"], short["policy"]) == (0.1, ["-", "-", "+", "+"])
    assert (long["gamma"], long["policy"]) == (0.99, ["-", "+", "+", "+"])
    assert long["values"] == pytest.approx(
        [99.00670011, 98.99666678, 99.99663311, 101.00670011], abs=5e-9
    )  # as printed
    assert result["cross"]["values"] == pytest.approx(
        [50.25125628, 49.74874372, 51.72874372, 52.25125628], abs=5e-9
    )
    assert result["switches"] == pytest.approx([(3**0.5 - 1) / 2], abs=1e-12)


def test_mdp_plots_into_a_file_and_keeps_standard_output_for_results(capsys):
    assert main(["mdp", "--gamma", "0.5", "--json", "--out", "chain.svg"]) == 0
    assert json.loads(capsys.readouterr().out) and Path(
        "chain.svg"
    ).read_text().startswith("<svg")
