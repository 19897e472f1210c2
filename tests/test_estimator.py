"""The estimator keeps scikit-learn's contract, checked by hand, and says what the
package's own functions say.
"""

import copy
import inspect
import math
import pickle
import subprocess
import sys
import types
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from numpyvae.cli import main
from numpyvae.data.dataset import Dataset
from numpyvae.estimator import VAE, NotFittedError
from numpyvae.pictures.samples import sample_images
from numpyvae.runs.checkpoint import CheckpointError
from numpyvae.runs.run import Run
from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training.loop import train
from numpyvae.training.state import initial_state
from numpyvae.training.step import NotFiniteError
from numpyvae.training.streams import stream
from numpyvae.vae import encode
from numpyvae.vae.iwae import log_marginal

SMALL = {
    "hidden_dims": (8,),
    "latent_dim": 2,
    "epochs": 2,
    "batch_size": 16,
    "n_importance_samples": 20,
    "random_state": 5,
}
BYTES = np.random.default_rng(1).integers(0, 256, (60, 6), dtype=np.uint8)
BYTES[0, :2] = 0, 255
GRAY = BYTES / 255
REAL = np.random.default_rng(2).normal(3, 5, (60, 6))


def small(**changes):
    return VAE(**{**SMALL, **changes})


@pytest.fixture(scope="module")
def fitted():
    return small().fit(GRAY)


# The contract


def test_the_constructor_stores_its_arguments_unchanged_and_unchecked():
    settings = {name: object() for name in VAE().get_params()}
    assert all(vars(VAE(**settings))[name] is value for name, value in settings.items())
    assert vars(VAE(**settings)).keys() == settings.keys()


def test_every_argument_is_keyword_only_and_has_a_default():
    parameters = inspect.signature(VAE).parameters.values()
    assert all(
        p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in parameters
    )
    assert [p.name for p in parameters] == list(VAE().get_params())


def test_a_setting_has_the_default_of_its_field():
    others = {**vars(VAEConfig()), **vars(TrainingOptions())}
    shared = {
        name: value for name, value in VAE().get_params().items() if name in others
    }
    assert shared == {name: others[name] for name in shared} and len(shared) == 17
    assert others.keys() - shared.keys() == {
        "input_dim",
        "num_classes",
        "seed",
        "binarize",
    }


def test_params_go_out_and_in_again():
    model = VAE()
    settings = {**VAE().get_params(), "latent_dim": 3, "hidden_dims": (5, 4)}
    assert (
        model.set_params(**settings) is model
        and model.get_params() == model.get_params(deep=False) == settings
    )
    clone = type(model)(**model.get_params())
    assert clone.get_params() == settings and clone is not model and clone != model


def test_an_unknown_setting_is_named_and_none_is_set():
    model = VAE()
    with pytest.raises(ValueError, match="latents"):
        model.set_params(epochs=3, latents=3)
    assert model.get_params() == VAE().get_params() and not hasattr(model, "latents")
    with pytest.raises(ValueError, match="params_"):
        model.set_params(params_=3)


def test_the_repr_is_one_short_line_of_what_differs_from_the_defaults():
    assert (
        repr(VAE()) == "VAE()"
        and repr(VAE(latent_dim=3, lr=0.1)) == "VAE(latent_dim=3, lr=0.1)"
    )
    assert "\n" not in repr(VAE(random_state=np.random.default_rng(1), lr=np.arange(2)))


def test_the_repr_makes_the_estimator_again():
    assert eval(repr(small())).get_params() == SMALL | {
        k: v for k, v in VAE().get_params().items() if k not in SMALL
    }


def test_fit_sets_the_names_with_a_trailing_underscore_only():
    model = small()
    assert not [name for name in vars(model) if name.endswith("_")]
    before = model.get_params()
    assert model.fit(GRAY) is model and model.get_params() == before
    learned = {
        "params_",
        "config_",
        "seed_",
        "scale_",
        "history_",
        "n_features_in_",
        "run_",
    }
    assert {name for name in vars(model) if name.endswith("_")} == learned
    assert model.n_features_in_ == 6 and model.config_ == VAEConfig(
        input_dim=6, hidden_dims=(8,), latent_dim=2
    )
    assert [row["epoch"] for row in model.history_] == [1, 2]


