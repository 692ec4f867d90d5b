"""The metrics as people read them."""
