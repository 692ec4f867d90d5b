"""Metrics, curves and mistakes from predicted probabilities."""
