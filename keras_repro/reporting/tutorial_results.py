"""The tables of the pages on the tutorial's further parts, from metrics/."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.reporting import readings


class Row(NamedTuple):
    """A row on a sequence model: what was measured, here and beside it, by metrics/NAME.json."""

    name: str
    metric: str
    here: str
    beside: str


class Words(NamedTuple):
    """What the tables say beside their metrics, in one language."""

    epoch: str
    training: str
    test: str
    transfer: str
    gain: str
    sequences: str
    rows: tuple[Row, ...]


ENGLISH = Words(
    "epoch",
    "training images, last epoch",
    "test images",
    "| {:,} test images | accuracy | F1 |",
    "what transfer gains",
    "| model | metric | here | beside it |",
    (
        Row(
            "seq2seq_one_to_one",
            "perplexity of {n_test:,} characters",
            "{perplexity:.1f}",
            "{perplexity_bigrams:.1f}",
        ),
        Row("seq2seq_many_to_one", "the same", "{perplexity:.1f}", "{perplexity_one_to_one:.1f}"),
        Row(
            "seq2seq_one_to_many",
            "of {n_generated} reviews, those called as asked for",
            "{agreement:.3f}",
            "{agreement_shuffled:.3f} shuffled, {agreement_real:.3f} real",
        ),
        Row(
            "seq2seq_one_to_many",
            "different pairs of characters among all",
            "{distinct_2:.3f}",
            "{distinct_2_real:.3f} real",
        ),
        Row(
            "seq2seq_many_to_many",
            "F1 of {n_test:,} words",
            "{f1:.3f}",
            "{f1_jieba:.3f}; {f1_jieba_without_hmm:.3f} without its hidden Markov model",
        ),
        Row(
            "seq2seq_encoder_decoder",
            "exact match of {n_test:,} words",
            "{exact_match:.3f}",
            "{exact_match_most_frequent:.3f}",
        ),
        Row(
            "seq2seq_encoder_decoder",
            "of the {n_test_polyphonic} with a character of several readings",
            "{exact_match_polyphonic:.3f}",
            "{exact_match_polyphonic_most_frequent:.3f}",
        ),
    ),
)
_TOLD = (
    "{n_test:,} 个字的困惑度",
    "同上",
    "{n_generated} 条评论里，与要求的正负一致的",
    "不重复的相邻两字占全部的比例",
    "{n_test:,} 个词的 F1",
    "{n_test:,} 个词，拼音全对的",
    "其中 {n_test_polyphonic} 个含多音字的词",
)
_BESIDE = {
    2: "{agreement_shuffled:.3f}（标签打乱），{agreement_real:.3f}（真实评论）",
    3: "{distinct_2_real:.3f}（真实评论）",
    4: "{f1_jieba:.3f}；关掉隐马尔可夫模型 {f1_jieba_without_hmm:.3f}",
}
CHINESE = Words(
    "轮",
    "训练集，最后一轮",
    "测试集",
    "| {:,} 张测试图像 | 准确率 | F1 |",
    "迁移带来的提高",
    "| 模型 | 指标 | 本项目 | 对照 |",
    tuple(
        row._replace(metric=told, beside=_BESIDE.get(number, row.beside))
        for number, (row, told) in enumerate(zip(ENGLISH.rows, _TOLD, strict=True))
    ),
)


def models(words: Words) -> str:
    """Return a table of the accuracy of cifar10_cnn, and of it without shared weights, by epoch.

    Raises:
        ReproError: a history or metrics are missing.

    """
    columns = {"epoch": int, "accuracy": float, "val_accuracy": float}
    found = {}
    for name in ("cifar10_cnn", "cifar10_local"):
        history = readings.table(paths.history(name), columns)
        if history is None:
            raise ReproError(f"{paths.history(name)}: not found; expected it of `make repro-all`")
        found[name] = history
    # One may have stopped earlier.
    by_epoch = zip(*(history["val_accuracy"] for history in found.values()), strict=False)
    rows: list[tuple[int | str, Sequence[float]]] = list(enumerate(by_epoch, start=1))
    rows += [
        (words.training, [history["accuracy"].iloc[-1] for history in found.values()]),
        (words.test, [_Metrics(name)["accuracy"] for name in found]),
    ]
    lines = [f"| {words.epoch} | {' | '.join(f'`{name}`' for name in found)} |"]
    lines.append("|---:|---:|---:|")
    for head, values in rows:
        lines.append(f"| {head} | {' | '.join(f'{value:.3f}' for value in values)} |")
    return "\n".join(lines)


def transfer(words: Words) -> str:
    """Return a table of what transfer learning gives, beside a network from random weights.

    Raises:
        ReproError: metrics are missing.

    """
    names = ("transfer_scratch", "transfer")
    found = {name: _Metrics(name) for name in names}
    lines = [words.transfer.format(found["transfer"]["n_test"]), "|---|--:|--:|"]
    lines += [f"| `{name}` | {of['accuracy']:.3f} | {of['f1']:.3f} |" for name, of in found.items()]
    gains = (found["transfer"][key] - found["transfer_scratch"][key] for key in ("accuracy", "f1"))
    return "\n".join([*lines, f"| {words.gain} | {' | '.join(f'{gain:+.3f}' for gain in gains)} |"])


def sequences(words: Words) -> str:
    """Return a table of the sequence models, each beside a baseline.

    Raises:
        ReproError: metrics are missing.

    """
    lines = [words.sequences, "|---|---|--:|--:|"]
    before = ""
    for row in words.rows:
        of = _Metrics(row.name)
        name = "" if row.name == before else f"`{row.name}`"
        cells = (name, *(cell.format_map(of) for cell in row[1:]))
        lines.append(f"| {' | '.join(cells)} |")
        before = row.name
    return "\n".join(lines)


class _Metrics(dict[str, Any]):
    """The metrics of metrics/NAME.json, which says what it lacks."""

    def __init__(self, name: str) -> None:
        self._path = paths.metrics(name)
        super().__init__(files.read_json(self._path))

    def __missing__(self, key: str) -> Any:
        raise ReproError(f"{self._path}: {key} is missing; expected it of `make repro-all`")
