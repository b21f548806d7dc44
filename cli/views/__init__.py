"""What the commands about a platform show: each file reads one view of it, and lays it out as tables."""
