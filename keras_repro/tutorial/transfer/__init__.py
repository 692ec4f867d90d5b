"""A network that has learned one task, put to use for another that has few images."""
