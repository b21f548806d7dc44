"""One file for each state of the workflow: what its Lambda does, without AWS."""
