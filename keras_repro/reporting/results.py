"""The tables of results in the pages: the metrics in metrics/ beside those of the tutorial."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.metrics import SCORES
from keras_repro.reporting import chinese

LEAST_SHOWN = 0.0001

# What the tutorial states: after one epoch for the images; for the sentiment on about 600,000
# reviews of its own, duplicates kept, after 10 epochs.
TUTORIAL: dict[str, dict[str, float]] = {
    "mnist_sequential": {"accuracy": 0.9755},
    "mnist_functional": {"accuracy": 0.9604},
    "cifar10_cnn": {"accuracy": 0.5627},
    "sentiment_bilstm": {"accuracy": 0.86, "precision": 0.61, "recall": 0.98, "f1": 0.75},
}
# What the baselines are called where they are shown.
BASELINES = {
    "snownlp": "SnowNLP, retrained",
    "fasttext": "fastText",
    "tfidf_word": "TF-IDF of words, linear SVM",
    "tfidf_char": "TF-IDF of characters, linear SVM",
}


class Labels(NamedTuple):
    """What the tables say beside their metrics, in one language."""

    head: str
    here: str
    tutorial: str
    baselines: dict[str, str]
    compared: str
    interval: str
    cases: str
    names: Mapping[str, str]


ENGLISH = Labels(
    "| model | | accuracy | precision | recall | F1 | test items |",
    "here",
    "tutorial",
    BASELINES,
    "| | accuracy | F1 | 95 % | F1 above the baseline's | p "
    "| Brier | threshold | F1 with it | above the baseline's | cases |",
    "{:.3f} to {:.3f}",
    "number",
    {},
)
CHINESE = Labels(
    "| 模型 | | 准确率 | 精确率 | 召回率 | F1 | 测试样本 |",
    "本项目",
    "教程",
    {
        "snownlp": "SnowNLP（重新训练）",
        "fasttext": "fastText",
        "tfidf_word": "词 TF-IDF + 线性 SVM",
        "tfidf_char": "字符 TF-IDF + 线性 SVM",
    },
    "| | 准确率 | F1 | 95% 区间 | 比基线高 | p | Brier | 阈值 | 按阈值的 F1 | 比基线高 | 短句 |",
    "{:.3f} 至 {:.3f}",
    "条数",
    chinese.NAMES,
)


def table(models: Sequence[str], labels: Labels = ENGLISH) -> str:
    """Return a Markdown table: a line per model, one of the tutorial, those of the baselines.

    Raises:
        ReproError: the metrics of a model are missing or lack a metric.

    """
    lines = [labels.head, "|---|---|--:|--:|--:|--:|--:|"]
    for name in models:
        lines.append(f"| `{name}` | {labels.here} | {_measured(name, '**')}")
        if stated := TUTORIAL.get(name):
            theirs = " | ".join(
                f"{stated[metric]:.4f}" if metric in stated else "–" for metric in SCORES
            )
            lines.append(f"| | {labels.tutorial} | {theirs} | |")
    lines += [
        f"| | {title} | {_measured(f'baseline_{name}', '')}"
        for name, title in labels.baselines.items()
        if paths.metrics(f"baseline_{name}").is_file()
    ]
    return "\n".join(lines)


def comparison(labels: Labels = ENGLISH) -> str:
    """Return a Markdown table of all that tell sentiment, the best F1 first.

    Raises:
        ReproError: metrics/sentiment.json is missing.

    """
    from keras_repro.reporting import readings  # imports pandas, which the service does without

    found: dict[str, Any] = files.read_json(paths.metrics("sentiment"))
    shares = readings.behaviour().shares
    baseline = found.pop("baseline")
    lines = [labels.compared, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for name, of in sorted(found.items(), key=lambda item: -item[1]["f1"]):
        probability = of["p_against_baseline"]
        p = "< 0.0001" if probability < LEAST_SHOWN else f"{probability:.4f}"
        gain, two = _gain(of, "f1", labels), "threshold" in of  # of more the likeliest is said
        decided = _gain(of, "f1_at_threshold", labels) if two else ""
        if name == baseline:
            gain = p = decided = ""
        threshold = f"{of['threshold']:.2f} | {of['f1_at_threshold']:.4f}" if two else "|"
        cases = f"{shares[name]['cases']:.2f}" if name in shares else ""
        lines.append(
            f"| `{name}` | {of['accuracy']:.4f} | **{of['f1']:.4f}** "
            f"| {labels.interval.format(of['f1_low'], of['f1_high'])} | {gain} | {p} "
            f"| {of['brier']:.3f} | {threshold} | {decided} | {cases} |"
        )
    return "\n".join(lines)


def capabilities(labels: Labels = ENGLISH) -> str:
    """Return a Markdown table of what all that tell sentiment have right, by capability.

    Raises:
        ReproError: metrics/behaviour.json lacks a capability.

    """
    from keras_repro.reporting import readings

    shares, counts, _ = readings.behaviour()
    head = "".join(f" `{name}` |" for name in shares)
    lines = [f"| | {labels.cases} |{head}", f"|---|--:|{'--:|' * len(shares)}"]
    for capability, count in counts.items():
        cells = "".join(f" {of[capability]:.2f} |" for of in shares.values())
        called = labels.names.get(capability, capability.replace("_", " "))
        lines.append(f"| {called} | {count} |{cells}")
    return "\n".join(lines)


def _gain(of: dict[str, float], metric: str, labels: Labels) -> str:
    between = labels.interval.replace(":", ":+")
    low, high = of[f"{metric}_gain_low"], of[f"{metric}_gain_high"]
    return f"{of[f'{metric}_gain']:+.4f} ({between.format(low, high)})"


def _measured(name: str, mark: str) -> str:
    """Return the cells with the metrics of metrics/NAME.json, each between two marks."""
    path = paths.metrics(name)
    measured = files.read_json(path)
    if missing := [key for key in (*SCORES, "n_test") if key not in measured]:
        raise ReproError(f"{path}: {missing[0]} is missing; expected it of `dvc repro`")
    metrics = " | ".join(f"{mark}{measured[metric]:.4f}{mark}" for metric in SCORES)
    return f"{metrics} | {measured['n_test']:,} |"


def compared(_: Sequence[str], labels: Labels = ENGLISH) -> str:
    """Return both tables of what tells sentiment."""
    return f"{comparison(labels)}\n\n{capabilities(labels)}"
