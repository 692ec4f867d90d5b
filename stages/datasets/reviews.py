"""The canonical table of reviews."""

import pyarrow as pa

SCHEMA = pa.schema([("rating", pa.int8()), ("text", pa.string()), ("source", pa.string())])
