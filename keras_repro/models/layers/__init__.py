"""Layers that Keras 3 dropped."""