@pytest.mark.parametrize(
    "ask",
    [
        lambda m: m.transform(GRAY),
        lambda m: m.inverse_transform(np.zeros((1, 2))),
        lambda m: m.sample(),
        lambda m: m.score_samples(GRAY),
        lambda m: m.score(GRAY),
        lambda m: m.get_feature_names_out(),
        lambda m: m.params_,
    ],
)
def test_before_fit_what_needs_it_says_so(ask):
    with pytest.raises(NotFittedError, match="call fit first"):
        ask(small())
    assert issubclass(NotFittedError, ValueError) and issubclass(
        NotFittedError, AttributeError
    )


def test_a_name_that_no_vae_has_is_an_ordinary_attribute_error(fitted):
    with pytest.raises(AttributeError, match="predict") as caught:
        fitted.predict
    assert not isinstance(caught.value, NotFittedError)


@pytest.mark.parametrize(
    "make", [lambda model: pickle.loads(pickle.dumps(model)), copy.deepcopy]
)
def test_a_copy_says_the_same_and_its_parameters_are_views_of_their_vector(
    fitted, make
):
    other = make(fitted)
    assert np.array_equal(other.transform(GRAY), fitted.transform(GRAY))
    assert np.array_equal(other.score_samples(GRAY), fitted.score_samples(GRAY))
    other.params_.vector[...] = 0
    assert (
        not any(array.any() for array in other.params_.values())
        and fitted.params_.vector.any()
    )


def test_an_unfitted_model_can_be_pickled():
    assert pickle.loads(pickle.dumps(small())).get_params() == small().get_params()


# What it computes


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"objective": "iwae", "num_samples": 3, "schedule": "burda"},
        {"beta": 2.0, "activation": "tanh"},
        {
            "likelihood": "normal",
            "logvar_x": -1.0,
            "initialization": "glorot",
            "prior": (1.0, 0.5),
        },
    ],
)
def test_fit_is_train_bit_for_bit_for_bytes(settings):
    config = VAEConfig(
        input_dim=6,
        hidden_dims=(8,),
        latent_dim=2,
        **{k: v for k, v in settings.items() if k in vars(VAEConfig())},
    )
    options = TrainingOptions(
        epochs=2,
        batch_size=16,
        seed=5,
        **{k: v for k, v in settings.items() if k in vars(TrainingOptions())},
    )
    images = BYTES.reshape(60, 2, 3)
    state = train(images, images[:7], config, options)
    model = small(**settings).fit(BYTES)
    assert np.array_equal(model.params_.vector, state.params.vector)
    assert [row["train_loss"] for row in model.history_] == [
        row["train_loss"] for row in state.history
    ]


@pytest.mark.parametrize(
    "settings", [{}, {"likelihood": "normal", "initialization": "glorot"}]
)
def test_bytes_and_the_same_bytes_over_255_are_the_same_data(settings):
    a, b = small(**settings).fit(BYTES), small(**settings).fit(GRAY)
    close = {
        "rtol": 1e-3,
        "atol": 1e-4,
    }  # float32's rounding of v/255, after eight steps of Adam
    np.testing.assert_allclose(a.params_.vector, b.params_.vector, **close)
    np.testing.assert_allclose(a.transform(BYTES), b.transform(GRAY), **close)
    np.testing.assert_allclose(
        a.inverse_transform([[1, -1]]),
        255 * b.inverse_transform([[1, -1]]),
        rtol=1e-3,
        atol=0.05,
    )
    np.testing.assert_allclose(
        a.score_samples(BYTES[:1]), b.score_samples(GRAY[:1]), atol=0.5
    )  # other noise: other bytes


def test_transform_is_mu_and_fit_transform_is_both(fitted):
    (mu, _), _ = encode(fitted.params_, GRAY.astype(np.float32), fitted.config_)
    assert np.array_equal(fitted.transform(GRAY), mu) and mu.shape == (60, 2)
    assert np.array_equal(small().fit_transform(GRAY, y="ignored"), mu)


