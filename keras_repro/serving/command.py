"""The command `keras-repro`: ask the trained models, and check what is published."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import keras_repro
from keras_repro.core import runtime
from keras_repro.core.errors import ReproError
from keras_repro.serving import settings, sweep, tools, verify

if TYPE_CHECKING:  # ONNX Runtime takes a moment to import, and most subcommands do without it
    from keras_repro.bundles.sentiment import AnyAnswer

log = logging.getLogger(__name__)

BEST = "sentiment_hybrid"
DIGITS = "mnist_sequential"
PROMPT = "review (or quit): "
# Classes of an image that are shown.
LIKELIEST = 3
REASONS = {
    "punctuation": "nothing but punctuation",
    "not_chinese": "no Chinese",
    "unknown": "no known word",
    "neutral": "nothing is judged",
    "balanced": "as much for as against",
}
OF_CLASSES = REASONS | {"balanced": "two classes are about as likely"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; a fault ends it with one message and exit status 1."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    parsed = parser().parse_args(given, argparse.Namespace(given=given))
    # Chinese must not fail where the locale is C.
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        runtime.command(partial(_run, parsed))
    except BrokenPipeError:  # who reads has seen enough, as `head` has
        sys.stderr.close()
        sys.exit(1)


def _run(parsed: argparse.Namespace) -> None:
    """Run a subcommand; one that judges a project does so by that project's own code."""
    if parsed.judges and Path(keras_repro.__name__).is_dir():
        runtime.refuse_other_code()
    try:
        parsed.run(parsed)
    except ModuleNotFoundError as error:
        raise ReproError(
            f"the package {error.name} is not installed; expected it for this command "
            "(pip install 'keras-repro[train]')"
        ) from error


def parser() -> argparse.ArgumentParser:
    """Return what reads the arguments of the command."""
    command = argparse.ArgumentParser(prog="keras-repro", description=__doc__)
    command.set_defaults(judges=False)
    commands = command.add_subparsers(required=True, metavar="COMMAND")

    predict = commands.add_parser(
        "predict",
        help="classify reviews or images",
        description="Without arguments it asks for reviews until `quit`, or reads them line by "
        "line from standard input.",
    )
    predict.add_argument(
        "items", nargs="*", metavar="TEXT", type=_decoded, help="a review; or a picture's path"
    )
    predict.add_argument(
        "--file",
        type=Path,
        help="a file with a text in each row, of any format that reviews.path may have",
    )
    predict.add_argument(
        "--text-column",
        metavar="NAME",
        help="its column of reviews, or its number (default: one called text or so)",
    )
    predict.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="where the answers go, as .csv, .tsv, .jsonl, .xlsx or .parquet (default: standard "
        "output)",
    )
    predict.add_argument(
        "--output-encoding",
        metavar="NAME",
        help="of a .csv: utf-8-sig or gb18030 for a Chinese Excel, same for that of --file "
        "(default: utf-8)",
    )
    predict.add_argument(
        "--sheet", metavar="NAME", help="of a workbook, or its number (default: 1)"
    )
    predict.add_argument("--encoding", help="of --file (default: detected)")
    predict.add_argument("--json", action="store_true", help="print a JSON object per answer")
    _add_model(predict)
    predict.set_defaults(run=_predict)

    explain = commands.add_parser("explain", help="show how each word affects an answer")
    explain.add_argument("texts", nargs="+", metavar="TEXT", type=_decoded, help="a review")
    explain.add_argument(
        "--clauses", action="store_true", help="judge each clause in place of each word"
    )
    explain.add_argument("--json", action="store_true", help="print a JSON object per review")
    _add_model(explain)
    explain.set_defaults(run=_explain)

    serve = commands.add_parser("serve", help="answer over HTTP, with a page for the browser")
    settings.add(serve)
    serve.add_argument("--digits", type=Path, metavar="DIR", help="bundle of a model of digits")
    _add_model(serve)
    serve.set_defaults(run=_serve)

    look = commands.add_parser(
        "look", help="say what a file of reviews is, and print the section `reviews` that reads it"
    )
    look.add_argument("path", metavar="FILE", help="a file, a folder or a pattern such as '*.txt'")
    look.add_argument("--encoding", help="of the file (default: detected)")
    look.add_argument("--sheet", metavar="NAME", help="of a workbook, or its number (default: 1)")
    look.set_defaults(run=_look)

    pull = commands.add_parser("pull", help="fetch the bundles of a release once, and say where")
    pull.add_argument("address", metavar="ADDRESS", help="https://…/bundles.tar.gz#sha256=…")
    pull.set_defaults(run=_pull)
    tools.add(commands)
    verify.add(commands)
    sweep.add(commands)
    return command


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default=BEST, metavar="NAME", help="default: %(default)s")
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="in place of --model")


def _decoded(argument: str) -> str:
    """Return an argument as UTF-8, even where the locale knows no Chinese."""
    return os.fsencode(argument).decode("utf-8", "replace")


def _directory(arguments: argparse.Namespace) -> Path:
    from keras_repro.bundles.bundle import located

    found: Path = arguments.bundle or located(arguments.model)
    return found


