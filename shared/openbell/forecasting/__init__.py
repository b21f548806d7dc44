"""Prophet's model without Prophet's cost: exact fits, batches of tickers, honest intervals, scores."""
