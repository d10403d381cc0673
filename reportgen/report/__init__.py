"""Sections in, report.html, report.pdf and report.json out."""

from reportgen.report.report import Progress, Report, build_report, with_failures

__all__ = ["Progress", "Report", "build_report", "with_failures"]
