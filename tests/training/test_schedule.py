"""Schedules: the learning rate and the weight of the KL term in each epoch."""

import pytest

from numpyvae.settings import SCHEDULES as NAMES
from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training.schedule import SCHEDULES, kl_weight, learning_rate


def rates(**options):
    options = TrainingOptions(**options)
    return [learning_rate(options, epoch) for epoch in range(1, options.epochs + 1)]


def test_the_table_has_the_names_of_the_settings():
    assert tuple(SCHEDULES) == NAMES


def test_a_constant_rate_is_constant():
    assert rates(epochs=5, lr=0.3) == [0.3] * 5


def test_decay_is_linear_and_ends_one_step_above_0():
    assert rates(epochs=10, decay_epochs=4, lr=5.0) == [5.0] * 6 + [4.0, 3.0, 2.0, 1.0]
    assert rates(epochs=3, decay_epochs=5, lr=4.0) == [3.0, 2.0, 1.0]  # all of them


def test_burda_has_stages_of_1_3_9_up_to_2187_epochs():
    expected = [10 ** (-i / 7) for i in range(8) for _ in range(3**i)]
    assert rates(epochs=3280, lr=1.0, schedule="burda") == pytest.approx(
        expected, rel=1e-15
    )  # one rounding


def test_fewer_epochs_keep_the_stages_in_proportion():
    found = rates(epochs=328, lr=1.0, schedule="burda")
    for i in range(3, 8):
        assert abs(found.count(10 ** (-i / 7)) - 3**i / 10) <= 1
    assert found == sorted(found, reverse=True) and found[-1] == pytest.approx(0.1)


def test_decay_multiplies_the_stages():
    plain, decayed = (
        rates(epochs=300, schedule="burda", decay_epochs=n) for n in (0, 9)
    )
    factors = [a / b for a, b in zip(decayed, plain, strict=True)]
    assert factors[:291] == [1.0] * 291
    assert factors[291:] == pytest.approx(
        [k / 10 for k in range(9, 0, -1)], rel=1e-15
    )  # one rounding


def test_warmup_raises_beta_linearly_from_0_to_its_value():
    options = TrainingOptions(epochs=6, warmup=4)
    assert [
        kl_weight(VAEConfig(beta=2.0), options, epoch) for epoch in range(1, 7)
    ] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.0]


def test_without_warmup_beta_is_constant():
    assert [
        kl_weight(VAEConfig(beta=3.0), TrainingOptions(), epoch) for epoch in (1, 2, 30)
    ] == [3.0] * 3
