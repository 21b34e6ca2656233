"""Excel workbooks: the values of a sheet, row by row, whatever the file claims to hold.

A workbook is a zip archive of XML. Only what a table needs of it is read: the list of sheets,
the texts that cells share, which styles are dates, and one sheet from its beginning to its end.
Nothing is unpacked to a disk, no link to another file is followed, no entity is expanded.
"""

import io
import math
import os
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple, NoReturn
from xml.parsers import expat

from ankang_coverage.errors import FileError
from ankang_coverage.inputs import printable, reading, require_file
from ankang_coverage.limits import limits, require_within

Value = str | float | bool | datetime | None
NumberedRow = tuple[int, list[Value]]

_OLE = b"\xd0\xcf\x11\xe0"
"""How a file begins that is an old workbook, or a new one behind a password."""
_CHUNK_BYTES = 1 << 16
_LONGEST_TAG_BYTES = 1 << 18
"""The parser begins a tag anew with every chunk until it has all of it, so long ones never end."""
_LONGEST_READ_BYTES = 1 << 22
"""The archive's list of parts is read at once; a workbook has dozens of them."""
_DEEPEST_ELEMENT = 50
_MOST_TAGS = 1_000_000
"""Elements of a part that is neither a sheet nor texts."""
_ELEMENTS_PER_CELL = 3
"""A cell, its value, and what holds a text that is not shared."""
_BEGINNINGS = (b"<c ", b"<c>", b"<c/", b"<si>", b"<si/")
"""How a cell begins, or a text that cells share; after a prefix they count as elements alone."""
_UTF_8 = ("utf-8", "utf8", "us-ascii", "ascii")
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
_DIGITS = "0123456789"
_AS_TEXT = frozenset(("inlineStr", "str", "e", "d"))
"""Types of cells whose value is a text: typed, of a formula, of an error, a date in words."""

_DATE_FORMATS = frozenset(map(str, (*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59))))
"""Built-in number formats of dates and times, those of Chinese versions among them."""
_NO_DATE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
"""What a number format says in letters that are not those of a date."""
_LONGEST_FORMAT = 255
_EPOCH, _EPOCH_OF_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001
_DAYS = (1.0, 2_957_003.0)
"""Numbers that stand for a day, up to year 9995, or 9999 where days are counted from 1904."""


@contextmanager
def open_workbook(path: Path) -> Iterator["Workbook"]:
    """Open a workbook for reading.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    FileError
        If the file is no workbook, damaged, or behind a password.
    LimitError
        If it is larger than allowed, packed or unpacked.
    """
    with _Archive(require_file(path, "workbook_bytes")) as file:
        yield Workbook(path, file)


