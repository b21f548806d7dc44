"""Alpaca, through alpaca-trade-api."""
