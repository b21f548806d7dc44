"""Runs that really happened, each beside the backtest of the same moment, and where the difference came from."""
