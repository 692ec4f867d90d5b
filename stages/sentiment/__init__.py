"""The baselines, and all sentiment classifiers beside each other."""
