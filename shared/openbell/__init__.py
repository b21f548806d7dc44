"""Openbell's domain: what every Lambda, the local cloud and the backtest share."""
