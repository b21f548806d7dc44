"""Forecasts on the command line: prices in, what is expected and how good that was out."""
