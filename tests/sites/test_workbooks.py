"""Workbooks: what Excel and others write is read; what would exhaust or trick a reader is not."""

import io
import struct
import zipfile
from datetime import datetime

import openpyxl
import pytest

from ankang_coverage.errors import FileError, LimitError
from ankang_coverage.limits import use_limits
from ankang_coverage.sites.workbooks import open_workbook

TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
BOOK = '<workbook xmlns:r="r"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>'
ENTITIES = '<!DOCTYPE x [<!ENTITY a "{}">]>'.format("x" * 1000)


def relations(*pairs):
    told = "".join(
        f'<Relationship Id="{id_}" Type="{TYPES}/{kind}" Target="{target}"/>'
        for id_, kind, target in pairs
    )
    return f"<Relationships>{told}</Relationships>"


BOOK_RELATIONS = relations(
    ("rId1", "worksheet", "worksheets/sheet1.xml"),
    ("rId2", "sharedStrings", "sharedStrings.xml"),
    ("rId3", "styles", "/xl/styles.xml"),
)


def parts_of(rows="", *, sheet=None, strings="<sst/>", styles="<styleSheet/>", book=BOOK):
    return {
        "_rels/.rels": relations(("r", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": BOOK_RELATIONS,
        "xl/worksheets/sheet1.xml": sheet
        or f"<worksheet><sheetData>{rows}</sheetData></worksheet>",
        "xl/sharedStrings.xml": strings,
        "xl/styles.xml": styles,
    }


@pytest.fixture
def rows_of(tmp_path):
    """Write the parts of a workbook, and read the rows of its sheet."""

    def read(parts, packing=zipfile.ZIP_DEFLATED):
        path = tmp_path / "sites.xlsx"
        if isinstance(parts, bytes):
            path.write_bytes(parts)
        else:
            with zipfile.ZipFile(path, "w", packing) as archive:
                for name, content in parts.items():
                    archive.writestr(name, content)
        with open_workbook(path) as workbook:
            return list(workbook.rows(next(iter(workbook.sheets), "none")))

    return read


def test_what_openpyxl_writes_is_read_as_openpyxl_reads_it(tmp_path, rows_of):
    book = openpyxl.Workbook()
    sheet = book.active
    day = datetime(2024, 5, 1, 12, 30, 15)  # noqa: DTZ001
    sheet.append(["站名", "经度", 3, 1.5, True, day, "=1+1", None, "a\nb", " c ", "#N/A", 1e300])
    sheet.append([None] * 12)
    sheet.append([None, -0.25, 123456789012, "00123"])
    sheet["C9"] = "后"
    path = tmp_path / "written.xlsx"
    book.save(path)
    theirs = [
        (n, list(row))
        for n, row in enumerate(
            openpyxl.load_workbook(path, data_only=True).active.iter_rows(values_only=True), 1
        )
        if any(cell is not None for cell in row)
    ]
    ours = rows_of(path.read_bytes())
    assert [n for n, _ in ours] == [1, 3, 9]
    assert [row + [None] * (12 - len(row)) for _, row in ours] == [row for _, row in theirs]


def test_texts_are_shared_written_in_runs_or_in_the_cell(rows_of):
    strings = (
        '<x:sst xmlns:x="m"><x:si><x:t>A</x:t></x:si><x:si><x:r><x:t>B</x:t></x:r><x:r><x:rPr/>'
        "<x:t>C</x:t></x:r></x:si><x:si><x:t>汉中</x:t><x:rPh><x:t>HANZHONG</x:t></x:rPh></x:si>"
        "<x:si/><x:si><x:t>_x005F_x000D_</x:t></x:si></x:sst>"
    )
    cells = "".join(f'<c t="s"><v>{n}</v></c>' for n in range(5))
    inline = '<c t="inlineStr"><is><r><t>D</t></r><r><t>E</t></r><rPh><t>x</t></rPh></is></c>'
    formula = '<c t="str"><f>A1</f><v>F&amp;G</v></c><c t="str"><v/></c><c/>'
    row = f"<row>{cells}{inline}{formula}</row>"
    assert rows_of(parts_of(row, strings=strings)) == [
        (1, ["A", "BC", "汉中", "", "_x000D_", "DE", "F&G"])
    ]


def test_cells_stand_where_their_references_say_and_rows_keep_their_numbers(rows_of):
    rows = (
        '<row r="3"><c r="D3"><v>1</v></c><c r="B3"><v>2</v></c></row><row r="4"/>'
        "<row><c><v>3</v></c><c><v>4</v></c></row>"
        '<row r="1048576"><c r="A1048576"><v>5</v></c></row>'
    )
    assert rows_of(parts_of(rows)) == [(3, [None, 2, None, 1]), (5, [3, 4]), (1048576, [5])]


@pytest.mark.parametrize(
    ("code", "is_date"),
    [
        ("yyyy-mm-dd hh:mm", True),
        ('yyyy"年"m"月"d"日"', True),
        ("[$-804]AM/PM h:mm", True),
        ("[h]:mm", True),
        ("[Red]0.0", False),
        ('0.0"dBm"', False),
        ("General", False),
        ("y" * 300, False),
    ],
)
def test_a_number_is_a_date_where_its_format_says_so(rows_of, code, is_date):
    styles = (
        f"<styleSheet><numFmts><numFmt numFmtId='200' formatCode='{code}'/></numFmts>"
        "<cellStyleXfs><xf numFmtId='14'/></cellStyleXfs>"
        "<cellXfs><xf numFmtId='0'/><xf numFmtId='200'/><xf numFmtId='31'/></cellXfs></styleSheet>"
    )
    row = "<row><c s='1'><v>45413.5</v></c><c s='2'><v>45413</v></c><c s='0'><v>45413</v></c></row>"
    noon = datetime(2024, 5, 1, 12)  # noqa: DTZ001
    midnight = datetime(2024, 5, 1)  # noqa: DTZ001
    parts = parts_of(row, styles=styles)
    assert rows_of(parts) == [(1, [noon if is_date else 45413.5, midnight, 45413])]
    days_from_1904 = BOOK.replace("<sheets>", '<workbookPr date1904="1"/><sheets>')
    later = rows_of({**parts, "xl/workbook.xml": days_from_1904})
    assert later[0][1][1] == datetime(2028, 5, 2)  # noqa: DTZ001


def test_what_is_no_number_or_no_day_stays_as_it_is(rows_of):
    styles = "<styleSheet><cellXfs><xf numFmtId='14'/></cellXfs></styleSheet>"
    values = ["nan", "1e999", "x", "9" * 400, "2958466", "-1", "0.5", "1e300"]
    row = "<row>" + "".join(f"<c s='0'><v>{value}</v></c>" for value in values) + "</row>"
    expected = ["nan", "1e999", "x", "9" * 400, 2958466, -1, 0.5, 1e300]
    assert rows_of(parts_of(row, styles=styles)) == [(1, expected)]


def test_only_sheets_of_cells_are_sheets(tmp_path):
    book = openpyxl.Workbook()
    book.active.append([1])
    book.create_chartsheet("chart")
    book.create_sheet("空")
    book.save(tmp_path / "sites.xlsx")
    with open_workbook(tmp_path / "sites.xlsx") as workbook:
        assert list(workbook.sheets) == ["Sheet", "空"]
        assert list(workbook.rows("空")) == []


def test_styles_of_other_programs_do_not_matter(rows_of):
    styles = "<styleSheet><cellStyles><cellStyle lame='Normal'/></cellStyles></styleSheet>"
    assert rows_of(parts_of("<row><c><v>1</v></c></row>", styles=styles)) == [(1, [1])]


def _packed(parts, packing=zipfile.ZIP_DEFLATED):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", packing) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return written.getvalue()


def _flagged(packed):
    """Mark the parts of an archive as encrypted."""
    changed = bytearray(packed)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = changed.find(signature)
        while place >= 0:
            changed[place + offset] |= 1
            place = changed.find(signature, place + 4)
    return bytes(changed)


def _claiming(packed, size):
    """Let the last part of an archive say that it is of another size."""
    changed = bytearray(packed)
    place = changed.rindex(b"PK\x01\x02")
    changed[place + 24 : place + 28] = struct.pack("<I", size)
    return bytes(changed)


ONE = "<row><c><v>1</v></c></row>"
SHEET = "<worksheet><sheetData>{}</sheetData></worksheet>"


def declared(encoding):
    told = f'<?xml version="1.0" encoding="{encoding}"?>'
    return told.encode() + (ENTITIES + SHEET.format("&a;")).encode(encoding)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (b"lon,lat\n1,2\n", "not a zip file"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "old workbook .* or behind a password"),
        (_packed(parts_of(ONE))[:-30], "as an Excel workbook"),
        (_packed(parts_of(ONE))[:900] + bytes(900), "as an Excel workbook"),
        (_flagged(_packed(parts_of(ONE))), "behind a password: save it without one"),
        (_packed(parts_of(ONE), zipfile.ZIP_BZIP2), "packed in a way no workbook is"),
        (_claiming(_packed(parts_of(ONE)), 5), "Bad CRC-32"),
        (_packed({"a": "b"}), "no item named 'xl/workbook.xml'"),
        (_packed({str(n): "" for n in range(100_000)}), "more parts than any workbook"),
        (parts_of(sheet=ENTITIES + SHEET.format("&a;")), "it declares entities"),
        (parts_of(sheet=(ENTITIES + SHEET.format("&a;")).encode("utf-16")), "not in UTF-8"),
        (parts_of(sheet=(ENTITIES + SHEET.format("&a;")).encode("utf-32-be")), "not in UTF-8"),
        (parts_of(ONE, strings=ENTITIES + "<sst>&a;</sst>"), "declares entities"),
        (parts_of(ONE, styles=ENTITIES + "<styleSheet>&a;</styleSheet>"), "declares entities"),
        (parts_of(ONE, book=ENTITIES + BOOK), "declares entities"),
        (parts_of(sheet=declared("cp1252")), "its XML is in cp1252 and not in UTF-8"),
        (parts_of(sheet=declared("cp037")), "as an Excel workbook"),
        (parts_of("<row><c>"), "mismatched tag"),
        (parts_of(f"<row a='{'x' * 700_000}'/>"), "a tag in xl/worksheets/sheet1.xml is longer"),
        (parts_of("<row>" + "<a>" * 60_000), "nested deeper than any workbook"),
        (parts_of(ONE, strings="<sst>" + "<a>" * 60_000), "nested deeper"),
        (parts_of(ONE, styles="<styleSheet>" + "<a>" * 60_000), "nested deeper"),
        (parts_of("<row r='0'/>"), "0 is no row"),
        (parts_of("<row r='9999999'/>"), "9999999 is no row"),
        (parts_of("<row r='x'/>"), "invalid literal"),
        (parts_of("<row><c r='é1'><v>1</v></c></row>"), "is no column"),
        (parts_of("<row><c r='XFE1'><v>1</v></c></row>"), "XFE is beyond the last column"),
        (parts_of("<row><c t='s'><v>7</v></c></row>"), "list index out of range"),
        (parts_of("<row><c t='s'><v>-1</v></c></row>"), "'?-1'? is no number of a text"),
    ],
)  # fmt: skip
def test_what_is_damaged_or_made_to_trick_is_refused_in_one_line(rows_of, parts, says):
    with pytest.raises(FileError, match=says) as error:
        rows_of(parts)
    assert "sites.xlsx" in str(error.value)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("limit", "parts"),
    [
        ({"workbook_bytes": 100}, parts_of(ONE)),
        ({"workbook_unpacked_bytes": 10_000}, parts_of(" " * 10_000)),
        ({"cells": 5}, parts_of("<row>" + "<c/>" * 6 + "</row>")),
        ({"cells": 5}, parts_of("<row>" + "<a/>" * 60 + "</row>")),
        ({"cells": 5}, parts_of(ONE, strings="<sst>" + "<si/>" * 60 + "</sst>")),
        ({"columns": 3}, parts_of("<row><c r='D1'><v>1</v></c></row>")),
        ({"text_bytes": 50}, parts_of(ONE, strings=f"<sst>{'<si><t>abcdef</t></si>' * 9}</sst>")),
    ],
)
def test_what_is_too_large_is_refused_with_its_limit(rows_of, limit, parts):
    assert rows_of(parts_of(ONE))
    with use_limits(**limit), pytest.raises(LimitError, match=next(iter(limit))):
        rows_of(parts)


def test_a_part_that_many_sheets_name_is_not_unpacked_without_end(tmp_path):
    sheets = "".join(f'<sheet name="{n}" sheetId="1" r:id="rId1"/>' for n in range(50))
    parts = parts_of(
        " " * 100_000, book=f'<workbook xmlns:r="r"><sheets>{sheets}</sheets></workbook>'
    )
    (tmp_path / "sites.xlsx").write_bytes(_packed(parts))
    with (
        use_limits(workbook_unpacked_bytes=1_000_000),
        open_workbook(tmp_path / "sites.xlsx") as workbook,
        pytest.raises(LimitError, match="unpacks to too many bytes"),
    ):
        _ = [list(workbook.rows(sheet)) for sheet in workbook.sheets]


def test_a_text_is_kept_no_longer_than_a_field_may_be(rows_of):
    row = f"<row><c t='str'><v>{'ab' * 50_000}</v></c><c t='s'><v>0</v></c></row>"
    ((_, cells),) = rows_of(parts_of(row, strings=f"<sst><si><t>{'c' * 90_000}</t></si></sst>"))
    assert all(10_000 < len(cell) < 80_000 for cell in cells), [len(cell) for cell in cells]
