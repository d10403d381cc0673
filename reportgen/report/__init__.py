"""Sections in, report.html, report.pdf and report.json out."""
