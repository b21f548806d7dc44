"""What `openbell walk-forward` and `openbell sweep` share: their arguments, their tables, and trials in a cloud."""
