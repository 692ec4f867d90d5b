"""Where datasets come from and how each of their formats is read."""
