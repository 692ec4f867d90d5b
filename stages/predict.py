"""Ask the sentiment model: `python -m stages.predict [TEXT ...]`, or line by line until `quit`."""

import argparse
import sys
from collections.abc import Iterable, Iterator

from stages import ReproError, params, paths, runtime
from stages.text import reviews

BEST = "sentiment_hybrid"
PROMPT = "review (or quit): "


def main() -> None:
    """Print for each text its class and how likely it is positive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a review; none: ask for them")
    names = params.Models.of_sentiment()
    parser.add_argument("--model", choices=names, default=BEST, help=f"default: {BEST}")
    arguments = parser.parse_args()
    texts, name = arguments.texts, arguments.model
    settings = params.load()
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from stages import models
    from stages.reproducibility import archive
    from stages.serving import sentiment

    model = archive.load(paths.model(name))
    reads = sentiment.reader(models.module(name).DATASET, settings)
    judge = sentiment.Judge(model, reads, settings.prepare)
    for text in texts or asked():
        try:
            positive = judge(text)
        except ReproError as error:
            if texts:
                raise
            _answer(f"error: {error}")  # the next line may be better
        else:
            _answer(f"{reviews.CLASSES[positive > 1 / 2]} {positive:.4f} {text.strip()}")


def asked() -> Iterator[str]:
    """Yield the lines of standard input until one says quit or they end."""
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    for line in _lines():
        if line.strip() == "quit":
            return
        yield line


def _lines() -> Iterable[str]:
    while True:
        if sys.stdin.isatty():
            print(PROMPT, end="", file=sys.stderr, flush=True)  # noqa: T201 - what it is for
        if not (line := sys.stdin.readline()):
            return
        yield line


def _answer(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - what it is for


if __name__ == "__main__":
    runtime.run(main)
