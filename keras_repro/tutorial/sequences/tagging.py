"""Words as tags of their characters, and back.

The tags B, M, E and S are those of Xue (2003), Chinese Word Segmentation as Character Tagging.
"""

from collections.abc import Iterable

import numpy as np

from keras_repro.text.terms import TAGS

# A word ends here for certain, so what follows can be tagged by itself. People's Daily has no word
# with one of these in it.
ENDS = frozenset("，。；：！？、")

BEGIN, MIDDLE, END, SINGLE = range(len(TAGS))
# Which tag may follow which: of shape (before, after).
FOLLOWS = np.zeros((len(TAGS), len(TAGS)), bool)
FOLLOWS[BEGIN, [MIDDLE, END]] = True
FOLLOWS[MIDDLE, [MIDDLE, END]] = True
FOLLOWS[END, [BEGIN, SINGLE]] = True
FOLLOWS[SINGLE, [BEGIN, SINGLE]] = True


def pieces(line: str) -> list[str]:
    """Cut a line after each mark of `ENDS`; joined they are the line again.

    >>> pieces("你好，世界。再见")
    ['你好，', '世界。', '再见']
    """
    found, start = [], 0
    for place, character in enumerate(line, start=1):
        if character in ENDS or place == len(line):
            found.append(line[start:place])
            start = place
    return found


def tags(words: Iterable[str]) -> str:
    """Return a tag for each character.

    >>> tags(["中国", "的", "计算机"])
    'BESBME'
    """
    return "".join("S" if len(word) == 1 else "B" + "M" * (len(word) - 2) + "E" for word in words)


def words_begin(found: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Return whether a word begins at each character, bool of shape (total,).

    Args:
        found: the tags' ids of all lines in turn, of shape (total,).
        lines: where each line begins, and the total: of shape (lines + 1,).

    """
    begins = np.isin(found, [BEGIN, SINGLE])
    begins[1:] |= np.isin(found[:-1], [END, SINGLE])
    begins[lines[:-1]] = True
    return begins


def likeliest(probabilities: np.ndarray) -> np.ndarray:
    """Return the likeliest sequence of tags of which each may follow the one before.

    Found with the algorithm of Viterbi (1967); all sequences that are allowed count as equally
    likely beforehand.

    Args:
        probabilities: of each tag at each of the characters, of shape (length, 4).

    """
    scores = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    steps = np.where(FOLLOWS, 0.0, -np.inf)
    best = np.where([True, False, False, True], scores[0], -np.inf)
    came_from = []
    for score in scores[1:]:
        paths = best[:, None] + steps
        came_from.append(paths.argmax(axis=0))
        best = paths.max(axis=0) + score
    if np.isfinite(best[[END, SINGLE]]).any():
        best[[BEGIN, MIDDLE]] = -np.inf
    path = [int(best.argmax())]
    for previous in reversed(came_from):
        path.append(int(previous[path[-1]]))
    return np.array(path[::-1], np.int32)
