"""Training runs on disk: checkpoints, run directories, the HTML report."""
