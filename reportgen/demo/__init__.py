"""Simulated galaxy encounters in, a trained run and its probe set out: something real to report on."""
