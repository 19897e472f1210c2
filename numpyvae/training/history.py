"""The history of a run: one row per epoch, and what its losses are called.

The training loss is that of the objective, with the epoch's β. The test loss is always
the negative ELBO, with β = 1. So with an objective other than the ELBO, a β other than
1 or a warm-up the two are different quantities: do not compare them.
"""

from ..settings import TrainingOptions, VAEConfig

# the columns of log.csv, in nats per image
COLUMNS = (
    "epoch",
    "train_loss",
    "test_loss",
    "reconstruction",
    "kl",
    "seconds",
    "active_units",
)
# without test images NaN, and for active_units None
TEST_COLUMNS = ("test_loss", "reconstruction", "kl", "active_units")

TEST_LOSS = "negative ELBO"


def training_loss_name(config: VAEConfig, options: TrainingOptions) -> str:
    """The quantity that training minimizes; TEST_LOSS where it is the test loss's."""
    if options.objective.startswith("iwae"):
        return f"negative IWAE bound, K = {options.num_samples}"
    if options.warmup:
        return f"reconstruction + β KL, β rising to {config.beta:g}"
    if config.beta != 1:
        return f"reconstruction + {config.beta:g} KL"
    return TEST_LOSS
