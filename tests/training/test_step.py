"""One training step, by one process or by several: the same update, or no update and
the name of what is not finite.
"""

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpyvae.settings import OBJECTIVES as NAMES
from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training import step as step_module
from numpyvae.training.loop import train
from numpyvae.training.parallel.processes import ProcessGroup
from numpyvae.training.parallel.step import ParallelStep, training_step
from numpyvae.training.state import TrainingState, initial_state
from numpyvae.training.step import NotFiniteError, Step, require_finite
from numpyvae.vae import Adam, Parameters, init_params
from numpyvae.vae.objectives import OBJECTIVES

CONFIG = VAEConfig(input_dim=30, hidden_dims=(8,), latent_dim=2)
ROUNDING = 1e-12  # of float64's 1e-16: sums of some thousand terms, in another order
needs_fork = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="this system cannot fork"
)


def state_in_float64(seed=1, config=CONFIG):
    params = init_params(config, np.random.default_rng(seed), np.float64)
    return TrainingState(params, Adam(params.vector))


def minibatch(n, samples=1, seed=3):
    rng = np.random.default_rng(seed)
    return rng.random((n, 30)), rng.standard_normal((samples, n, 2))


def ranks(size, objective="elbo", state=None, config=CONFIG, n=9, samples=3):
    """A parallel step as each rank has it, over the same arrays, without a fork: they
    take turns.
    """
    state = state or state_in_float64()
    step = ParallelStep(
        state,
        config,
        TrainingOptions(batch_size=n, num_samples=samples, objective=objective),
        size,
    )
    step.group = ProcessGroup(size, lambda group: None)
    for step.group.rank in range(size):
        yield step


# One process


def test_a_step_is_forward_backward_update():
    state, expected = state_in_float64(), state_in_float64()
    for seed in range(3):
        x, eps = minibatch(5, seed=seed)
        loss, cache = OBJECTIVES["elbo"][0](expected.params, x, eps, CONFIG)
        expected.adam.step(expected.params.vector, OBJECTIVES["elbo"][1](cache).vector)
        assert Step(state.params, state.adam, CONFIG, "elbo")(x, eps) == loss
    assert (
        np.array_equal(state.params.vector, expected.params.vector)
        and state.adam.t == 3
    )


def test_the_model_of_a_step_may_be_replaced_between_steps():
    step = Step(state_in_float64().params, state_in_float64().adam, CONFIG, "elbo")
    step.config = replace(CONFIG, beta=4.0)
    expected, _ = OBJECTIVES["elbo"][0](step.params, *minibatch(5), step.config)
    assert (
        step(*minibatch(5))
        == expected
        != OBJECTIVES["elbo"][0](step.params, *minibatch(5), CONFIG)[0]
    )


@pytest.mark.parametrize("objective", NAMES)
@given(
    n=st.integers(1, 9),
    samples=st.integers(1, 3),
    rows=st.integers(1, 8),
    seed=st.integers(0, 100),
)
def test_many_samples_are_taken_in_parts_that_add_up_to_the_same(
    objective, n, samples, rows, seed
):
    state, (x, eps), parts = state_in_float64(seed), minibatch(n, samples, seed), []
    loss, cache = OBJECTIVES[objective][0](state.params, x, eps, CONFIG)
    expected = OBJECTIVES[objective][1](cache).vector
    step = Step(state.params, state.adam, CONFIG, objective)
    forward = step.forward

    def counted(params, x, eps, config):
        parts.append(len(x))
        return forward(params, x, eps, config)

    step.forward = counted
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step_module, "MAX_ROWS", rows)
        assert step.gradient(x, eps, n, step.grads) == pytest.approx(loss, rel=ROUNDING)
    assert abs(step.grads.vector - expected).max() <= ROUNDING * abs(expected).max()
    assert sum(parts) == n and all(
        part == 1 or part * samples <= rows for part in parts
    )


def test_a_minibatch_of_usual_size_is_one_part():
    """So the parts change no bit of the default run, of the preset's, or of five
    samples per image.
    """
    assert step_module.MAX_ROWS >= 128 * 5


# What is not finite


