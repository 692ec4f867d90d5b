"""docs/reviews.md and docs/reviews.zh.md: their examples are sections that are understood."""

import re

import pytest
from conftest import ROOT
from ruamel.yaml import YAML

from keras_repro.core.params import Reviews

ENGLISH, CHINESE = (
    (ROOT / f"docs/{name}").read_text("utf-8") for name in ("reviews.md", "reviews.zh.md")
)
EXAMPLES = [
    section["reviews"]
    for text in re.findall(r"```yaml\n(.*?)```", ENGLISH, re.DOTALL)
    if "reviews" in (section := YAML(typ="safe").load(text))
]


def test_both_languages_have_the_same_examples() -> None:
    found = [re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) for page in (ENGLISH, CHINESE)]
    assert len(found[1]) == 9
    assert found[0][:9] == found[1]


@pytest.mark.parametrize("section", [each for each in EXAMPLES if "path" in each])
def test_an_example_is_a_section(section: dict) -> None:
    assert Reviews.model_validate(section).source == ("file",)
