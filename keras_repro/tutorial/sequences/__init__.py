"""The tutorial's kinds of sequence models: what they learn from, how they answer, how well."""

# A token that no text has in it: it ends a line, and tells a decoder to begin and when to stop.
BOUNDARY = "\n"
