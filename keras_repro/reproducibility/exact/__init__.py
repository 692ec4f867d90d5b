"""What a training needs for equal bytes: canonical archives, and what this machine computes."""
