"""Write a corpus of three classes: `python benchmarks/three_classes.py CORPUS TABLE`.

CORPUS is online_shopping_10_cats.zip, which has no neutral reviews. Such a one is made of two, as
many say what is good and then what is bad: half of a positive and half of a negative review of the
same kind of goods, which stand nowhere else. TABLE gets the columns `star` (1, 3 or 5) and `text`.
"""

import argparse
import csv
import io
import re
import zipfile
from pathlib import Path

import numpy as np

PER_CLASS, SEED = 5000, 0
LONGEST = 200  # characters of a review
JOINTS = ("，", "，但是", "，不过", "。就是", "。")
CLAUSE_END = re.compile(r"[，。！？；,!?;]")


def main() -> None:
    """Write the corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("table", type=Path)
    arguments = parser.parse_args()
    random = np.random.default_rng(SEED)
    rows = read(arguments.corpus)
    order = random.permutation(len(rows))
    left: dict[tuple[str, str], list[str]] = {}
    for place in order:
        kind, label, text = rows[place]
        if 0 < len(text) <= LONGEST:
            left.setdefault((kind, label), []).append(text)
    kinds = sorted({kind for kind, _ in left})
    made = []
    for number in range(PER_CLASS):
        kind = kinds[number % len(kinds)]
        good, bad = (left[kind, label] or left[kinds[0], label] for label in "10")
        if len(good) < 2 or len(bad) < 2:  # noqa: PLR2004 - one of each, and halves of two others
            continue
        halves = [half(good.pop()), half(bad.pop())]
        random.shuffle(halves)
        neutral = str(random.choice(JOINTS)).join(halves)
        made += [(5, good.pop()), (1, bad.pop()), (3, neutral)]
    with arguments.table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("star", "text"), *made])


def read(path: Path) -> list[tuple[str, str, str]]:
    """Return the kind of goods, the label and the text of each review."""
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
        lines = csv.DictReader(io.TextIOWrapper(file, "utf-8-sig", newline=""))
        return [(row["cat"], row["label"], " ".join(row["review"].split())) for row in lines]


def half(text: str) -> str:
    """Return the clauses of a text up to its middle, at least one.

    >>> half("屏幕很好，声音也好。电池差！")
    '屏幕很好，声音也好'
    """
    ends = [match.start() for match in CLAUSE_END.finditer(text)] or [len(text)]
    return text[: next((end for end in ends if 2 * end >= len(text)), ends[-1])]


if __name__ == "__main__":
    main()
