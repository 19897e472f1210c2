"""Training: minibatches, one step, several processes, evaluation."""
