"""What stands in the tables of reviews: classes, splits, tokens, and what is wrong with a row."""

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

# What a message says of a fault that is mostly one of the settings.
EXPECTED = {
    NO_NUMBER: "numbers up to reviews.rating_scale, or such as 4.5分, 8/10, 80%, ★★★★☆, 五星, 力荐 "
    "(docs/reviews.md lists all); reviews.labels says what others mean",
    OUT_OF_RANGE: "numbers up to reviews.rating_scale",
    UNKNOWN_LABEL: "0 and 1, pos and neg, 正面 and 负面, 好评 and 差评 (docs/reviews.md lists "
    "all); reviews.labels says what others mean",
    UNDECODABLE: "another reviews.encoding",
    NO_OBJECT: 'an object such as {"text": "很好", "label": 1} in each line',
    OTHER_WIDTH: "as many columns as the first row has",
    TOO_LONG: "at most prepare.max_characters",
}

NEGATIVE, POSITIVE = 0, 1
# By label, unless reviews.classes names others.
CLASSES = ("negative", "positive")
# The ids of no token and of any without an id of its own.
PAD, UNKNOWN = 0, 1
UNKNOWN_TOKEN = "<unknown>"  # noqa: S105 - a word, no password
SPLITS = ("train", "validation", "test")

# The source whose texts are words already cut, joined by blanks.
SEGMENTED_SOURCE = "segmented"

# The tags of a word's characters: its beginning, middle and end, or a word of a single one. Their
# ids are their places.
TAGS = "BMES"
