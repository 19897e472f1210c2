"""A step shared out is the same step."""

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpyvae.vae.adam import Adam
from numpyvae.vae.iwae import OBJECTIVES
from numpyvae.training.parallel import Pair
from numpyvae.training.step import NotFiniteError, Step
from numpyvae.settings import TrainingOptions
from numpyvae.training.loop import start, train
from numpyvae.settings import VAEConfig
from numpyvae.vae import init_params

CONFIG = VAEConfig(input_dim=30, hidden_dims=(8,), latent_dim=2, beta=1.5)
NORMAL = VAEConfig(input_dim=30, hidden_dims=(8,), latent_dim=2, likelihood="normal")
ROUNDING = 1e-12  # of float64's 1e-16: sums of some thousand terms, in another order

forking = [pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
           pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")]  # see test_pair


def steps(objective, config, processes, params=None):
    """A step as each of the processes has it, over the same parameters, and nobody forked: they take turns."""
    params = params or init_params(config, np.random.default_rng(1), np.float64)
    step = Step(params, Adam(params.vector), config, objective, Pair(processes))
    for number in range(processes):
        step.pair.number = number
        yield step


@pytest.mark.parametrize("config", [CONFIG, NORMAL])
@pytest.mark.parametrize("objective", OBJECTIVES)
@given(n=st.integers(1, 9), samples=st.integers(1, 3), seed=st.integers(0, 100))
def test_the_shares_of_loss_and_gradient_add_up_to_those_of_the_minibatch(objective, config, n, samples, seed):
    rng = np.random.default_rng(seed)
    x, eps = rng.random((n, 30)), rng.standard_normal((samples, n, 2))
    params = init_params(config, rng, np.float64)
    loss_of, backward = OBJECTIVES[objective]
    loss, cache = loss_of(params, x, eps, config)
    expected, losses = backward(cache).vector, []
    for step in steps(objective, config, 2, params):
        part = step.pair.part(n)
        share, square = step.gradient(x[part], eps[:, part], len(x[part]) / n)
        losses.append(share)
        assert square == pytest.approx((step.grads[step.pair.number].vector ** 2).sum(), rel=ROUNDING)
    assert sum(losses) == pytest.approx(loss, rel=ROUNDING)
    found = step.grads[0].vector + step.grads[1].vector
    assert abs(found - expected).max() <= ROUNDING * abs(expected).max()


@pytest.mark.parametrize("objective", OBJECTIVES)
@given(dloss=st.floats(0.01, 10))
def test_backward_starts_from_the_derivative_it_is_given(objective, dloss):
    rng = np.random.default_rng(3)
    params = init_params(CONFIG, rng, np.float64)
    loss_of, backward = OBJECTIVES[objective]
    _, cache = loss_of(params, rng.random((4, 30)), rng.standard_normal((2, 4, 2)), CONFIG)
    one = backward(cache).vector
    assert abs(backward(cache, dloss=dloss).vector - dloss * one).max() <= ROUNDING * dloss * abs(one).max()


def test_each_process_moves_its_part_of_the_parameters_with_the_whole_gradient(monkeypatch):
    rng = np.random.default_rng(4)
    x, eps = rng.random((5, 30)), rng.standard_normal((5, 2))
    (alone,) = steps("elbo", CONFIG, 1)
    for _ in range(3):
        alone(5, x, eps)
    step = next(steps("elbo", CONFIG, 2))
    pair, adams = step.pair, [Adam(step.params.vector) for _ in range(2)]
    adams[1].m, adams[1].v = adams[0].m, adams[0].v
    for _ in range(3):
        for pair.number in (0, 1):
            part = pair.part(5)
            step.gradient(x[part], eps[part], len(x[part]) / 5)
        for pair.number in (0, 1):
            step.adam = adams[pair.number]
            monkeypatch.setattr(step, "gradient", lambda *arguments: (0.0, 0.0))  # both are written already
            step(5, x[:0], eps[:0])
            monkeypatch.undo()
    assert abs(step.params.vector - alone.params.vector).max() <= 1e-9  # of steps of 1e-3: Adam divides by small √v
    assert adams[0].t == adams[1].t == alone.adam.t == 3


@pytest.mark.parametrize("bad", [0, 1])
def test_a_gradient_that_is_not_finite_in_either_share_is_named_by_both_and_nothing_moves(bad):
    for step in steps("elbo", CONFIG, 2):
        before = step.params.vector.copy()
        step.grads[bad]["decoder.0.b"][1] = np.nan
        with pytest.raises(NotFiniteError, match="the gradient of decoder.0.b is not finite"):
            step.check_finite(1.0, np.nan)
        assert np.array_equal(step.params.vector, before)


def test_two_finite_halves_of_a_gradient_whose_sum_is_not_finite_are_named():
    params = init_params(CONFIG, np.random.default_rng(1))
    for step in steps("elbo", CONFIG, 2, params):
        for grads in step.grads:
            grads["encoder.1.W"][0, 0] = 3e38
        with pytest.raises(NotFiniteError, match="the gradient of encoder.1.W is not finite"):
            step.check_finite(1.0, np.inf)
        step.grads[0]["encoder.1.W"][0, 0] = -3e38
        step.check_finite(1.0, np.inf)  # its square is infinite, it is not


@pytest.mark.parametrize("losses", [(1.0, np.nan), (np.inf, -np.inf), (-np.inf, 1.0)])
def test_a_loss_that_is_not_finite_in_either_share_stops_the_step(losses, monkeypatch):
    for step in steps("elbo", CONFIG, 2):
        step.sums[:, 0] = losses
        monkeypatch.setattr(step, "gradient", lambda *arguments: step.sums[step.pair.number].copy())
        with pytest.raises(NotFiniteError, match="the loss is -?(nan|inf)"):
            step(4, np.zeros((2, 30)), np.zeros((2, 2)))
        assert step.adam.t == 0


class TestForked:
    pytestmark = forking
    QUICK = TrainingOptions(epochs=3, batch_size=16, seed=5)

    @pytest.mark.parametrize("options", [QUICK, TrainingOptions(epochs=4, batch_size=16, schedule="burda", decay_epochs=2)])
    def test_two_processes_train_as_one_does(self, tiny, options):
        """A few dozen steps in float32 (1e-7), whose rounding Adam's quotient of small numbers makes larger"""
        alone, together = (train(*tiny, CONFIG, options, processes=n) for n in (1, 2))
        assert abs(alone.params.vector - together.params.vector).max() < 1e-4
        for a, b in zip(alone.history, together.history, strict=True):
            assert {**a, "seconds": 0} == pytest.approx({**b, "seconds": 0}, rel=1e-5)
        assert (alone.adam.t, alone.epoch) == (together.adam.t, together.epoch)

    @pytest.mark.parametrize("options", [TrainingOptions(epochs=2, batch_size=7, binarize="dynamic"),
                                         TrainingOptions(epochs=2, batch_size=1), TrainingOptions(epochs=2, batch_size=109, num_samples=2),
                                         TrainingOptions(epochs=2, objective="iwae", num_samples=3, schedule="burda", decay_epochs=1)])
    def test_the_same_seed_gives_two_processes_the_same_bits(self, tiny, options):
        config = replace(CONFIG, beta=1)
        a, b = (train(*tiny, config, options, processes=2) for _ in range(2))
        alone = train(*tiny, config, options)
        assert np.array_equal(a.params.vector, b.params.vector) and np.array_equal(a.adam.v, b.adam.v)
        assert a.history[-1]["train_loss"] == pytest.approx(alone.history[-1]["train_loss"], rel=1e-5)

    @pytest.mark.parametrize("stop_at", [1, 4, 7, 8, 13])
    def test_two_processes_go_on_from_any_batch_to_the_same_bits(self, tiny, stop_at):
        class Stop(Exception):
            pass

        def after_batch(state, loss):
            if state.adam.t == stop_at:
                raise Stop

        options = TrainingOptions(epochs=2, batch_size=16, binarize="dynamic")
        whole = train(*tiny, CONFIG, options, processes=2)
        state = start(tiny[0], CONFIG, options)
        with pytest.raises(Stop):
            train(*tiny, CONFIG, options, state=state, processes=2, after_batch=after_batch)
        rest = train(*tiny, CONFIG, options, state=state, processes=2)
        assert np.array_equal(whole.params.vector, rest.params.vector) and np.array_equal(whole.adam.m, rest.adam.m)
        assert [row["train_loss"] for row in whole.history] == [row["train_loss"] for row in rest.history]

    def test_a_share_that_is_not_finite_stops_both_before_the_step(self, tiny, capfd):
        images = np.full((4, 30), 0.5, np.float32)
        images[np.random.default_rng([5, 1]).permutation(4)[3]] = np.nan  # the fourth, in the second process's half
        states = []
        with pytest.raises(NotFiniteError, match="epoch 1, batch 1: the loss is nan; a smaller"):
            train(images, images[:0], CONFIG, self.QUICK, processes=2, after_batch=lambda state, loss: states.append(state))
        assert not states and capfd.readouterr().err == ""  # the second process leaves it to the first to report

    def test_whoever_holds_the_arrays_of_a_state_has_them_afterwards(self, tiny):
        state = start(tiny[0], CONFIG, self.QUICK)
        params, m, v = state.params, state.adam.m, state.adam.v
        before = params.vector.copy()
        train(*tiny, CONFIG, self.QUICK, state=state, processes=2)
        assert state.params is params and state.adam.m is m and state.adam.v is v
        assert not np.array_equal(params.vector, before) and m.any() and v.any()
        alone = train(*tiny, CONFIG, self.QUICK)
        assert abs(alone.adam.m - m).max() <= 1e-3 * abs(m).max()  # float32, in another order, after 21 steps of Adam
