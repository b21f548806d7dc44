"""The local platform as a service: what `openbell up` runs."""
