"""The canonical table of reviews."""

import pyarrow as pa

# Every row of a corpus is here. `rating` is from 1 to 5, or 0 where the site lets its users give
# none; `line` counts from 1 where the row starts in its file. Of a row that is no review, `fault`
# says why, `text` is the row as it was, and `rating` is null.
SCHEMA = pa.schema(
    [
        ("rating", pa.int8()),
        ("text", pa.string()),
        ("source", pa.string()),
        ("line", pa.int64()),
        ("fault", pa.string()),
    ]
)

NO_TEXT = "no text"
NO_RATING = "no rating"
NO_NUMBER = "rating is no number"
OUT_OF_RANGE = "rating out of range"
NO_LABEL = "no label"
UNKNOWN_LABEL = "unknown label"
UNDECODABLE = "undecodable bytes"
NUL = "NUL character"
BROKEN_QUOTE = "broken quote"
OTHER_WIDTH = "other number of columns"
NO_OBJECT = "no JSON object"
TOO_LONG = "text too long"

FAULTS = (
    NO_TEXT,
    NO_RATING,
    NO_NUMBER,
    OUT_OF_RANGE,
    NO_LABEL,
    UNKNOWN_LABEL,
    UNDECODABLE,
    NUL,
    BROKEN_QUOTE,
    OTHER_WIDTH,
    NO_OBJECT,
    TOO_LONG,
)
