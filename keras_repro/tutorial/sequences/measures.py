"""The metrics of each sequence model, those of its baseline beside them."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import keras
import numpy as np

from keras_repro.core import files, params, paths
from keras_repro.core.params import Params
from keras_repro.inputs.words import WordReader
from keras_repro.reproducibility.exact import archive
from keras_repro.text import ragged, segmentation
from keras_repro.text.terms import UNKNOWN
from keras_repro.tutorial.sequences import baselines, data, decoding, scores, tagging

Metrics = dict[str, float]
BASELINE, JUDGE = "seq2seq_one_to_one", "sentiment_bilstm"


def one_to_one(model: keras.Model, split: str, settings: Params) -> Metrics:
    """Return accuracy and perplexity beside those of smoothed counts of pairs."""
    own = settings.seq2seq.seq2seq_one_to_one
    (text,) = data.arrays("text", "train", "characters")
    counts = baselines.Bigrams(text, data.sizes("text").vocabularies["characters"])
    chosen = data.load("text", split, own)
    inputs, after, _ = chosen.gather(np.arange(len(chosen.lengths)))
    before = inputs["characters"][:, -1]
    return _next_tokens(model, chosen, settings) | {
        "accuracy_bigrams": float((counts.likeliest(before) == after).mean()),
        "perplexity_bigrams": scores.perplexity(counts.probabilities(before, after)),
    }


def many_to_one(model: keras.Model, split: str, settings: Params) -> Metrics:
    """Return accuracy and perplexity beside those of `seq2seq_one_to_one` on the same places."""
    own = settings.seq2seq.seq2seq_many_to_one
    chosen = data.load("text", split, own)

    def only_the_last(rows: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        inputs, after, weights = chosen.gather(rows)
        return {"characters": inputs["characters"][:, -1:]}, after, weights

    baseline = archive.load(paths.model(BASELINE))
    other = _next_tokens(baseline, data.Split(only_the_last, chosen.lengths), settings)
    return _next_tokens(model, chosen, settings) | {
        "accuracy_one_to_one": other["accuracy"],
        "perplexity_one_to_one": other["perplexity"],
    }


def one_to_many(model: keras.Model, split: str, settings: Params) -> Metrics:
    """Return what `sentiment_bilstm` makes of generated reviews, and how varied these are.

    Real reviews of the split, as many and cut at the same length, stand beside them; so does the
    agreement with the labels in random order, which is that of a generator that ignores labels.
    """
    own = settings.seq2seq.seq2seq_one_to_many
    random = np.random.default_rng(settings.runtime.seed)
    labels = np.arange(own.reviews) % 2
    texts = generated(model, labels, settings, random)
    real_labels, real = _real_reviews(split, own.reviews)
    called = _judged(texts, settings)
    return _next_tokens(model, data.load("opinions", split, own), settings) | {
        "agreement": float((called == labels).mean()),
        "agreement_shuffled": float((called == random.permutation(labels)).mean()),
        "agreement_real": float((_judged(real, settings) == real_labels).mean()),
        "distinct_1": scores.distinct(texts, 1),
        "distinct_1_real": scores.distinct(real, 1),
        "distinct_2": scores.distinct(texts, 2),
        "distinct_2_real": scores.distinct(real, 2),
        "n_generated": own.reviews,
    }


def many_to_many(model: keras.Model, split: str, settings: Params) -> Metrics:
    """Return precision, recall and F1 of words beside jieba's on the same lines."""
    chosen = data.load("words", split, settings.seq2seq.seq2seq_many_to_many)
    tags, offsets, text, lines = data.arrays("words", split, "tags", "offsets", "text", "lines")
    found = np.zeros_like(tags)
    batches = data.in_batches(chosen, settings.evaluate.batch_size)
    for number, rows in enumerate(batches.rows):
        inputs, _, _ = batches[number]
        for row, probabilities in zip(rows, model.predict_on_batch(inputs), strict=True):
            start, end = offsets[row], offsets[row + 1]
            found[start:end] = tagging.likeliest(probabilities[: end - start])
    truth = tagging.words_begin(tags, lines)
    characters = "".join(map(chr, text.tolist()))
    cut = [characters[start:end] for start, end in pairwise(lines)]
    jieba = {
        name: scores.word_scores(truth, baselines.jieba_begins(cut, hmm=hmm))["f1"]
        for name, hmm in (("f1_jieba", True), ("f1_jieba_without_hmm", False))
    }
    own = scores.word_scores(truth, tagging.words_begin(found, lines))
    return own | jieba | {"n_test": int(truth.sum())}


