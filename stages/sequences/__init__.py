"""The tutorial's kinds of sequence models: what they learn from, how they answer, how well."""

# The tags of a word's characters: its beginning, middle and end, or a word of a single one. Their
# ids are their places.
TAGS = "BMES"

# A token that no text has in it: it ends a line, and tells a decoder to begin and when to stop.
BOUNDARY = "\n"
