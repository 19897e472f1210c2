"""What each exercise returns, in its own names."""

from collections.abc import Mapping

CACHES = ("cache", "caches", "decoder_cache")

# The names of what is returned, where it is more than one array
RETURNS = {
    "linear": ("y", "cache"),
    "relu": ("y", "cache"),
    "linear_backward_params": ("dW", "db"),
    "linear_backward": ("dx", "dW", "db"),
    "kl_divergence_backward": ("dmu_q", "dlogvar_q"),
    "log_density_backward": ("dx", "dmu", "dlogvar"),
    "reparameterize_backward": ("dmu", "dlogvar"),
    "mlp": ("y", "caches"),
    "mlp_backward": ("what is returned",),
    "decode_backward": ("dz", "grads"),
    "elbo_terms": ("log_px", "kl", "cache"),
    "negative_elbo": ("loss", "cache"),
    "adam_update": ("theta", "m", "v"),
    "log_importance_weights": ("log_w", "z", "y", "decoder_cache"),
    "negative_iwae": ("loss", "cache"),
    "log_marginal": ("log_px", "error"),
    "value_iteration": ("policy", "values"),
    "policy_iteration": ("policy", "values"),
    "modified_policy_iteration": ("policy", "values"),
    "backward_induction": ("policies", "values"),
}


def output_names(exercise: str, inputs: Mapping, count: int) -> tuple[str, ...]:
    """The names of the `count` outputs of a trial: (dx, dW, db), or those of params"""
    returned = tuple(
        name for name in RETURNS.get(exercise, ()) if name not in (*CACHES, "grads")
    )
    parameters = tuple(inputs.get("params", ()))
    if exercise in ("mlp", "mlp_backward"):  # grads of linear 1, 2, … of the encoder
        parameters = tuple(
            name
            for name in parameters
            if name.startswith("encoder") and ".0." not in name
        )
    if count == len(returned):
        return returned
    if parameters and count == len(parameters):
        return tuple(f"grads[{name!r}]" for name in parameters)
    if parameters and count == len(parameters) + 1:
        return (returned[0], *(f"grads[{name!r}]" for name in parameters))
    if 1 < count < len(returned):  # what is written into grads = (dW, db)
        return returned[-count:]
    if count == 1:
        return returned[:1]
    return tuple(f"output {k} of {count}" for k in range(1, count + 1))
