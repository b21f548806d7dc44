"""What holds for every test."""

import os

# Powertools reads it once, when the first test imports a handler, whichever that is in this worker.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Openbell")
