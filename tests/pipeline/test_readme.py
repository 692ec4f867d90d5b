"""README.md and README.zh-CN.md say the same."""

import re

import pytest
from conftest import ROOT

ENGLISH, CHINESE = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md"))
# A code block, a span of code, a link's target; a number with its unit.
PARTS = {
    "graphs": r"```mermaid\n.*?```",
    "commands": r"(?<!`)`(?!`)[^`]+`",
    "links": r"\]\(([^)#]+)\)",
    "headings": r"(?m)^#+ ",
    "steps": r"(?m)^\d+\. ",
}


def found(kind: str, text: str) -> list[str]:
    """Return all parts of a kind, however their lines are broken."""
    return sorted(" ".join(part.split()) for part in re.findall(PARTS[kind], text, re.DOTALL))


@pytest.mark.parametrize("kind", PARTS)
def test_both_languages_have_the_same(kind: str) -> None:
    # Each links to the other, and examples of values are in the language of the page.
    links = {"README.md", "README.zh-CN.md"}
    english, chinese = (
        [part for part in found(kind, text) if part not in links] for text in (ENGLISH, CHINESE)
    )
    assert english
    assert chinese == english


def test_tables_have_the_same_metrics() -> None:
    english, chinese = (
        re.findall(r"0\.\d{4}", text.partition("<!-- end of results -->")[0])
        for text in (ENGLISH, CHINESE)
    )
    assert len(english) > 20
    assert chinese == english


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_links_lead_somewhere(text: str) -> None:
    for target in re.findall(PARTS["links"], text):
        if not target.startswith("https://"):
            assert (ROOT / target).exists(), target
