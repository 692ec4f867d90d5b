"""Which files `reviews.path` names, and the link under which DVC watches them."""

import glob
import logging
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import OWN_SOURCES, Reviews

log = logging.getLogger(__name__)

PATTERN = re.compile(r"[*?\[]")
# What lies beside the reviews of a folder and holds none.
NO_REVIEWS = re.compile(r"(readme|licen[cs]e|changelog|\.|__macosx|thumbs\.db)", re.IGNORECASE)


class File(NamedTuple):
    """A file with reviews.

    Attributes:
        path: of the file, or its address in an object store.
        label: that `reviews.path` gives its reviews; None if it gives none.
        names: of the file, without its ending, and of its folders, the innermost first.
        in_folder: whether `reviews.path` names it only by its folder or a pattern.

    """

    path: str
    label: str | None
    names: tuple[str, ...]
    in_folder: bool = False

    @property
    def suffix(self) -> str:
        """How its name ends, such as `.txt`."""
        return Path(self.path).suffix.lower()


def listed(settings: Reviews) -> list[File]:
    """Return the files that `reviews.path` names: labels in their order, names sorted.

    Raises:
        ReproError: there is no such file, folder or match.

    """
    return [
        File(found, label, _names(found, place), found != place)
        for label, place in _places(settings)
        for found in _expanded(place)
    ]


def watch(settings: Reviews) -> None:
    """Make `data/own` a link to what `reviews.path` names: a dependency in dvc.yaml is one path.

    A file or a folder is linked itself, several files from a folder of links. Where no source reads
    `reviews.path`, and for an address, the link stays as it is.

    Raises:
        ReproError: a file is missing, or something else than a link stands at `data/own`.

    """
    places = [place for _, place in _places(settings)]
    if not set(settings.source) & set(OWN_SOURCES):
        return
    if any(map(files.is_address, places)):
        log.info(
            "%s: DVC follows it if dvc.yaml has `reads: ${reviews.path}` in place of %s",
            ", ".join(places),
            paths.OWN_REVIEWS,
        )
        return
    found = [Path(file.path).absolute() for file in listed(settings)]
    folders = [folder.absolute() for place in places if (folder := _folder(place))]
    if len(places) == len(found) == 1 and not folders:
        _link(found)
        return
    common = Path(os.path.commonpath(folders)) if len(folders) == len(places) else None
    # The folder itself shows new files, too; but not one in which the stages write.
    if common and not paths.OWN_REVIEWS.absolute().is_relative_to(common):
        _link([common])
    else:
        _link(found)


def _places(settings: Reviews) -> list[tuple[str | None, str]]:
    if settings.path is None:
        raise ReproError(f"{paths.PARAMS}: reviews.path is null; expected a file")
    if isinstance(settings.path, str):
        return [(None, os.path.expanduser(settings.path))]  # noqa: PTH111 - it may be an address
    return [(label, os.path.expanduser(place)) for label, place in settings.path.items()]  # noqa: PTH111


def _folder(place: str) -> Path | None:
    """Return the folder in which a place has its files, None if it is a file itself."""
    path = Path(place)
    if path.is_dir():
        return path
    if path.exists() or not PATTERN.search(place):
        return None
    plain = next(parent for parent in path.parents if not PATTERN.search(str(parent)))
    return plain if plain.is_dir() else None


def _expanded(place: str) -> list[str]:
    path = Path(place)
    if files.is_address(place) or (path.exists() and not path.is_dir()):
        return [place]
    if path.is_dir():
        found = sorted(str(each) for each in _inside(path))
        if not found:
            raise ReproError(f"{place}: a folder without files; expected reviews in it")
        return found
    if not PATTERN.search(place):
        raise ReproError(f"{place}: not found; expected a file with reviews")
    found = sorted(name for name in glob.glob(place, recursive=True) if Path(name).is_file())  # noqa: PTH207 - with their folder
    if not found:
        raise ReproError(f"{place}: matches no file; expected reviews in some")
    return found


def _inside(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(map(NO_REVIEWS.match, parts)):
            yield path


def _names(path: str, place: str) -> tuple[str, ...]:
    """Return the names that may tell a label, without those of folders above `place`."""
    folder = _folder(place)
    parts = Path(path).relative_to(folder).parts if folder else (Path(path).name,)
    top = (folder.name,) if folder else ()
    stem = parts[-1].partition(".")[0] or parts[-1]
    return (stem, *reversed(parts[:-1]), *top)


def _link(targets: list[Path]) -> None:
    """Make `data/own` a link to one file or folder, or a folder of links to several files."""
    own = paths.OWN_REVIEWS
    if own.is_symlink():
        own.unlink()
    elif own.is_dir() and all(each.is_symlink() for each in own.iterdir()):
        shutil.rmtree(own)
    elif own.exists():
        raise ReproError(
            f"{own}: found a file or folder; expected a link, which this replaces; keep your "
            "reviews elsewhere"
        )
    if len(targets) == 1:
        own.parent.mkdir(parents=True, exist_ok=True)
        own.symlink_to(_seen_from(own.parent, targets[0]))
        return
    own.mkdir(parents=True)
    for number, target in enumerate(targets):
        (own / f"{number:06}-{target.name}").symlink_to(_seen_from(own, target))


def _seen_from(folder: Path, target: Path) -> str:
    """Return a path for a link: relative inside the repository, which may be moved."""
    inside = target.is_relative_to(Path.cwd())
    return os.path.relpath(target, folder) if inside else str(target)
