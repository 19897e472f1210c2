"""The exercises: which functions are taken out of the two books, in order of
difficulty.

Everything else about a function (its signature, docstring and prose) is read from the
package's own source.
"""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import NamedTuple


class Exercise(NamedTuple):
    """One function to write.

    name       of the function, or Class.method
    chapter    the module that defines it: "vae.layers"
    answers    private helpers that contain the answer: an exercise file goes without them
    """

    name: str
    chapter: str
    answers: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        """The module's attribute to look for: the function, or the class of a method"""
        return self.name.split(".")[0]


EXERCISES = [
    Exercise("linear", "vae.layers"),
    Exercise("relu", "vae.layers"),
    Exercise("relu_backward", "vae.layers"),
    Exercise("tanh_backward", "vae.layers"),
    Exercise("entropy", "vae.gaussian"),
    Exercise("log_density", "vae.gaussian"),
    Exercise("reparameterize", "vae.gaussian"),
    Exercise("cross_entropy", "vae.gaussian"),
    Exercise("kl_divergence", "vae.gaussian"),
    Exercise("linear_backward_params", "vae.layers"),
    Exercise("linear_backward", "vae.layers"),
    Exercise("kl_divergence_backward", "vae.gaussian"),
    Exercise("log_density_backward", "vae.gaussian"),
    Exercise("reparameterize_backward", "vae.gaussian"),
    Exercise("sigmoid", "vae.bernoulli"),
    Exercise("softplus", "vae.bernoulli"),
    Exercise("log_prob", "vae.bernoulli"),
    Exercise("log_prob_backward", "vae.bernoulli"),
    Exercise("mlp", "vae.model"),
    Exercise("mlp_backward", "vae.model"),
    Exercise("encode_backward", "vae.model"),
    Exercise("decode_backward", "vae.model"),
    Exercise("elbo_terms", "vae.elbo"),
    Exercise("negative_elbo", "vae.elbo"),
    Exercise("negative_elbo_backward", "vae.elbo"),
    Exercise("adam_update", "vae.adam"),
    Exercise("Adam.step", "vae.adam"),
    Exercise("central_difference_gradient", "vae.gradcheck"),
    Exercise("complex_step_gradient", "vae.gradcheck"),
    Exercise("log_mean_exp", "vae.iwae"),
    Exercise("normalized_weights", "vae.iwae"),
    Exercise("log_importance_weights", "vae.iwae"),
    Exercise("negative_iwae", "vae.iwae"),
    Exercise("negative_iwae_backward", "vae.iwae"),
    Exercise("log_marginal", "vae.iwae"),
    Exercise(
        "negative_elbo_stl_backward",
        "vae.gradient_estimators",
        answers=("_path_derivative",),
    ),
    Exercise(
        "negative_iwae_dreg_backward",
        "vae.gradient_estimators",
        answers=("_path_derivative",),
    ),
    Exercise("join_class", "vae.model"),
    Exercise("class_probabilities", "vae.conditional"),
    Exercise("action_values", "mdp.bellman"),
    Exercise("bellman_operator", "mdp.bellman"),
    Exercise("policy_evaluation", "mdp.bellman"),
    Exercise("advantages", "mdp.bellman"),
    Exercise("greedy_policy", "mdp.improvement"),
    Exercise("value_iteration", "mdp.contraction"),
    Exercise("policy_iteration", "mdp.improvement", answers=("solve_exactly",)),
    Exercise("modified_policy_iteration", "mdp.span"),
    Exercise("backward_induction", "mdp.horizon"),
    Exercise("state_visitation", "mdp.average"),
]
BY_NAME = {exercise.name: exercise for exercise in EXERCISES}


OTHERS = {
    "tanh": "vae.layers",
    "encode": "vae.model",
    "decode": "vae.model",
    "negative_elbo_stl": "vae.gradient_estimators",
}


def chapter_module(chapter: str) -> ModuleType:
    """The package's module of a chapter"""
    return import_module(f"{__name__.partition('.')[0]}.{chapter}")


def package_function(name: str) -> Callable:
    """The package's own function of an exercise, or of OTHERS, which the checks call;
    for a method its class
    """
    chapter = OTHERS[name] if name in OTHERS else BY_NAME[name].chapter
    return getattr(chapter_module(chapter), name.split(".")[0])
