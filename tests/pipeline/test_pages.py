"""The pages of users say the same in English and Chinese, and their links lead somewhere."""

import contextlib
import re
import shlex
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import ROOT
from ruamel.yaml import YAML

from keras_repro.serving import command

README = ROOT / "README.md"
# Whoever changes the code reads English.
ENGLISH_ALONE = {"design.md", "extending.md", "log.md"}
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [
    README,
    *(page for page in DOCS if not page.stem.endswith(".zh") and page.name not in ENGLISH_ALONE),
]
ALL = [*DOCS, *sorted(ROOT.glob("*.md"))]
BADGE = "../../actions/workflows/"

BLOCK = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
COMMENT = re.compile(r"(?m)(?:^|\s+)# .*$")
LINK = re.compile(r"\]\(([^)\s]+)\)")


class Page(NamedTuple):
    """What both languages of a page must have; text of either language aside."""

    blocks: list[str]
    code: set[str]
    links: set[str]
    anchors: list[str]
    headings: list[str]
    decimals: set[str]


def twin(page: Path) -> Path:
    """Return where the Chinese page of an English one lies."""
    return page.with_name("README.zh-CN.md" if page == README else f"{page.stem}.zh.md")


def english(page: Path) -> str:
    return page.name.replace(".zh-CN", "").replace(".zh", "")


def read(page: Path) -> Page:
    text = page.read_text("utf-8")
    blocks = [" ".join(COMMENT.sub("", block[2]).split()) for block in BLOCK.finditer(text)]
    prose = BLOCK.sub("", text)
    code = {" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)}
    # Each links to the other, and to pages and pictures of its language.
    found = [re.sub(r"(\.zh-CN|\.zh|-zh|-en)(?=\.)", "", link) for link in LINK.findall(prose)]
    links = {link.partition("#")[0] for link in found} - {english(page)}
    anchors = sorted(link.partition("#")[0] for link in found if "#" in link)
    headings = re.findall(r"(?m)^#+(?= )", prose)
    return Page(blocks, code, links, anchors, headings, set(re.findall(r"\d+\.\d+", prose)))


def slugs(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"(?m)^#+ (.+)$", BLOCK.sub("", page.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("part", Page._fields)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_both_languages_have_the_same(page: Path, part: str) -> None:
    english, chinese = (getattr(read(each), part) for each in (page, twin(page)))
    assert chinese == english


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_links_to_the_other_at_its_top(page: Path) -> None:
    for one, other in ((page, twin(page)), (twin(page), page)):
        top = one.read_text("utf-8").partition("\n## ")[0]
        assert f"]({other.name})" in top


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(BLOCK.sub("", page.read_text("utf-8"))):
        target, _, anchor = link.partition("#")
        if target.startswith("https://"):
            continue
        if target.startswith(BADGE):
            workflow = target.removeprefix(BADGE).removesuffix("/badge.svg")
            assert (ROOT / ".github/workflows" / workflow).is_file(), link
            continue
        found = page.parent / target if target else page
        assert found.exists(), link
        if anchor:
            assert anchor in slugs(found), link


def test_a_heading_becomes_the_anchor_that_github_gives_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# `dvc push`, `dvc pull`: 存取\n```sh\n# no heading\n```\n## What it's for\n")
    assert slugs(page) == {"dvc-push-dvc-pull-存取", "what-its-for"}


@pytest.mark.parametrize(
    ("told", "by"),
    [
        ("; expected Python 3.11, 3.12 or 3.13", ".ci/environment"),
        ("cannot make environments; expected its modules venv and ensurepip", ".ci/environment"),
        ("packages could not be fetched", ".ci/environment"),
        (".venv: not made by make, which would empty it", ".ci/environment"),
        ("no source gave", "keras_repro/datasets/canonical.py"),
        ("a worker process was killed", "keras_repro/text/parallel.py"),
        ("not found; expected a bundle", "keras_repro/bundles/bundle.py"),
        ("cannot listen there", "keras_repro/serving/server.py"),
        ("the name of another host", "keras_repro/serving/guard.py"),
    ],
)
def test_messages_that_troubleshooting_quotes_are_said(told: str, by: str) -> None:
    page = (ROOT / "docs/troubleshooting.md").read_text("utf-8")
    assert told in page
    said = (ROOT / by).read_text("utf-8").replace('" \\\n        "', " ").replace("$supported", "")
    assert told.removesuffix("3.11, 3.12 or 3.13") in said


def test_what_is_cited_is_this_version() -> None:
    cited = YAML(typ="safe").load(ROOT / "CITATION.cff")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert (cited["version"], cited["license"]) == (project["version"], project["license"])


def commands(page: Path, program: str) -> list[list[str]]:
    """Return the arguments of each call of a program in the code of a page."""
    text = page.read_text("utf-8")
    lines = [line for block in BLOCK.finditer(text) for line in block[3].splitlines()]
    lines += re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))
    found = [COMMENT.sub("", line).strip().removeprefix("$ ") for line in lines]
    return [shlex.split(line)[1:] for line in found if line.startswith(f"{program} ")]


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_commands_are_there(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for arguments in commands(page, "make"):
        assert {word for word in arguments if word.islower() and "=" not in word} <= targets
    for arguments in commands(page, "keras-repro"):
        with contextlib.suppress(SystemExit):
            command.parser().parse_args(arguments)
    told = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    # A span may name an option without its value.
    assert [
        line for line in told if not re.search("expected one argument|are required", line)
    ] == []


def test_commands_are_found() -> None:
    assert ["repro"] in commands(README, "make")
    assert ["predict", "房间很干净，服务也好"] in commands(README, "keras-repro")
