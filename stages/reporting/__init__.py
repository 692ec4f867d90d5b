"""The figures as people read them."""
