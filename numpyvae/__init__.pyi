"""What type checkers see of `numpyvae`: the names that __init__.py loads lazily."""

from .data import Dataset as Dataset
from .data import IdxError as IdxError
from .data import load_mnist as load_mnist
from .data import read_idx as read_idx
from .data import write_idx as write_idx
from .errors import InputError as InputError
from .errors import NumpyvaeError as NumpyvaeError
from .estimator import VAE as VAE
from .exercises import check_functions as check_functions
from .mdp import MDP as MDP
from .mdp import average_policy_iteration as average_policy_iteration
from .mdp import average_reward as average_reward
from .mdp import backward_induction as backward_induction
from .mdp import blackwell_policy as blackwell_policy
from .mdp import critical_discounts as critical_discounts
from .mdp import four_state_chain as four_state_chain
from .mdp import modified_policy_iteration as modified_policy_iteration
from .mdp import optimal_actions as optimal_actions
from .mdp import optimal_policies as optimal_policies
from .mdp import policy_evaluation as policy_evaluation
from .mdp import policy_iteration as policy_iteration
from .mdp import simulate as simulate
from .mdp import value_iteration as value_iteration
from .runs.checkpoint import CheckpointError as CheckpointError
from .runs.run import Run as Run
from .runs.warm_start import warm_start as warm_start
from .settings import TrainingOptions as TrainingOptions
from .settings import VAEConfig as VAEConfig
from .training.evaluation import evaluate as evaluate
from .training.loop import train as train
from .training.parallel.threads import limited_blas_threads as limited_blas_threads
from .training.state import TrainingState as TrainingState
from .training.state import initial_state as initial_state
from .training.step import NotFiniteError as NotFiniteError
from .vae import Adam as Adam
from .vae import Parameters as Parameters
from .vae import check_gradients as check_gradients
from .vae import decode as decode
from .vae import encode as encode
from .vae import init_params as init_params
from .vae import log_marginal as log_marginal
from .vae import negative_elbo as negative_elbo
from .vae import negative_elbo_backward as negative_elbo_backward

__version__: str
