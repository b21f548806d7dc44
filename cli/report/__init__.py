"""The report of one or more runs as a single HTML file that needs nothing else."""

from cli.report.page import build_page, write_page

__all__ = ["build_page", "write_page"]
