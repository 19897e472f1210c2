"""A model that is told the class: trained, resumed, evaluated, sampled, fitted."""

import json
from dataclasses import replace

import numpy as np
import pytest

from numpyvae.cli import main
from numpyvae.data.dataset import Dataset
from numpyvae.estimator import VAE
from numpyvae.runs.report import report_html
from numpyvae.runs.run import Run
from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training.evaluation import accuracy, evaluate
from numpyvae.training.loop import train
from numpyvae.training.state import initial_state

CONFIG = VAEConfig(input_dim=30, hidden_dims=(12,), latent_dim=2, num_classes=6)
OPTIONS = TrainingOptions(epochs=3, batch_size=16, lr=1e-2)
WORDS = ["--hidden", "12", "--latent", "2", "--batch-size", "16", "--lr", "1e-2"]


@pytest.fixture
def data(tiny_directory):
    return Dataset.open(tiny_directory)


def trained(data, options=OPTIONS, processes=1, **more):
    labels = {"labels": data.labels, "test_labels": data.test_labels} | more
    return train(
        data.images, data.test_images, CONFIG, options, processes=processes, **labels
    )


@pytest.fixture
def run(tiny_directory, tmp_path, monkeypatch):
    """A run of six classes, trained by the command"""
    monkeypatch.chdir(tmp_path)
    words = ["train", "--data", "tiny", "--conditional", "--epochs", "3", "--quiet"]
    assert main([*words, *WORDS, "--processes", "1", "--out", "run"]) == 0
    return Run.load("run")


@pytest.mark.parametrize("objective", ["elbo", "elbo-stl", "iwae", "iwae-dreg"])
def test_each_objective_trains_and_two_processes_agree_with_one(data, objective):
    options = replace(OPTIONS, epochs=1, objective=objective, num_samples=2)
    one, two = (trained(data, options, processes) for processes in (1, 2))
    losses = [state.history[0]["train_loss"] for state in (one, two)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)  # sums of float32


def test_the_normal_likelihood_trains_as_well(data):
    config = replace(CONFIG, likelihood="normal")
    labels = {"labels": data.labels, "test_labels": data.test_labels}
    state = train(data.images, None, config, OPTIONS, processes=1, **labels)
    assert np.isfinite(state.params.vector).all()


def test_the_command_is_the_function_bit_for_bit(run):
    again = trained(Dataset.open("tiny"))
    assert np.array_equal(run.state.params.vector, again.params.vector)
    assert run.config.num_classes == 6 and "--conditional" in run.command_line()


def test_a_resumed_run_has_the_same_bits(run, capsys):
    assert main(["train", "--resume", "run", "--epochs", "5", "--quiet"]) == 0
    whole = trained(Dataset.open("tiny"), replace(OPTIONS, epochs=5))
    assert np.array_equal(Run.load("run").state.params.vector, whole.params.vector)


def test_a_warm_start_keeps_the_classes(run):
    words = ["train", "--from", "run", "--epochs", "1", "--objective", "iwae"]
    assert main([*words, "--samples", "2", "--quiet", "--out", "later"]) == 0
    assert Run.load("later").config.num_classes == 6


@pytest.mark.parametrize(
    "more, problem",
    [
        ({"labels": None}, "labels are missing: the model is told the class"),
        ({"labels": [0, 1]}, "labels must be 110 integers, one per image"),
        ({"labels": np.full(110, 6)}, "labels: image 0 has 6, but the 6 classes"),
        ({"test_labels": None}, "test_labels are missing"),
    ],
)
def test_labels_that_do_not_fit_are_refused_by_name(data, more, problem):
    with pytest.raises(ValueError, match=problem):
        trained(data, **more)


def test_labels_of_a_model_without_classes_are_refused(data):
    config = replace(CONFIG, num_classes=0)
    with pytest.raises(ValueError, match="labels are given, but the model has no"):
        train(data.images, None, config, OPTIONS, labels=data.labels)


def test_data_without_labels_cannot_be_told(tiny_directory, error_line):
    for path in tiny_directory.glob("*labels*"):
        path.unlink()
    words = ["train", "--data", str(tiny_directory), "--conditional"]
    assert main(words) == 2 and "has no labels" in error_line()


# Evaluation