def encoder_decoder(model: keras.Model, split: str, settings: Params) -> Metrics:
    """Return the share of words that are spelt right, beside the commonest reading of each.

    Once for all words, once for those with a character that has several readings in training.
    """
    own = settings.seq2seq.seq2seq_encoder_decoder
    commonest = baselines.Readings(
        _sequences("train", "character"), _sequences("train", "syllable")
    )
    words = list(_sequences(split, "character"))
    truth = [spoken[:-1] for spoken in _sequences(split, "syllable")]
    said = _spelt(model, split, own, settings.evaluate.batch_size)
    counted = [commonest.read(word) for word in words]
    several = [number for number, word in enumerate(words) if commonest.is_polyphonic(word)]
    metrics: Metrics = {"n_test": len(words), "n_test_polyphonic": len(several)}
    for name, rows in (("", range(len(words))), ("_polyphonic", several)):
        if rows:
            expected = [truth[row] for row in rows]
            match = scores.exact_match(expected, [said[row] for row in rows])
            base = scores.exact_match(expected, [counted[row] for row in rows])
            metrics |= {f"exact_match{name}": match, f"exact_match{name}_most_frequent": base}
    return metrics


MEASURES: dict[str, Callable[[keras.Model, str, Params], Metrics]] = {
    "seq2seq_one_to_one": one_to_one,
    "seq2seq_many_to_one": many_to_one,
    "seq2seq_one_to_many": one_to_many,
    "seq2seq_many_to_many": many_to_many,
    "seq2seq_encoder_decoder": encoder_decoder,
}


def generated(
    model: keras.Model, labels: np.ndarray, settings: Params, random: np.random.Generator
) -> list[str]:
    """Return a review for each label, drawn from `seq2seq_one_to_many`."""
    own = settings.seq2seq.seq2seq_one_to_many
    written = decoding.write(
        decoding.guided(decoding.following(model), own.guidance),
        {"label": labels[:, None].astype(np.int32)},
        data.boundary("opinions", "characters"),
        settings.seq2seq.data.review_length,
        decoding.sampling(random, own.temperature),
    )
    return _texts(written)


def _next_tokens(model: keras.Model, split: data.Split, settings: Params) -> Metrics:
    """Return accuracy and perplexity over all targets that do not pad."""
    batches = data.in_batches(split, settings.evaluate.batch_size)
    likelihoods, right = [], []
    for number in range(len(batches)):
        inputs, targets, weights = batches[number]
        predicted = model.predict_on_batch(inputs)
        counts = weights > 0
        given = np.take_along_axis(predicted, targets[..., None], axis=-1)[..., 0]
        likelihoods.append(given[counts])
        right.append((predicted.argmax(axis=-1) == targets)[counts])
    every = np.concatenate(likelihoods)
    return {
        "accuracy": float(np.concatenate(right).mean()),
        "perplexity": scores.perplexity(every),
        "n_test": len(every),
    }


def _real_reviews(split: str, count: int) -> tuple[np.ndarray, list[str]]:
    """Return the first reviews of a split with their labels, half of them of each label."""
    labels, characters, offsets = data.arrays("opinions", split, "labels", "characters", "offsets")
    rows = np.concatenate([np.flatnonzero(labels == label)[: count // 2] for label in (0, 1)])
    end = data.boundary("opinions", "characters")
    padded = ragged.padded(characters, offsets, rows)
    return labels[rows], _texts(np.where(padded == end, 0, padded))


def _texts(written: np.ndarray) -> list[str]:
    """Return rows of ids as texts; padding is nothing and what is unknown a mark of its own."""
    names = {number: token for token, number in data.vocabulary("opinions", "characters").items()}
    names[UNKNOWN] = "□"
    return ["".join(names.get(token, "") for token in row) for row in written.tolist()]


def _judged(texts: list[str], settings: Params) -> np.ndarray:
    """Return the label that `sentiment_bilstm` gives to each text, of shape (N,)."""
    reader = WordReader(
        segmentation.Segmenter(segmentation.load(settings.segment)),
        files.read_json(paths.VOCABULARY),
        settings.tokenize.max_length,
    )
    padded = reader.encoded(texts).padded(np.arange(len(texts)))
    judge = archive.load(paths.model(JUDGE))
    labels: np.ndarray = judge.predict_on_batch(reader.inputs(padded)).argmax(axis=1)
    return labels


def _sequences(split: str, kind: str) -> Iterator[list[int]]:
    values, offsets = data.arrays("readings", split, f"{kind}s", f"{kind}_offsets")
    for start, end in pairwise(offsets):
        yield values[start:end].tolist()


def _spelt(
    model: keras.Model, split: str, own: params.EncoderDecoder, batch_size: int
) -> list[list[int]]:
    """Return the syllables that a model writes for each word."""
    batches = data.in_batches(data.load("readings", split, own), batch_size)
    said: list[list[int]] = [[] for rows in batches.rows for _ in rows]
    predict = decoding.following(model)
    first = data.boundary("readings", "syllables")
    for number, rows in enumerate(batches.rows):
        inputs, _, _ = batches[number]
        words = {"characters": inputs["characters"]}
        written = decoding.write(predict, words, first, own.max_length, decoding.greedy)
        for row, tokens in zip(rows, written, strict=True):
            said[row] = tokens[tokens > 0].tolist()
    return said
