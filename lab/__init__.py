"""The laboratory: the platform's own decisions, played in one process over market history. Never ships to a Lambda."""
