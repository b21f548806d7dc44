"""What the platform relies on at Alpaca, held against the paper exchange and, with keys, a real paper account."""