def test_inverse_transform_is_the_sigmoid_of_the_logits_by_hand(fitted):
    p, z = fitted.params_, np.array([[0.5, -1.0], [2.0, 0.0]])
    hidden = np.maximum(z @ p["decoder.0.W"] + p["decoder.0.b"], 0)
    expected = 1 / (1 + np.exp(-(hidden @ p["decoder.1.W"] + p["decoder.1.b"])))
    assert fitted.inverse_transform(z) == pytest.approx(expected, rel=1e-5)  # float32


def test_a_normal_decoders_mean_is_not_cut_off():
    model = small(likelihood="normal", initialization="glorot", lr=1e-9).fit(
        REAL
    )  # its output bias: the data's mean
    model.params_["decoder.1.W"][...] = 0
    assert model.sample(3) == pytest.approx(
        np.tile(REAL.mean(axis=0), (3, 1)), rel=1e-4
    )  # float32
    assert REAL.mean(axis=0).max() > 1


def test_samples_are_the_images_that_sampling_draws():
    model = small(prior=(0.5, -1.0)).fit(BYTES)
    images = sample_images(
        model.params_, model.config_, (2, 3), stream("sample", 5), 40
    )
    assert np.array_equal(np.rint(model.sample(40)).reshape(40, 2, 3), images)


def test_score_samples_is_log_marginal_with_a_generator_of_the_seed_and_the_row(fitted):
    x = GRAY.astype(np.float32)
    expected = [
        log_marginal(
            fitted.params_,
            row[None],
            fitted.config_,
            20,
            stream("score", 5, zlib.crc32(row.tobytes())),
        )[0].item()
        for row in x
    ]
    assert fitted.score_samples(GRAY).tolist() == expected and fitted.score(
        GRAY, "ignored"
    ) == np.mean(expected)


def test_a_row_is_scored_the_same_whatever_the_rows_around_it(fitted):
    order = np.random.default_rng(3).permutation(60)[:17]
    assert np.array_equal(
        fitted.score_samples(GRAY[order]), fitted.score_samples(GRAY)[order]
    )


@pytest.mark.parametrize("X", [GRAY, BYTES])
def test_the_order_of_x_in_memory_does_not_matter(X):
    a, b = small().fit(X), small().fit(np.asfortranarray(X))
    assert np.array_equal(a.params_.vector, b.params_.vector) and np.array_equal(
        a.transform(X), a.transform(np.asfortranarray(X))
    )
    assert np.array_equal(a.score_samples(X), a.score_samples(np.asfortranarray(X)))
    assert np.array_equal(a.score_samples(X[::-2]), a.score_samples(X)[::-2])


def test_different_rows_have_different_noise():
    """Two rows that are all but the same, one sample each from an encoder that ignores
    them: only the noise can differ.
    """
    model = small(likelihood="normal", logvar_x=0.0, n_importance_samples=1).fit(REAL)
    model.params_.vector[...] = 0
    model.params_["decoder.0.W"][...] = model.params_["decoder.1.W"][...] = 1
    rows = np.zeros((8, 6))
    rows[:, 0] = np.arange(8) * 1e-6
    # the noise is cut off where relu is 0, so some of the scores may agree
    assert np.ptp(model.score_samples(rows)) > 1e-3
    assert np.ptp(model.score_samples(rows[[0, 0]])) == 0


def test_a_model_that_says_one_half_of_everything_scores_log_one_half_a_pixel():
    model = small().fit(GRAY)
    model.params_.vector[...] = 0
    assert model.score_samples(GRAY) == pytest.approx(
        np.full(60, -6 * math.log(2)), rel=1e-6
    )  # float32
    assert model.score(GRAY) == pytest.approx(-6 * math.log(2), rel=1e-6)


def test_training_raises_the_score():
    data = np.repeat(np.eye(6), 10, axis=0)
    short, long = (
        small(epochs=epochs, lr=3e-2, random_state=7).fit(data).score(data)
        for epochs in (1, 100)
    )
    independent = math.log(1 / 6) + 5 * math.log(
        5 / 6
    )  # of the pixels' own means: what a model without latents can reach
    assert short < independent < long


# Randomness


def test_the_same_integer_gives_the_same_bits_and_another_does_not():
    a, b, c = (small(random_state=seed).fit(GRAY) for seed in (5, np.int64(5), 6))
    assert np.array_equal(a.params_.vector, b.params_.vector) and not np.array_equal(
        a.params_.vector, c.params_.vector
    )
    assert np.array_equal(
        a.params_.vector, a.fit(GRAY).params_.vector
    )  # again: from the start


