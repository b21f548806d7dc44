"""Adapters to the outside: one product each, imported only where they are used."""
