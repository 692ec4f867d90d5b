"""The table of results: the figures in metrics/ beside those of the tutorial."""

from pathlib import Path

from stages import ReproError, files, params, paths

FIGURES = ("accuracy", "precision", "recall", "f1")
BEGIN = "<!-- results: written by `make readme` from metrics/ -->"
END = "<!-- end of results -->"

# What the tutorial states: after one epoch for the images; for the sentiment on about 600,000
# reviews of its own, duplicates kept, after 10 epochs.
TUTORIAL = {
    "mnist_sequential": {"accuracy": 0.9755},
    "mnist_functional": {"accuracy": 0.9604},
    "cifar10_cnn": {"accuracy": 0.5627},
    "sentiment_bilstm": {"accuracy": 0.86, "precision": 0.61, "recall": 0.98, "f1": 0.75},
}


def table() -> str:
    """Return a Markdown table with two lines per model, ours and the tutorial's.

    Raises:
        ReproError: the metrics of a model are missing or lack a figure.

    """
    lines = [
        "| model | | accuracy | precision | recall | F1 | test items |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for name in params.Models.model_fields:
        path = paths.metrics(name)
        measured = files.read_json(path)
        if missing := [key for key in (*FIGURES, "n_test") if key not in measured]:
            raise ReproError(f"{path}: {missing[0]} is missing; expected it of `dvc repro`")
        ours = " | ".join(f"**{measured[figure]:.4f}**" for figure in FIGURES)
        lines.append(f"| `{name}` | here | {ours} | {measured['n_test']:,} |")
        stated = TUTORIAL.get(name, {})
        theirs = " | ".join(
            f"{stated[figure]:.4f}" if figure in stated else "–" for figure in FIGURES
        )
        lines.append(f"| | tutorial | {theirs} | |")
    return "\n".join(lines)


def insert(path: Path, content: str) -> str:
    """Return the text of a Markdown file with `content` between the two markers.

    Raises:
        ReproError: the file is missing or lacks a marker.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ReproError(f"{path}: not found") from None
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ReproError(f"{path}: expected the markers {BEGIN!r} and {END!r}, in this order")
    return f"{before}{BEGIN}\n\n{content}\n\n{END}{after}"
