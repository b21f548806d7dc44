"""What surrounds the code: the template, the state machine, the deploy profiles, the directions of imports."""
