"""Extractions in, Section out: one question each, one Python file and one template of the same stem."""
