"""Learn the vocabulary from the training split and encode all: `python -m stages.tokenize`."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tqdm import tqdm

from stages import files, params, paths, runtime
from stages.params import Tokenize
from stages.text import ragged, reviews, vocabulary


def main() -> None:
    """Write the vocabulary and the encoded reviews."""
    settings = params.load().tokenize
    tokens = vocabulary.learn(_training_counts(), settings.min_count, settings.num_words)
    splits = _encoded(tokens, settings)
    files.write_json(paths.VOCABULARY, tokens, sort_keys=False)
    ragged.write(splits, vocabulary.FIRST_ID + len(tokens))


def _training_counts() -> Counter[str]:
    """Count the tokens of the training split: no other may say a word to the vocabulary."""
    counts: Counter[str] = Counter()
    for batch in _read("count"):
        for split, tokens in zip(batch["split"], batch["tokens"], strict=True):
            if split == "train":
                counts.update(tokens)
    return counts


def _encoded(tokens: dict[str, int], settings: Tokenize) -> dict[str, ragged.Encoded]:
    columns: dict[str, tuple[list[str], list[int], list[list[int]]]] = {
        split: ([], [], []) for split in reviews.SPLITS
    }
    for batch in _read("encode"):
        rows = zip(batch["split"], batch["id"], batch["label"], batch["tokens"], strict=True)
        for split, identity, label, words in rows:
            ids, labels, sequences = columns[split]
            ids.append(identity)
            labels.append(label)
            sequences.append(vocabulary.encode(words, tokens, settings.max_length))
    return {split: ragged.encoded(*column) for split, column in columns.items()}


def _read(task: str) -> Iterator[dict[str, list[Any]]]:
    with tqdm(desc=task, unit=" reviews", total=files.count_rows(paths.SEGMENTED_REVIEWS)) as bar:
        for batch in files.read_parquet(paths.SEGMENTED_REVIEWS, reviews.SEGMENTED):
            yield batch
            bar.update(len(batch["id"]))


if __name__ == "__main__":
    runtime.run(main)
