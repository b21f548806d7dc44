"""The dashboard of the template, shown as CloudWatch shows it: its own body, CloudWatch's metrics, its widgets."""

from console.dashboard.page import add_dashboard

__all__ = ["add_dashboard"]