class Workbook:
    """A workbook that is open for reading.

    Attributes
    ----------
    sheets : dict
        Part of the archive of each sheet of cells, by the sheet's name.
    """

    def __init__(self, path: Path, file: "_Archive") -> None:
        self._path, self._name = path, printable(str(path))
        self._n_bytes = 0
        with self._reading():
            self._archive = _open_archive(file, self._name)
            book = next(iter(self._related("", "officeDocument").values()), "xl/workbook.xml")
            self._epoch = _EPOCH
            self.sheets = self._sheets(book)
            self._dates: set[str] = set()
            for part in self._related(book, "styles").values():
                self._dates |= self._date_styles(part)
            self._strings: list[str] = []
            for part in self._related(book, "sharedStrings").values():
                self._strings += self._shared_strings(part)

    def rows(self, sheet: str) -> Iterator[NumberedRow]:
        """Yield the number and the values of each row of a sheet that holds any.

        Parameters
        ----------
        sheet : str
            Name of the sheet.

        Raises
        ------
        FileError
            If the sheet is damaged.
        LimitError
            If it has more columns or cells than allowed.
        """
        rows: list[NumberedRow] = []
        part, place = self.sheets[sheet], f"{self._name}, sheet {printable(sheet)}"
        with self._reading():
            self._count(part, place)
            parser = _parser()
            depth = _note_rows(parser, rows, self._value, place)
            for _ in self._fed(parser, part):
                _check_depth(depth(), place)
                yield from rows
                rows.clear()

    def _reading(self) -> AbstractContextManager[None]:
        return reading(self._path, "an Excel workbook", "save it again as .xlsx")

    def _related(self, part: str, kind: str) -> dict[str, str]:
        """Return the parts of a kind that a part names, by the ids it names them with."""
        folder, name = posixpath.split(part)
        listed = posixpath.join(folder, "_rels", f"{name}.rels")
        if listed not in self._archive.NameToInfo:
            return {}
        relations = (tag.attributes for tag in self._tags(listed) if tag.name == "Relationship")
        return {
            to.get("Id", ""): posixpath.normpath(posixpath.join("/", folder, to["Target"]))[1:]
            for to in relations
            if to.get("Type", "").endswith(f"/{kind}") and to.get("TargetMode") != "External"
        }

    def _sheets(self, book: str) -> dict[str, str]:
        related = self._related(book, "worksheet")
        sheets = {}
        for tag in self._tags(book):
            if tag.name == "workbookPr" and tag.attributes.get("date1904") in ("1", "true"):
                self._epoch = _EPOCH_OF_1904
            if tag.name == "sheet":
                ids = [value for key, value in tag.attributes.items() if key.endswith(":id")]
                if ids and ids[0] in related:
                    sheets[tag.attributes["name"]] = related[ids[0]]
        return sheets

    def _date_styles(self, part: str) -> set[str]:
        """Return the numbers of the styles that show a number as a date."""
        formats, group, of_cells = set(_DATE_FORMATS), "", []
        for tag in self._tags(part):
            if tag.name == "numFmt":
                code = tag.attributes.get("formatCode", "")
                change = formats.add if _is_date(code) else formats.discard
                change(tag.attributes.get("numFmtId", ""))
            elif tag.name in ("cellStyleXfs", "cellXfs"):
                group = tag.name
            elif tag.name == "xf" and group == "cellXfs":
                of_cells.append(tag.attributes.get("numFmtId"))
        return {str(n) for n, number in enumerate(of_cells) if number in formats}

    def _shared_strings(self, part: str) -> list[str]:
        self._count(part, self._name)
        strings: list[str] = []
        parser = _parser()
        depth = _note_strings(parser, strings)
        n_characters = n_seen = 0
        for _ in self._fed(parser, part):
            _check_depth(depth(), self._name)
            n_characters += sum(map(len, strings[n_seen:]))
            n_seen = len(strings)
            require_within("text_bytes", n_characters, f"{self._name} has too much text")
        return strings

    def _count(self, part: str, place: str) -> None:
        """Refuse a large part for what it holds before any of it is parsed, which is slow."""
        n_begun = n_elements = 0
        with self._archive.open(part) as stream:
            while chunk := stream.read(_LONGEST_READ_BYTES):
                n_begun += sum(map(chunk.count, _BEGINNINGS))
                n_elements += chunk.count(b"<") - chunk.count(b"</")
                n_cells = max(n_begun, n_elements // _ELEMENTS_PER_CELL)
                require_within("cells", n_cells, f"{place} has too many cells")

    def _value(self, kind: str, text: str, style: str | None) -> Value:
        """Return what a cell holds; a number that is none stays text, and its row is rejected."""
        if kind == "s":
            if not text.isdecimal():
                raise ValueError(f"{printable(text, 20)} is no number of a text")
            return self._strings[int(text)]
        if kind == "b":
            return text == "1"
        try:
            number = float(text)
        except ValueError:
            return text
        if style in self._dates and _DAYS[0] <= number < _DAYS[1]:
            day, fraction = divmod(number, 1.0)
            milliseconds = round(fraction * 86_400_000)
            return self._epoch + timedelta(days=day, milliseconds=milliseconds)
        if number.is_integer() and abs(number) < 1e15:
            return int(number)
        return number if math.isfinite(number) else text

    def _tags(self, part: str) -> Iterator["_Tag"]:
        """Yield the tags of a small part."""
        tags: list[_Tag] = []
        parser = _parser()
        n_tags = depth = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal n_tags, depth
            n_tags, depth = n_tags + 1, depth + 1
            tags.append(_Tag(_local(name), attributes))

        def end(_: str) -> None:
            nonlocal depth
            depth -= 1

        parser.StartElementHandler, parser.EndElementHandler = start, end
        for _ in self._fed(parser, part):
            if n_tags > _MOST_TAGS:
                raise FileError(f"{self._name}: {printable(part)} is larger than in any workbook")
            _check_depth(depth, self._name)
            yield from tags
            tags.clear()

    def _fed(self, parser: expat.XMLParserType, part: str) -> Iterator[None]:
        """Feed a part to a parser, and stop after each chunk."""
        with self._archive.open(part) as stream:
            n_bytes = 0
            while chunk := stream.read(_CHUNK_BYTES):
                if b"\0" in chunk[:4]:  # UTF-16 and UTF-32; other encodings are declared
                    _refuse_encoding("1.0", "UTF-16", 0)
                parser.Parse(chunk, False)
                n_bytes += len(chunk)
                self._n_bytes += len(chunk)
                unpacked = f"{self._name} unpacks to too many bytes"
                require_within("workbook_unpacked_bytes", self._n_bytes, unpacked)
                if n_bytes - parser.CurrentByteIndex > _LONGEST_TAG_BYTES:
                    raise FileError(
                        f"{self._name}: a tag in {printable(part)} is longer than in any workbook"
                    )
                yield
            parser.Parse(b"", True)
            yield


class _Tag(NamedTuple):
    """The beginning of an element."""

    name: str
    attributes: Mapping[str, str]


class _Archive(io.FileIO):
    """A file of which no large part is read at once, whatever it says of itself."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            size = max(os.fstat(self.fileno()).st_size - self.tell(), 0)
        if size > _LONGEST_READ_BYTES:
            raise ValueError("it names more parts than any workbook has")
        return super().read(size)


def _open_archive(file: _Archive, name: str) -> zipfile.ZipFile:
    """Open the archive, and refuse one whose parts cannot be read or are too large together."""
    if file.read(4) == _OLE:
        raise FileError(
            f"{name} is an old workbook (.xls) or behind a password: save it as .xlsx without one"
        )
    archive = zipfile.ZipFile(file)
    parts = archive.infolist()
    if any(part.flag_bits & 1 for part in parts):
        raise FileError(f"{name} is behind a password: save it without one")
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
        raise FileError(f"{name} is packed in a way no workbook is: save it again as .xlsx")
    unpacked = sum(part.file_size for part in parts)
    require_within("workbook_unpacked_bytes", unpacked, f"{name} unpacks to too many bytes")
    return archive


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_entities
    parser.XmlDeclHandler = _refuse_encoding
    return parser


def _refuse_entities(*_: object) -> NoReturn:
    raise ValueError("it declares entities, which no workbook does")


def _refuse_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() not in _UTF_8:
        raise ValueError(f"its XML is in {printable(encoding, 20)} and not in UTF-8")


def _check_depth(depth: int, place: str) -> None:
    if depth > _DEEPEST_ELEMENT:
        raise FileError(f"{place} is nested deeper than any workbook: save it again as .xlsx")


def _note_rows(
    parser: expat.XMLParserType,
    rows: list[NumberedRow],
    value_of: Callable[[str, str, str | None], Value],
    place: str,
) -> Callable[[], int]:
    """Let a parser note the rows of a sheet; return a function that says how deep it is.

    The functions inside run millions of times, so their state is in variables, not attributes.
    """
    longest = limits().field_characters
    columns, local = _Columns(place), _LocalNames()
    number, cells = 0, list[Value]()
    reference = style = text = None
    kind, is_value, is_spoken, depth = "n", False, False, 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal number, cells, reference, style, text, kind, is_value, is_spoken, depth
        depth += 1
        what = local[name]
        if what == "c":
            reference, style, text = attributes.get("r"), attributes.get("s"), None
            kind = attributes.get("t", "n")
        elif what in ("v", "t"):
            is_value = not is_spoken
        elif what == "row":
            number, cells = _row_number(attributes.get("r"), number), []
        elif what == "rPh":
            is_spoken = True

    def note(more: str) -> None:
        nonlocal text
        if is_value:
            if text is None:
                text = more
            elif len(text) <= longest:
                text += more

    def end(name: str) -> None:
        nonlocal is_value, is_spoken, depth
        depth -= 1
        what = local[name]
        if what == "c":
            if text is not None:
                value = text if kind in _AS_TEXT else value_of(kind, text, style)
                column = len(cells) if reference is None else columns[reference.rstrip(_DIGITS)]
                if column == len(cells):
                    cells.append(value)
                else:
                    cells.extend([None] * (column + 1 - len(cells)))
                    cells[column] = value
        elif what in ("v", "t"):
            is_value = False
        elif what == "row":
            if cells:
                rows.append((number, cells))
        elif what == "rPh":
            is_spoken = False

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = note
    return lambda: depth


def _note_strings(parser: expat.XMLParserType, strings: list[str]) -> Callable[[], int]:
    """Let a parser note the texts that cells share; return a function that says how deep it is."""
    longest = limits().field_characters
    local = _LocalNames()
    text, is_value, is_spoken, depth = "", False, False, 0

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal text, is_value, is_spoken, depth
        depth += 1
        what = local[name]
        if what == "si":
            text = ""
        elif what == "t":
            is_value = not is_spoken
        elif what == "rPh":  # how the text is pronounced
            is_spoken = True

    def note(more: str) -> None:
        nonlocal text
        if is_value and len(text) <= longest:
            text += more

    def end(name: str) -> None:
        nonlocal is_value, is_spoken, depth
        depth -= 1
        what = local[name]
        if what == "si":
            # How Excel writes an underscore that would begin an escape.
            strings.append(text.replace("_x005F_", "_"))
        elif what == "t":
            is_value = False
        elif what == "rPh":
            is_spoken = False

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = note
    return lambda: depth


class _LocalNames(dict[str, str]):
    """Names of elements without the prefix of their namespace."""

    def __missing__(self, name: str) -> str:
        local = _local(name)
        if len(self) < 1_000:
            self[name] = local
        return local


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _Columns(dict[str, int]):
    """Columns, counted from 0, by their letters."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self._place = place

    def __missing__(self, letters: str) -> int:
        if not re.fullmatch("[A-Z]{1,3}", letters):
            raise ValueError(f"{printable(letters, 20)!r} is no column")
        number = 0
        for letter in letters:
            number = number * 26 + ord(letter) - ord("A") + 1
        if number > _LAST_COLUMN:
            raise ValueError(f"{letters} is beyond the last column of a sheet")
        require_within("columns", number, f"{self._place} has a value in column {letters}")
        self[letters] = number - 1
        return number - 1


def _row_number(stated: str | None, before: int) -> int:
    number = before + 1 if stated is None else int(stated)
    if not 1 <= number <= _LAST_ROW:
        raise ValueError(f"{number} is no row of a sheet")
    return number


def _is_date(code: str) -> bool:
    """Tell whether a number format shows days or times."""
    if len(code) > _LONGEST_FORMAT:
        return False
    return not set("dmyhs").isdisjoint(_NO_DATE.sub("", code.lower()))