def _predict(arguments: argparse.Namespace) -> None:
    if arguments.file:
        _check_no_items(arguments)
        _predict_file(arguments)
        return
    for option in ("text_column", "output", "encoding", "output_encoding", "sheet"):
        if getattr(arguments, option):
            raise ReproError(f"--{option.replace('_', '-')} goes with --file; found none")
    directory = _directory(arguments)
    if _is_of_images(directory):
        _predict_images(arguments, directory)
        return
    from keras_repro.bundles.sentiment import Sentiment

    model = Sentiment(directory, threads=1)

    def answer(text: str) -> None:
        (found,) = model.answers([model.cleared(text)])
        if arguments.json:
            _print_json(text=text.strip(), **found._asdict())
        else:
            _print(f"{_judged(found)} {' '.join(text.split())}")

    if arguments.items:
        for text in arguments.items:
            answer(text)
    else:
        _answer_lines(answer, as_json=arguments.json)


def _judged(found: "AnyAnswer") -> str:
    """Return a verdict as a line begins with it."""
    several = hasattr(found, "probabilities")
    why = f" ({(OF_CLASSES if several else REASONS)[found.reason]})" if found.reason else ""
    return f"{found.label} {found.probability:.4f}{why}"


def _check_no_items(arguments: argparse.Namespace) -> None:
    if arguments.items or arguments.json:
        found = "--json" if arguments.json else f"the text {arguments.items[0]!r}"
        raise ReproError(
            f"--file {arguments.file}: found {found} beside it; expected the file alone"
        )


def _predict_file(arguments: argparse.Namespace) -> None:
    from keras_repro.bundles.sentiment import Sentiment
    from keras_repro.serving import annotate, rows

    model = Sentiment(_directory(arguments))
    reading = rows.Reading(
        _name_or_number(arguments.text_column),
        arguments.encoding or "auto",
        _name_or_number(arguments.sheet) or 1,
        arguments.output_encoding or "utf-8",
    )
    count, unanswered = annotate.predict(model, arguments.file, arguments.output, reading)
    note = f", {unanswered:,} without an answer (the column reason says why)" if unanswered else ""
    log.info("%s: %s rows%s", arguments.file, f"{count:,}", note)


def _name_or_number(given: str | None) -> str | int | None:
    return int(given) if given and given.isdecimal() else given


def _answer_lines(answer: Callable[[str], None], *, as_json: bool) -> None:
    """Answer line by line; a fault in one says nothing of the next."""
    for line in _asked():
        try:
            answer(line)
        except ReproError as error:
            if as_json:
                _print_json(text=line.strip(), error=str(error))
            else:
                _print(f"error: {error}")


def _asked() -> Iterator[str]:
    """Yield the lines of standard input until one says quit or they end."""
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    while True:
        if sys.stdin.isatty():
            print(PROMPT, end="", file=sys.stderr, flush=True)  # noqa: T201 - what it is for
        line = sys.stdin.readline()
        if not line or line.strip() == "quit":
            return
        yield line


def _is_of_images(directory: Path) -> bool:
    from keras_repro.bundles.bundle import read_manifest
    from keras_repro.inputs.images import ImageReading

    return isinstance(read_manifest(directory).reads, ImageReading)


def _predict_images(arguments: argparse.Namespace, directory: Path) -> None:
    from keras_repro.bundles.images import ImageClassifier

    if not arguments.items:
        raise ReproError(f"{arguments.model}: no picture; expected the path of one or more")
    model = ImageClassifier(directory, threads=1)
    for item in arguments.items:
        found = model.probabilities(Path(item), item)
        order = np.argsort(-found)
        if arguments.json:
            probabilities = {model.labels[place]: float(found[place]) for place in order}
            _print_json(
                image=item, label=model.labels[order[0]], probability=float(found[order[0]]),
                probabilities=probabilities,
            )  # fmt: skip
        else:
            others = ", ".join(
                f"{model.labels[place]} {found[place]:.4f}" for place in order[1:LIKELIEST]
            )
            first = order[0]
            _print(f"{model.labels[first]} {found[first]:.4f} {item} (then {others})")


def _explain(arguments: argparse.Namespace) -> None:
    from keras_repro.bundles.sentiment import Sentiment

    model = Sentiment(_directory(arguments), threads=1)
    for given in arguments.texts:
        found = model.explain(given)
        if arguments.clauses:
            told = {"clauses": [{"text": part} | each._asdict() for part, each in found.clauses]}
            lines = [f"{_judged(each)} {part}" for part, each in found.clauses]
        else:
            told = {"words": [word._asdict() for word in found.words]}
            strongest = sorted(found.words, key=lambda each: -abs(each.effect))
            lines = [f"{effect:+.2f} {word}" for word, effect in strongest]
        if arguments.json:
            _print_json(text=found.text, **found.answer._asdict(), **told)
            continue
        _print(f"{_judged(found.answer)} {found.text}")
        for line in lines:
            _print(f"  {line}")


def _look(arguments: argparse.Namespace) -> None:
    from keras_repro.serving import look

    logging.getLogger("keras_repro.datasets").setLevel(logging.ERROR)  # it says so in other words
    encoding, sheet = arguments.encoding or "auto", _name_or_number(arguments.sheet) or 1
    for line in look.told(arguments.path, encoding, sheet):
        _print(line)


def _serve(arguments: argparse.Namespace) -> None:
    from keras_repro.bundles.bundle import located
    from keras_repro.serving import server

    given = settings.given(arguments)
    digits: Path | None = arguments.digits
    if not digits:
        try:
            digits = located(DIGITS)
        except ReproError as error:
            log.warning("no digits will be read: %s", error)
    server.serve(_directory(arguments), digits, given)


def _pull(arguments: argparse.Namespace) -> None:
    from keras_repro.bundles import release

    for directory in release.pulled(arguments.address).values():
        _print(str(directory))


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - what it is for


def _print_json(**content: object) -> None:
    _print(json.dumps(content, ensure_ascii=False))
