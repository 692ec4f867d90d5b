"""Figures, curves and mistakes from predicted probabilities."""
