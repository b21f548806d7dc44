"""From a sealed plan to booked fills: submit once, settle, reconcile."""
