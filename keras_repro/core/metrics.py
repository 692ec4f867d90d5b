"""The metrics of a classifier, as every file, table and page lists them."""

# Scores from 0 to 1, the greater the better.
SCORES = ("accuracy", "precision", "recall", "f1")
# All of metrics/NAME.json.
ALL = (*SCORES, "loss", "n_test")
