"""Rows of a sheet of a workbook: .xlsx, or .xls as Excel wrote it until 2003."""

import zipfile
from collections.abc import Iterator
from typing import Any

import openpyxl
import xlrd
from xlrd.xldate import xldate_as_datetime

from keras_repro.core.errors import ReproError
from keras_repro.datasets.containers import Opened, refuse_bomb
from keras_repro.datasets.delimited import Row

# The name of the storage in an OLE file that has Visual Basic.
MACROS = "_VBA_PROJECT".encode("utf-16-le")
# Bytes of an .xls, which is read into memory; a full sheet of reviews has less.
LARGEST_XLS = 1 << 29


def xlsx(opened: Opened, sheet: str | int) -> Iterator[Row]:
    """Yield the rows of a sheet, formulas as the values that Excel last gave them.

    Raises:
        ReproError: it is no whole workbook, is encrypted, has macros or has no such sheet.

    """
    try:
        with zipfile.ZipFile(opened.stream) as archive:
            members = archive.infolist()
    except Exception as error:  # noqa: BLE001 - what zipfile raises for damage is not told
        raise ReproError(f"{opened.name}: no whole .xlsx file ({error})") from None
    refuse_bomb(opened.name, sum(member.file_size for member in members), opened.size)
    if any(member.filename.endswith("vbaProject.bin") for member in members):
        raise ReproError(_has_macros(opened.name))
    try:
        book = openpyxl.load_workbook(opened.stream, read_only=True, data_only=True)
    except Exception as error:  # noqa: BLE001 - openpyxl lets errors of zipfile and XML through
        raise ReproError(f"{opened.name}: no whole .xlsx file ({error})") from None
    chosen = book[_chosen(opened.name, [each.title for each in book.worksheets], sheet)]
    try:
        chosen.reset_dimensions()  # what some programs state of them is too little
        for number, cells in enumerate(chosen.iter_rows(values_only=True), start=1):
            if any(cell is not None for cell in cells):
                yield Row(number, cells, as_line(cells), None)
    except Exception as error:  # noqa: BLE001 - as above, found while reading
        raise ReproError(f"{opened.name}: no whole .xlsx file ({error})") from None


def xls(opened: Opened, sheet: str | int) -> Iterator[Row]:
    """Yield the rows of a sheet, formulas as the values that Excel last gave them.

    Raises:
        ReproError: as for .xlsx.

    """
    content = opened.stream.read(LARGEST_XLS + 1)
    if len(content) > LARGEST_XLS:
        raise ReproError(f"{opened.name}: over {LARGEST_XLS:,} bytes; expected a smaller .xls")
    if MACROS in content:
        raise ReproError(_has_macros(opened.name))
    try:
        book = xlrd.open_workbook(file_contents=content, on_demand=True, logfile=_Silent())
    except Exception as error:  # noqa: BLE001 - damage ends in struct.error, IndexError and others
        raise ReproError(
            f"{opened.name}: no whole .xls file, or one with a password ({error}); expected one "
            "that Excel opens without"
        ) from None
    chosen = book.sheet_by_name(_chosen(opened.name, book.sheet_names(), sheet))
    for number in range(chosen.nrows):
        cells = [_value(cell, book.datemode) for cell in chosen.row(number)]
        if any(cell is not None for cell in cells):
            yield Row(number + 1, cells, as_line(cells), None)


class _Silent:
    def write(self, _: str) -> None:
        pass


def _value(cell: xlrd.sheet.Cell, datemode: int) -> Any:
    match cell.ctype:
        case xlrd.XL_CELL_TEXT:
            return cell.value or None
        case xlrd.XL_CELL_NUMBER:
            return int(cell.value) if cell.value == int(cell.value) else cell.value
        case xlrd.XL_CELL_BOOLEAN:
            return bool(cell.value)
        case xlrd.XL_CELL_DATE:
            try:
                return xldate_as_datetime(cell.value, datemode)
            except (ValueError, OverflowError):
                return cell.value
        case _:
            return None


def _chosen(name: str, sheets: list[str], wanted: str | int) -> str:
    if isinstance(wanted, str) and wanted in sheets:
        return wanted
    if isinstance(wanted, int) and 1 <= wanted <= len(sheets):
        return sheets[wanted - 1]
    raise ReproError(
        f"{name}: has the sheets {', '.join(sheets) or '(none)'}; expected {wanted!r} among them "
        "or as their number (reviews.sheet)"
    )


def _has_macros(name: str) -> str:
    return f"{name}: has macros; expected a workbook without (save it as .xlsx)"


def as_line(cells: Any) -> str:
    """Return the cells of a row as one line."""
    return "\t".join("" if cell is None else str(cell) for cell in cells)
