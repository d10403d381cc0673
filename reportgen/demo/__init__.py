"""Simulated galaxy encounters in, two trained runs and their probe set out: something real to report on."""

from reportgen.demo.folder import make_demo

__all__ = ["make_demo"]