def test_a_generator_gives_each_fit_a_seed_and_its_state_repeats_them():
    model = small(random_state=np.random.default_rng(1))
    first, second = (model.fit(GRAY).params_.vector for _ in range(2))
    assert not np.array_equal(first, second)
    assert np.array_equal(
        first, small(random_state=np.random.default_rng(1)).fit(GRAY).params_.vector
    )


def test_without_a_random_state_fits_differ_and_scores_repeat():
    a, b = (small(random_state=None).fit(GRAY) for _ in range(2))
    assert not np.array_equal(a.params_.vector, b.params_.vector)
    assert np.array_equal(a.score_samples(GRAY), a.score_samples(GRAY))
    assert not np.array_equal(a.sample(4), a.sample(4))


def test_samples_repeat_for_an_integer_and_continue_for_a_generator(fitted):
    assert fitted.sample().shape == (1, 6) and fitted.sample(4).shape == (4, 6)
    assert np.array_equal(fitted.sample(4), fitted.sample(4))
    assert np.array_equal(
        fitted.sample(4, random_state=7), fitted.sample(4, random_state=7)
    )
    assert not np.array_equal(fitted.sample(4, random_state=7), fitted.sample(4))
    rng = stream("sample", 5)
    assert np.array_equal(
        fitted.sample(4, rng), fitted.sample(4)
    ) and not np.array_equal(fitted.sample(4, rng), fitted.sample(4))


# What it refuses


@pytest.mark.parametrize(
    "X, reason",
    [
        (GRAY[0], r"one row per sample, not float64 of shape \(6,\)"),
        (GRAY[None], "one row per sample"),
        (GRAY[:0], r"X has 0 sample\(s\) \(shape=\(0, 6\)\)"),
        (GRAY[:, :0], r"X has 0 feature\(s\) \(shape=\(60, 0\)\)"),
        (GRAY + 0j, "Complex data not supported"),
        (GRAY.astype(str), "<U"),
        (np.ma.masked_array(GRAY, GRAY > 2), "masked array"),
        (scipy.sparse.csr_array(GRAY), "sparse input is not supported"),
        (np.where(GRAY > 0.9, np.nan, GRAY), "NaN"),
        (np.where(GRAY > 0.9, np.inf, GRAY), "NaN"),
        (np.where(GRAY > 0.9, 1e39, GRAY), "too large for single precision"),
        (BYTES / 255 - 0.01, "goes from -0.01 to 0.99, but the bernoulli"),
        (BYTES / 255 + 0.01, "goes from 0.01 to 1.01, but the"),
        (BYTES.astype(int), "goes from 0 to 255"),
        (BYTES % 2, "nothing above 1; divide it by the number that is white"),
        (BYTES % 17, "nothing above 16; divide it by the number that is white"),
    ],
)
def test_fit_refuses_a_wrong_x_and_leaves_the_model_unchanged(X, reason):
    model = small()
    with pytest.raises(ValueError, match=reason):
        model.fit(X)
    assert vars(model) == SMALL | {
        k: v for k, v in VAE().get_params().items() if k not in SMALL
    }


@pytest.mark.parametrize("method", ["transform", "score_samples", "score"])
def test_later_rows_must_be_like_those_fitted(fitted, method):
    ask = getattr(fitted, method)
    for X, reason in [
        (GRAY[:, :5], "X has 5 features, but VAE is expecting 6 features as input"),
        (GRAY * 2, "bernoulli"),
        (BYTES, "X is uint8, 0 to 255, but fit was given numbers"),
        (GRAY * np.nan, "NaN"),
        (GRAY[0], "one row per sample"),
    ]:
        with pytest.raises(ValueError, match=reason):
            ask(X)
    with pytest.raises(
        ValueError, match="X is numbers that are not uint8, but fit was given uint8"
    ):
        getattr(small().fit(BYTES), method)(GRAY)
    with pytest.raises(ValueError, match="Z has 3 features"):
        fitted.inverse_transform(np.zeros((1, 3)))


