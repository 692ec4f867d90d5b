"""From the text of a review to the numbers that a network reads."""
