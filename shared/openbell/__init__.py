"""Openbell."""
