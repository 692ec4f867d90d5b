"""The tables of reviews between the stages."""

import pyarrow as pa

PREPARED = pa.schema(
    [
        ("id", pa.string()),
        ("label", pa.int8()),
        ("text", pa.string()),
        ("split", pa.string()),
        ("source", pa.string()),
    ]
)
SEGMENTED = PREPARED.append(pa.field("tokens", pa.list_(pa.string())))

NEGATIVE, POSITIVE = 0, 1
CLASSES = ("negative", "positive")
# The ids of no token and of any without an id of its own.
PAD, UNKNOWN = 0, 1
UNKNOWN_TOKEN = "<unknown>"  # noqa: S105 - a word, no password
SPLITS = ("train", "validation", "test")

# The source whose texts are words already cut, joined by blanks.
SEGMENTED_SOURCE = "segmented"
