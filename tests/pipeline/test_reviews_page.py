"""The examples of docs/reviews.md are sections that are understood."""

import re

import pytest
from conftest import ROOT
from ruamel.yaml import YAML

from keras_repro.core.params import Reviews

PAGE = (ROOT / "docs/reviews.md").read_text("utf-8")
EXAMPLES = [
    section["reviews"]
    for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    if "reviews" in (section := YAML(typ="safe").load(text))
]


@pytest.mark.parametrize("section", [each for each in EXAMPLES if "path" in each])
def test_an_example_is_a_section(section: dict) -> None:
    assert Reviews.model_validate(section).source == ("file",)