def gradients(**entries):
    grads = Parameters({"a": (2,), "b": (3,)}, np.zeros(5, np.float32))
    for name, value in entries.items():
        grads[name][0] = value
    return grads


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite_is_an_error(loss):
    with pytest.raises(NotFiniteError, match=f"the loss is {loss}"):
        require_finite(loss, 0.0, [gradients()])


@pytest.mark.parametrize("bad", [0, 1])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_named(bad, value):
    grads = [gradients(), gradients()]
    grads[bad]["b"][1] = value
    with pytest.raises(NotFiniteError, match="the gradient of b is not finite"):
        require_finite(1.0, np.nan, grads)


def test_finite_shards_whose_sum_is_not_finite_are_named():
    with (
        pytest.raises(NotFiniteError, match="the gradient of a is not finite"),
        np.errstate(over="ignore"),
    ):
        require_finite(1.0, np.inf, [gradients(a=3e38), gradients(a=3e38)])


def test_a_gradient_whose_square_overflows_is_finite():
    require_finite(1.0, np.inf, [gradients(a=3e38), gradients(a=-3e38)])


# Several processes


@pytest.mark.parametrize(
    "config",
    [CONFIG, replace(CONFIG, likelihood="normal")],
    ids=["bernoulli", "normal"],
)
@pytest.mark.parametrize("objective", NAMES)
@given(
    n=st.integers(1, 9),
    samples=st.integers(1, 3),
    size=st.integers(1, 4),
    seed=st.integers(0, 100),
)
def test_the_shards_add_up_to_the_minibatchs_loss_and_gradient(
    objective, config, n, samples, size, seed
):
    state, (x, eps) = state_in_float64(seed, config), minibatch(n, samples, seed)
    forward, backward = OBJECTIVES[objective]
    loss, cache = forward(state.params, x, eps, config)
    expected, losses = backward(cache).vector, []
    for step in ranks(size, objective, state, config, samples=samples):
        step.x[:n], step.eps[:, :n] = x, eps
        shard_loss, squared_norm = step.shard_gradient(n)
        losses.append(shard_loss)
        assert squared_norm == pytest.approx(
            (step.rank_grads[step.group.rank].vector ** 2).sum(), rel=ROUNDING
        )
    assert sum(losses) == pytest.approx(loss, rel=ROUNDING)
    assert (
        abs(sum(grads.vector for grads in step.rank_grads) - expected).max()
        <= ROUNDING * abs(expected).max()
    )


@needs_fork
@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("n", [1, 2, 7])
def test_several_processes_make_the_same_step(size, n):
    alone, together = state_in_float64(), state_in_float64()
    with training_step(together, CONFIG, TrainingOptions(batch_size=7), size) as step:
        for seed in range(3):
            loss = Step(alone.params, alone.adam, CONFIG, "elbo")(
                *minibatch(n, seed=seed)
            )
            assert step(*minibatch(n, seed=seed)) == pytest.approx(
                loss, rel=1e-9
            )  # the step before: 1e-9, below
    assert (
        abs(together.params.vector - alone.params.vector).max() <= 1e-9
    )  # of steps of 1e-3: Adam divides by small √v
    assert together.adam.t == alone.adam.t == 3


