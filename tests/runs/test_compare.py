"""Runs side by side: groups of seeds, their means and errors, and what is said of them."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from numpyvae.cli import main
from numpyvae.data.dataset import Dataset
from numpyvae.pictures.plots import loss_floor
from numpyvae.runs.compare import compare
from numpyvae.runs.run import Run
from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training.evaluation import evaluate
from numpyvae.training.loop import train
from numpyvae.training.state import initial_state
from tests.pictures import reading
from tests.runs.test_report import Page


@pytest.fixture(scope="module")
def trained(tiny):
    """Makes the runs of a sweep: two sizes, the seeds 1 and 2 of one, and 1 of the
    other
    """
    data = Dataset.of(*tiny)
    runs = {}
    for latent, seed in ((2, 1), (2, 2), (3, 1)):
        config = VAEConfig(input_dim=30, hidden_dims=(8,), latent_dim=latent)
        options = TrainingOptions(epochs=3, batch_size=16, seed=seed)
        state = initial_state(tiny[0], config, options)
        train(*tiny, config, options, state=state, processes=1)
        runs[f"{latent}-{seed}"] = Run(None, config, options, data, state)
    return runs


@pytest.fixture
def saved(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, run in trained.items():
        replace(run).save(name)
    return list(trained)


def losses(runs, epoch=-1):
    return np.array([run.state.history[epoch]["test_loss"] for run in runs])


def group_of(compared, latent):
    return next(g for g in compared.groups if g.settings["latent_dim"] == latent)


def test_seeds_of_one_setting_are_a_group_with_its_mean_and_error(saved, trained):
    compared = compare(saved)
    assert len(compared.groups) == 2
    pair, single = group_of(compared, 2), group_of(compared, 3)
    assert pair.runs == ("2-1", "2-2") and pair.seeds == (1, 2)
    assert pair.settings == {"latent_dim": 2} and pair.label == "latent 2"
    values = losses([trained["2-1"], trained["2-2"]])
    assert pair.loss.mean == pytest.approx(values.mean(), rel=1e-12)
    # The standard error of two values is half their distance.
    assert pair.loss.error == pytest.approx(abs(values[0] - values[1]) / 2, rel=1e-12)
    assert single.loss.mean == losses([trained["3-1"]])[0] and single.loss.error is None


def test_the_best_test_loss_comes_first(saved):
    found = [group.loss.mean for group in compare(saved).groups]
    assert found == sorted(found)


def test_curves_lie_over_each_other_with_a_band_of_one_standard_deviation(
    saved, trained
):
    compared = compare(saved)
    page = Page(compared.html())
    plot = page.plots("Test loss")[0]
    pair = group_of(compared, 2)
    assert list(reading.legend(plot)) == [group.label for group in compared.groups]
    (band,) = reading.elements(plot, "polygon", "band")
    corners = np.array([c.split(",") for c in band.get("points").split()], float)
    by_epoch = [losses([trained["2-1"], trained["2-2"]], e) for e in range(3)]
    means = np.array([values.mean() for values in by_epoch])
    # Of two values the standard deviation is their distance over the root of 2.
    sds = np.array([abs(np.diff(values)[0]) / math.sqrt(2) for values in by_epoch])
    assert np.allclose(pair.curve, [means, sds], rtol=1e-12)
    y = reading.reader(plot, "y")  # three epochs: an even axis
    assert y(corners[:3, 1]) == pytest.approx(means - sds, abs=0.05)
    assert y(corners[:2:-1, 1]) == pytest.approx(means + sds, abs=0.05)
    assert loss_floor([means]) is None


def test_log_p_is_that_of_evaluate(saved, trained, tiny):
    run = trained["3-1"]
    compared = compare([run], importance_samples=4)
    expected = evaluate(
        run.state.params, tiny[1], run.config, "none", np.random.default_rng(0), 4
    )
    (group,) = compared.groups
    assert group.log_px.mean == expected["log_marginal"]
    assert group.log_px.error == expected["log_marginal_se"]
    shown = Page(compared.html()).sections["log p(x)"]
    assert (
        f"{group.log_px.mean:.2f} ± {group.log_px.error:.2f}".replace("-", "−") in shown
    )


def test_the_command_prints_a_table_and_writes_the_page(saved, capsys):
    assert main(["compare", *saved, "--out", "pages/sweep.html"]) == 0
    heads, *rows, last = capsys.readouterr().out.splitlines()
    assert heads.split()[:4] == ["setting", "runs", "test", "loss"]
    assert {re.split("  +", row)[0] for row in rows} == {"latent 2", "latent 3"}
    assert last == "Wrote pages/sweep.html"
    page = Page(Path("pages/sweep.html").read_text("utf-8"))
    assert "script" not in page.tags and all(a.startswith("data:") for a in page.links)
    assert set(page.sections) == {"Test loss", "Groups", "The bound", "Runs"}


def test_the_commands_json_is_the_record(saved, capsys):
    assert main(["compare", *saved, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed.pop("page") == "compare.html"
    assert printed == json.loads(json.dumps(compare(saved).record()))
    assert printed["groups"][0]["test_loss_se"] is None or printed["groups"][0]["seeds"]


def test_what_does_not_compare_is_said(trained):
    run = trained["2-1"]
    other = replace(run, source=replace(run.source, digest="0" * 64))
    stopped = replace(run, options=replace(run.options, epochs=9, binarize="dynamic"))
    text = " ".join(compare([run, other, stopped]).warnings)
    assert "different data" in text and "binarize (dynamic, none)" in text
    assert "Not trained to the end" in text
    assert compare([run]).warnings == ()


def test_runs_of_the_same_settings_on_other_data_are_told_apart(trained, tmp_path):
    run = trained["2-1"]
    other = replace(run, source=replace(run.source, digest="0" * 64))
    run.directory, other.directory = tmp_path / "a", tmp_path / "b"
    try:
        labels = [group.label for group in compare([run, other]).groups]
    finally:
        run.directory = None
    assert len(set(labels)) == 2


def test_a_run_without_test_images_has_no_test_loss(trained):
    run = trained["3-1"]
    history = [
        {**row, "test_loss": math.nan, "kl": math.nan, "active_units": 0}
        for row in run.state.history
    ]
    untested = replace(run, state=replace(run.state, history=history))
    compared = compare([untested])
    assert compared.groups[0].loss is None and "nan" not in compared.table()
    assert "Test loss" not in Page(compared.html()).sections


def test_no_run_and_a_run_twice_are_refused(saved, capsys):
    with pytest.raises(ValueError, match="no run to compare"):
        compare([])
    assert main(["compare", "2-1", "2-1"]) == 2
    assert capsys.readouterr().err == "numpyvae: error: 2-1 is given twice\n"


def test_a_notebook_shows_the_page(trained):
    shown = compare([trained["3-1"]])._repr_html_()
    assert shown.startswith("<iframe srcdoc=") and "&lt;!DOCTYPE html&gt;" in shown