def test_evaluate_says_the_bound_of_a_wrong_class_and_the_accuracy(run, capsys):
    assert main(["evaluate", "run", "--class-samples", "5", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["class_gain"] > 0.1
    p = result["accuracy"]
    assert p > 0.5  # of six classes: the bars are easy to tell apart
    assert result["accuracy_se"] == pytest.approx((p * (1 - p) / 24) ** 0.5)
    assert main(["evaluate", "run"]) == 0
    assert "gain by class" in capsys.readouterr().out


def test_a_model_that_ignores_the_class_is_recognized(run, capsys):
    params = run.state.params
    params["encoder.0.W"][30:] = 0
    params["decoder.0.W"][2:] = 0
    run.save()
    assert main(["evaluate", "run"]) == 0
    assert "the model ignores the class" in capsys.readouterr().out


def test_accuracy_is_the_fraction_of_right_classes(data):
    """A decoder that has learned each class's row exactly is right for every image."""
    state = trained(data, replace(OPTIONS, epochs=60))
    rng = np.random.default_rng(0)
    x = data.input("test", "none", rng)
    right, _ = accuracy(state.params, x, data.test_labels, CONFIG, 20, rng)
    wrong, _ = accuracy(state.params, x, (data.test_labels + 1) % 6, CONFIG, 20, rng)
    assert right > 0.9 and wrong < 0.1


def test_an_evaluation_without_labels_is_refused(data):
    state = trained(data, replace(OPTIONS, epochs=1))
    with pytest.raises(ValueError, match="labels are missing"):
        evaluate(
            state.params, data.test_images, CONFIG, "none", np.random.default_rng()
        )


# Images


@pytest.mark.parametrize(
    "words, count",
    [
        (["--label", "3", "--count", "5"], 5),
        ([], 48),
        (["--traverse", "0", "1", "--label", "2"], 16),
        (["--interpolate"], 64),
        (["--reconstruct", "--count", "16"], 32),
        (["--manifold", "--label", "1"], 400),
    ],
)
def test_sample_has_images_of_every_kind(run, words, count, capsys):
    assert main(["sample", "run", "--out", "a.png", *words]) == 0
    assert f"Wrote a.png: {count} images" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, caption",
    [
        (["--label", "cat"], "samples from the prior, of class cat"),
        (["--label", "4"], "samples from the prior, of class cat"),
        (["--label", "5"], "samples from the prior, of class 5"),
        (["--label", "0"], "samples from the prior, of class 0"),
        (["--manifold", "--label", "7"], "the prior's quantiles, of class 7"),
        (["--traverse", "1"], "the prior's quantiles, of class 0"),
    ],
)
def test_a_class_is_chosen_by_name_or_number_and_shown_by_name(
    run, words, caption, capsys
):
    """A name comes first: 7 is the class of that name. Class 5 has no name."""
    classes = ("0", "7", "b", "c", "cat")
    run.source = replace(run.source, classes=classes)
    run.save()
    assert main(["sample", "run", "--out", "a.png", *words]) == 0
    assert caption in capsys.readouterr().out
    assert main(["sample", "run", "--label", "bird"]) == 2
    assert "the classes are 0, 7, b, c, cat\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, problem",
    [
        (["--label", "6"], "there is no class '6'; the classes are 0 to 5"),
        (["--label", "0", "--reconstruct"], "does not apply to test images"),
    ],
)
def test_a_label_that_cannot_be_meant_is_refused(run, words, problem, error_line):
    assert main(["sample", "run", "--out", "a.png", *words]) == 2
    assert problem in error_line()


def test_the_report_has_one_style_in_every_class(run):
    page = (run.directory / "report.html").read_text()
    assert "The same style in every class" in page


def test_the_report_says_which_class_the_plane_and_the_traversals_are_of(run):
    page = (run.directory / "report.html").read_text()
    assert "What the decoder makes of each z of the plane. The class is 0." in page
    assert "the others stay at its mean. The class is 0." in page


def test_the_report_of_a_told_model_does_not_say_that_training_saw_no_labels(run):
    wide = replace(CONFIG, latent_dim=3)
    data = run.source.load()
    state = initial_state(data.images, wide, OPTIONS)
    other = Run.create(wide, OPTIONS, data, state, "wide")
    page = report_html(other, data.test_images, data.test_labels)
    assert "the encoder was told the class" in page and "no labels" not in page


# The estimator


@pytest.fixture(scope="module")
def fitted(tiny):
    """An estimator whose classes are letters, and its rows"""
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 6, 110)
    X = np.zeros((110, 6, 5), np.float32)
    X[np.arange(110), labels] = 0.8
    X, names = X.reshape(110, 30), np.array(list("fedcba"))[labels]
    model = VAE(
        conditional=True,
        hidden_dims=(12,),
        latent_dim=2,
        epochs=40,
        batch_size=16,
        lr=1e-2,
        n_importance_samples=5,
        random_state=1,
    )
    return model.fit(X, names), X, names


def test_classes_are_named_as_in_fit_and_predicted(fitted):
    model, X, names = fitted
    assert list(model.classes_) == list("abcdef")
    found = model.predict(X[:30])
    assert (found == names[:30]).mean() > 0.9
    p = model.predict_proba(X[:4])
    assert np.allclose(p.sum(axis=1), 1, rtol=1e-12)  # rounding of a sum of six
    assert model.class_prior_[0] == (names == "a").mean()


def test_samples_are_of_the_class_that_is_asked_for(fitted):
    model, *_ = fitted
    rows = model.sample(5, y="f").reshape(5, 6, 5).sum(axis=2)
    assert (rows.argmax(axis=1) == 0).all()  # the bar of f is the first row


def test_scores_are_given_the_class(fitted):
    model, X, names = fitted
    right = model.score(X[:20], names[:20])
    wrong = model.score(X[:20], np.where(names[:20] == "a", "b", "a"))
    assert right > wrong


@pytest.mark.parametrize("y", [None, ["a"], ["z"] * 3])
def test_classes_that_are_missing_or_unknown_are_refused(fitted, y):
    model, X, _ = fitted
    with pytest.raises(ValueError, match=r"^y "):
        model.transform(X[:3], y)


def test_a_model_without_classes_does_not_predict_or_draw_a_class(fitted):
    plain = VAE(epochs=1, hidden_dims=(3,), latent_dim=2).fit(fitted[1])
    with pytest.raises(ValueError, match="only a conditional VAE draws a class"):
        plain.sample(2, y="a")
    assert not hasattr(VAE(), "predict") and not hasattr(VAE(), "predict_proba")
    assert hasattr(VAE(conditional=True), "predict")


def test_a_run_with_classes_is_loaded_as_such(run):
    model = VAE.load("run")
    assert model.conditional and model.classes_.tolist() == [0, 1, 2, 3, 4, 5]
    assert model.sample(2, y=5).shape == (2, 30)
