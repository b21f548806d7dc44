"""Deployments over a running platform."""
