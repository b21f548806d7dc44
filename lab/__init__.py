"""The laboratory: the platform's own decisions in one process over market history. Ships to the sweeps' Lambda only."""
