"""A YAML file as validated objects, with every fault in one message."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from keras_repro.core.errors import ReproError

Validated = TypeVar("Validated", bound=BaseModel)


def validated(model: type[Validated], path: Path) -> Validated:
    """Read a YAML file as an object of a pydantic model, with every fault in one message."""
    try:
        # DVC reads and writes YAML 1.2 with this very library, to which 1e-6 is a number.
        text = path.read_text(encoding="utf-8")
        content = YAML(typ="safe", pure=True).load(text)
    except FileNotFoundError:
        raise ReproError(f"{path}: not found; expected it in {Path.cwd()}") from None
    except UnicodeDecodeError as error:
        raise ReproError(f"{path}: no valid YAML: {error}") from None
    except YAMLError as error:
        hint = "\nperhaps a full-width ： is meant to be a :" if "：" in text else ""
        raise ReproError(f"{path}: no valid YAML: {error}{hint}") from None
    return validated_part(model, content, (), path)


def validated_part(
    model: type[Validated], content: Any, keys: tuple[str, ...], path: Path
) -> Validated:
    """Return a part of a YAML file as an object of a pydantic model.

    Args:
        model: of the part.
        content: of the file.
        keys: that lead to the part.
        path: of the file, for messages.

    """
    part = content
    for key in keys:
        part = part[key]
    try:
        return model.model_validate(part)
    except ValidationError as error:
        faults = [_fault(path, content, fault, keys) for fault in error.errors()]
        raise ReproError("\n".join(faults)) from None


def _fault(  # noqa: PLR0911 - one per kind of fault
    path: Path, content: Any, fault: Any, within: tuple[str, ...]
) -> str:
    """Say in one line which key is at fault, what was found and what was expected."""
    key = ".".join(_keys(content, (*within, *fault["loc"]))) or "(top level)"
    match fault["type"]:
        case "missing":
            return f"{path}: {key} is missing"
        case "extra_forbidden":
            return f"{path}: {key} is no known key (found {fault['input']!r})"
        case "value_error":
            return f"{path}: {key}: {fault['ctx']['error']}"
        case "union_tag_invalid":
            tag = fault["ctx"]["discriminator"].strip("'")
            expected = f"one of {fault['ctx']['expected_tags']}"
            return f"{path}: {key}.{tag} is {fault['ctx']['tag']!r}; expected {expected}"
        case "union_tag_not_found":
            return f"{path}: {key}.{fault['ctx']['discriminator'].strip(chr(39))} is missing"
        case "too_short":
            return f"{path}: {key} is {fault['input']!r}; expected at least one item"
        case _:
            expected = fault["msg"].removeprefix("Input should be ")
            return f"{path}: {key} is {fault['input']!r}; expected {expected}"


def _keys(content: Any, location: tuple[int | str, ...]) -> Iterator[str]:
    """Yield the keys of a location, without the names that pydantic gives to a union's members."""
    for position, part in enumerate(location):
        last = position == len(location) - 1
        if isinstance(content, dict) and part not in content and not last:
            continue
        yield str(part)
        if isinstance(content, dict):
            content = content.get(part)
        elif isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
