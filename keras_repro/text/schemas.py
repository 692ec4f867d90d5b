"""The tables of reviews: what the parsers leave, and what each stage makes of it."""

import pyarrow as pa

# Every row of a corpus is here. `rating` is from 1 to 5, or 0 where the site lets its users give
# none; where reviews.classes lists labels, it is the number of one, counted from 1, or 0 for none
# of them. `line` counts from 1 where the row starts in its file. Of a row that is no review,
# `fault` says why, `text` is the row as it was, and `rating` is null.
RAW = pa.schema(
    [
        ("rating", pa.int8()),
        ("text", pa.string()),
        ("source", pa.string()),
        ("line", pa.int64()),
        ("fault", pa.string()),
    ]
)

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
