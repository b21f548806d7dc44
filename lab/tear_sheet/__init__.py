"""The tear sheet of a backtest as a single HTML file that needs nothing else."""

from lab.tear_sheet.page import build_tear_sheet, write_tear_sheet

__all__ = ["build_tear_sheet", "write_tear_sheet"]
