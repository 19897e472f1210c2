"""Schedules: the learning rate of each epoch, and the weight of the KL term.

    constant    lr
    burda       lr · 10^(−i/7) in stage i = 0 … 7, of 3ⁱ epochs; 3,280 epochs in all,
                stretched to fit `epochs`

At a constant learning rate Adam keeps fluctuating around the optimum, because its step
does not shrink with the gradient. Over the last `decay_epochs` the learning rate
therefore falls linearly, to just above 0, so that the parameters converge.

The weight β of the KL term can rise from 0 over the first `warmup` epochs. At the full
weight the KL term may push a latent unit to the prior before the decoder has learned to
use the unit; the warm-up gives it time.

Source: Burda et al. 2016, section 5 (burda); Sønderby et al. 2016, section 3 (warmup).
"""

from ..settings import TrainingOptions, VAEConfig

BURDA_EPOCHS = 3280  # 3⁰ + 3¹ + … + 3⁷


def learning_rate(options: TrainingOptions, epoch: int) -> float:
    """The learning rate of an epoch, counted from 1."""
    epochs_left = options.epochs - epoch + 1
    decay_epochs = min(options.decay_epochs, options.epochs)
    decay = min(1.0, epochs_left / (decay_epochs + 1))
    return SCHEDULES[options.schedule](options, epoch) * decay


def constant(options: TrainingOptions, epoch: int) -> float:
    """lr"""
    return options.lr


def burda(options: TrainingOptions, epoch: int) -> float:
    """lr · 10^(−i/7) in stage i

    It begins after 3⁰ + … + 3^(i−1) = (3ⁱ − 1)/2 of 3,280 epochs.
    """
    position = (epoch - 1) / options.epochs * BURDA_EPOCHS
    stage = sum(position >= (3**i - 1) / 2 for i in range(1, 8))
    return options.lr * 10 ** (-stage / 7)


SCHEDULES = {"constant": constant, "burda": burda}


def kl_weight(config: VAEConfig, options: TrainingOptions, epoch: int) -> float:
    """β of an epoch, counted from 1

    During the warm-up it is (epoch − 1)/warmup of its value, then all of it.
    """
    if epoch > options.warmup:
        return config.beta
    return config.beta * (epoch - 1) / options.warmup