@needs_fork
def test_workers_follow_whatever_the_caller_changes_between_steps():
    alone, together = state_in_float64(), state_in_float64()
    one = Step(alone.params, alone.adam, CONFIG, "elbo")
    with training_step(together, CONFIG, TrainingOptions(batch_size=7), 2) as two:
        for k, (step, state) in enumerate([(one, alone), (two, together)] * 3):
            adam = state.adam
            state.params["decoder.1.b"][...] = k // 2
            adam.m[...] = 0.1
            adam.t, adam.lr, adam.beta1, adam.beta2, adam.epsilon = (
                5 + k // 2,
                0.01 * (k // 2 + 1),
                0.8,
                0.99,
                1e-3,
            )
            step.config = replace(CONFIG, beta=1.0 + k // 2)
            step(*minibatch(7))
    assert abs(together.params.vector - alone.params.vector).max() <= 1e-9
    assert not np.array_equal(alone.params.vector, state_in_float64().params.vector)


@needs_fork
@pytest.mark.parametrize("bad", [0, 6])  # an image of each rank
def test_a_shard_that_is_not_finite_stops_every_rank_before_the_update(bad, capfd):
    state = state_in_float64()
    before, (x, eps) = state.params.vector.copy(), minibatch(7)
    with training_step(state, CONFIG, TrainingOptions(batch_size=7), 2) as step:
        spoilt = x.copy()
        spoilt[bad] = np.nan
        for _ in range(2):  # and goes on after it
            with pytest.raises(NotFiniteError, match="the loss is nan"):
                step(spoilt, eps)
        assert np.array_equal(state.params.vector, before) and state.adam.t == 0
        step(x, eps)
    assert capfd.readouterr().err == "" and state.adam.t == 1


@needs_fork
def test_the_callers_arrays_hold_the_result_afterwards_also_after_an_error():
    state = state_in_float64()
    params, m, v = state.params, state.adam.m, state.adam.v
    before = params.vector.copy()
    with (
        pytest.raises(KeyError),
        training_step(state, CONFIG, TrainingOptions(batch_size=7), 2) as step,
    ):
        step(*minibatch(7))
        raise KeyError
    assert state.params is params and state.adam.m is m and state.adam.v is v
    assert not np.array_equal(params.vector, before) and m.any() and v.any()


@needs_fork
class TestTraining:
    QUICK = TrainingOptions(epochs=3, batch_size=16, seed=5)

    @pytest.mark.parametrize("size", [2, 3])
    @pytest.mark.parametrize(
        "options", [QUICK, replace(QUICK, schedule="burda", decay_epochs=2, warmup=2)]
    )
    def test_several_processes_train_as_one_does(self, tiny, options, size):
        """A few dozen steps in float32 (1e-7), whose rounding Adam's quotient of small
        numbers makes larger.
        """
        alone, together = (
            train(*tiny, CONFIG, options, processes=n) for n in (1, size)
        )
        assert abs(alone.params.vector - together.params.vector).max() < 1e-4
        for a, b in zip(alone.history, together.history, strict=True):
            assert {**a, "seconds": 0} == pytest.approx({**b, "seconds": 0}, rel=1e-5)
        assert (alone.adam.t, alone.epoch) == (together.adam.t, together.epoch)

    @pytest.mark.parametrize(
        "options",
        [
            TrainingOptions(epochs=2, batch_size=7, binarize="dynamic"),
            TrainingOptions(epochs=2, batch_size=1),
            TrainingOptions(epochs=2, batch_size=109, num_samples=2),
            TrainingOptions(
                epochs=2,
                objective="iwae",
                num_samples=3,
                schedule="burda",
                decay_epochs=1,
            ),
        ],
    )
    def test_same_seed_and_number_of_processes_give_identical_bits(self, tiny, options):
        a, b = (train(*tiny, CONFIG, options, processes=2) for _ in range(2))
        alone = train(*tiny, CONFIG, options, processes=1)
        assert np.array_equal(a.params.vector, b.params.vector) and np.array_equal(
            a.adam.v, b.adam.v
        )
        assert a.history[-1]["train_loss"] == pytest.approx(
            alone.history[-1]["train_loss"], rel=1e-5
        )

    @pytest.mark.parametrize("stop_at", [1, 4, 7, 8, 13])
    def test_two_processes_resume_from_any_batch_bit_for_bit(self, tiny, stop_at):
        options = TrainingOptions(epochs=2, batch_size=16, binarize="dynamic")
        whole = train(*tiny, CONFIG, options, processes=2)
        state = initial_state(tiny[0], CONFIG, options)
        train(
            *tiny,
            CONFIG,
            options,
            state=state,
            processes=2,
            after_batch=lambda state, loss: state.adam.t == stop_at,
        )
        rest = train(*tiny, CONFIG, options, state=state, processes=2)
        assert np.array_equal(
            whole.params.vector, rest.params.vector
        ) and np.array_equal(whole.adam.m, rest.adam.m)
        assert [row["train_loss"] for row in whole.history] == [
            row["train_loss"] for row in rest.history
        ]
