"""Yahoo Finance, through yfinance."""
