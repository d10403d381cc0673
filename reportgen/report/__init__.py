"""Sections in, report.html, report.pdf and report.json out."""

from reportgen.report.report import Report, build_report, with_failures

__all__ = ["Report", "build_report", "with_failures"]
