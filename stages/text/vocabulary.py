"""Tokens as numbers."""

from collections import Counter
from collections.abc import Iterable

PAD, UNKNOWN = 0, 1
FIRST_ID = 2


def learn(counts: Counter[str], min_count: int, num_words: int | None) -> dict[str, int]:
    """Return the ids of tokens, the commonest first; of equally common ones the lesser string.

    Args:
        counts: how often the training split has each token.
        min_count: rarer tokens get no id.
        num_words: how many tokens get an id at most; None for all.

    >>> learn(Counter(["好", "好", "书", "书", "贵", "贵", "慢"]), min_count=2, num_words=2)
    {'书': 2, '好': 3}

    """
    frequent = (token for token, count in counts.items() if count >= min_count)
    ranked = sorted(frequent, key=lambda token: (-counts[token], token))
    return {token: number for number, token in enumerate(ranked[:num_words], start=FIRST_ID)}


def encode(tokens: Iterable[str], vocabulary: dict[str, int], max_length: int) -> list[int]:
    """Return the ids of the first `max_length` tokens; a review without any is one unknown token.

    >>> encode(["好", "慢", "书"], {"书": 2, "好": 3}, max_length=2)
    [3, 1]
    """
    ids = [vocabulary.get(token, UNKNOWN) for token in tokens]
    return ids[:max_length] or [UNKNOWN]