def test_normal_takes_all_reals_and_bernoulli_takes_booleans_and_lists():
    model = small(likelihood="normal").fit(REAL)
    assert (
        np.isfinite(model.score_samples(2 * REAL)).all()
        and model.inverse_transform(model.transform(REAL)).shape == REAL.shape
    )
    assert np.array_equal(
        small().fit(GRAY > 0.5).transform(GRAY > 0.5),
        small().fit((GRAY > 0.5).tolist()).transform(GRAY > 0.5),
    )


@pytest.mark.parametrize(
    "name, value",
    [
        ("latent_dim", 0),
        ("hidden_dims", 8),
        ("num_samples", 0),
        ("warmup", -1),
        ("likelihood", "poisson"),
        ("epochs", 0),
        ("lr", -1.0),
        ("objective", "elbow"),
        ("prior", (0.0,)),
        ("activation", "gelu"),
        ("beta", -1),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused_by_fit_and_named(name, value):
    with pytest.raises(ValueError, match=name):
        small(**{name: value}).fit(GRAY)


@pytest.mark.parametrize("k", [0, 1.5, "many", True, None])
def test_a_number_of_importance_samples_that_cannot_be_meant_is_refused(fitted, k):
    model = copy.copy(fitted).set_params(n_importance_samples=k)
    with pytest.raises(
        ValueError, match="n_importance_samples must be an integer, 1 or more, not"
    ):
        model.score(GRAY)
    with pytest.raises(
        ValueError,
        match="random_state must be a non-negative integer, a NumPy Generator or None, not -1",
    ):
        small(random_state=-1).fit(GRAY)


def test_a_fit_that_diverges_says_so_and_leaves_the_earlier_fit_in_place():
    model = small().fit(GRAY)
    before = model.transform(GRAY)
    with pytest.raises(NotFiniteError):
        model.set_params(lr=1e30, epochs=20).fit(GRAY)
    assert np.array_equal(model.transform(GRAY), before)


# What it does not do


def test_nothing_is_printed_and_neither_x_nor_the_working_directory_is_touched(
    tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    x = GRAY.astype(np.float32)
    x.flags.writeable = False
    model = small().fit(x)
    model.score(x), model.sample(), model.inverse_transform(model.transform(x))
    assert capfd.readouterr() == ("", "") and not list(tmp_path.iterdir())


def test_the_module_loads_neither_scikit_learn_nor_scipy():
    code = "import sys, numpyvae.estimator; sys.exit('sklearn' in sys.modules or 'scipy' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True).returncode
        == 0
    )


def test_a_latent_is_a_feature_with_a_name(fitted):
    assert fitted.get_feature_names_out().tolist() == ["vae0", "vae1"]


# From and to the directory of a run


def test_a_saved_model_comes_back_the_same(fitted, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fitted.save("model")
    loaded = VAE.load("model")
    assert np.array_equal(loaded.transform(GRAY), fitted.transform(GRAY))
    assert np.array_equal(
        loaded.set_params(n_importance_samples=20).score_samples(GRAY),
        fitted.score_samples(GRAY),
    )
    assert (
        np.array_equal(loaded.sample(3), fitted.sample(3))
        and loaded.get_params() == fitted.get_params()
    )
    assert (loaded.scale_, loaded.seed_, loaded.history_) == (1, 5, fitted.history_)
    assert np.array_equal(loaded.fit(GRAY).params_.vector, fitted.params_.vector)


def test_save_never_overwrites_and_needs_a_fitted_model(fitted, tmp_path):
    fitted.save(str(tmp_path / "model"))
    with pytest.raises(FileExistsError, match="is not empty"):
        fitted.save(tmp_path / "model")
    with pytest.raises(NotFittedError, match="call fit first"):
        small().save(tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_saved_model_works_on_the_command_line(
    tmp_path, monkeypatch, tiny_directory, capsys
):
    monkeypatch.chdir(tmp_path)
    images = Dataset.open(tiny_directory).images
    small().fit(images.reshape(len(images), -1)).save("model")
    assert main(["sample", "model", "--out", "x.png"]) == 0 and Path("x.png").is_file()
    assert main(["report", "model"]) == 0 and "arrays in memory" in (
        Path("model") / "report.html"
    ).read_text("utf-8")
    capsys.readouterr()
    assert (
        main(["train", "--resume", "model"]) == 2
        and "arrays in memory" in capsys.readouterr().err
    )


@pytest.fixture
def run(tiny):
    """A run of bytes as the command line trains it, and its images as rows"""
    config = VAEConfig(input_dim=30, hidden_dims=(8,), latent_dim=2)
    options = TrainingOptions(epochs=1, seed=7)
    run = Run(
        "run",
        config,
        options,
        Dataset.of(*tiny),
        initial_state(tiny[0], config, options),
    )
    train(*tiny, config, options, state=run.state, processes=1)
    return run, tiny[0].reshape(len(tiny[0]), -1)


def test_the_model_of_a_run_is_a_fitted_estimator(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run, rows = run
    run.save()
    for path in ("run", Path("run/checkpoint.npz")):
        model = VAE.load(path)
        (mu, _), _ = encode(run.state.params, (rows * np.float32(1 / 255)), run.config)
        assert (
            np.array_equal(model.transform(rows), mu)
            and model.scale_ == 255
            and model.random_state == 7
        )
        assert (
            model.inverse_transform(mu).max() <= 255
            and model.hidden_dims == (8,)
            and model.epochs == 1
        )
    with pytest.raises(
        ValueError, match="X is numbers that are not uint8, but fit was given uint8"
    ):
        model.transform(rows / 255)


def test_a_run_of_binarized_pixels_needs_binary_input(run, tmp_path):
    run, rows = run
    run.options = TrainingOptions(binarize="dynamic")
    run.save(tmp_path / "run")
    model = VAE.load(tmp_path / "run")
    with pytest.raises(
        ValueError,
        match=r"trained on binarized pixels .binarize 'dynamic'.*others than 0 and 255: binarize X",
    ):
        model.transform(rows)
    assert np.isfinite(model.transform((rows > 127) * np.uint8(255))).all()


def test_a_damaged_run_is_a_checkpoint_error(tmp_path):
    (tmp_path / "checkpoint.npz").write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointError, match="not a valid numpyvae checkpoint"):
        VAE.load(tmp_path)


@pytest.mark.parametrize("value", [-1, 1.0, "a", True])
def test_a_random_state_that_is_none_is_refused_by_its_name(value):
    with pytest.raises(
        ValueError,
        match="random_state must be a non-negative integer, a NumPy Generator or None",
    ):
        VAE(epochs=1, random_state=value).fit(np.zeros((2, 4)))


@pytest.mark.parametrize("value", [0, -1, 1.5, "3", True])
def test_a_number_of_samples_that_is_none_is_refused_by_its_name(value):
    with pytest.raises(
        ValueError, match="n_samples must be an integer, 1 or more, not "
    ):
        VAE(epochs=1, hidden_dims=(3,), latent_dim=2).fit(np.zeros((2, 4))).sample(
            value
        )


def test_an_unknown_setting_or_attribute_is_named_as_the_models():
    with pytest.raises(TypeError, match=r"^VAE.*latent_dims"):
        VAE(latent_dims=2)
    fitted = VAE(epochs=1, hidden_dims=(3,), latent_dim=2).fit(np.zeros((2, 4)))
    with pytest.raises(AttributeError, match=r"^a VAE has no feature_names_in_$"):
        fitted.feature_names_in_


# Containers


class Frame:
    """A stand-in for the DataFrame of pandas and polars, which the tests do not need"""

    def __init__(self, values, **words):
        self.values, self.words = values, words


@pytest.mark.parametrize(
    "container, words",
    [
        ("pandas", {"columns": ["vae0", "vae1"], "index": None}),
        ("polars", {"schema": ["vae0", "vae1"]}),
    ],
)
def test_set_output_chooses_the_container_of_transform(
    fitted, container, words, monkeypatch
):
    module = types.ModuleType(container)
    module.DataFrame = Frame
    monkeypatch.setitem(sys.modules, container, module)
    model = copy.deepcopy(fitted)
    assert model.set_output(transform=container) is model
    assert model.set_output(transform=None) is model
    frame = model.transform(GRAY)
    assert np.array_equal(frame.values, fitted.transform(GRAY)) and frame.words == words
    model.set_output(transform="default")
    assert isinstance(model.transform(GRAY), np.ndarray)


def test_a_container_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="default, pandas, polars, not 'arrow'"):
        VAE().set_output(transform="arrow")
