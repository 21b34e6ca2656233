"""How large the tags of a TIFF are, as its header says."""

import os
import struct

import pytest

from ankang_coverage.region.tiff_tags import tag_bytes

DESCRIPTION, STRIP_OFFSETS = 270, 273


def classic(*entries, following=0):
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return (
        b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + struct.pack("<I", following)
    )


def big(*entries):
    body = b"".join(struct.pack(">HHQQ", *entry) for entry in entries)
    head = b"MM\0+\0\x08\0\0" + struct.pack(">QQ", 16, len(entries))
    return head + body + bytes(8)


def save(tmp_path, content, size=0):
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    if size:
        os.truncate(path, size)
    return path


def test_what_does_not_fit_into_its_entry_counts(tmp_path):
    tags = [(256, 4, 1, 64), (DESCRIPTION, 2, 500, 100), (34735, 3, 20, 600)]
    assert tag_bytes(save(tmp_path, classic(*tags), 1000)) == 500 + 40
    assert tag_bytes(save(tmp_path, big((256, 4, 1, 64), (DESCRIPTION, 2, 9, 90)), 200)) == 9


def test_places_of_blocks_do_not_count(tmp_path):
    assert tag_bytes(save(tmp_path, classic((STRIP_OFFSETS, 4, 200, 100)), 1000)) == 0


@pytest.mark.parametrize(
    "content",
    [
        b"II*\0",
        b"II*\0\xff\0\0\0",
        classic((DESCRIPTION, 2, 500, 100)),
        classic((256, 4, 1, 64), following=999),
        classic()[:-2],
        big((DESCRIPTION, 2, 9, 2**63)),
        b"MM\0+\0\x08\0\0" + struct.pack(">QQ", 16, 2**64 - 1),
    ],
)
def test_what_lies_beyond_the_end_is_named(tmp_path, content):
    with pytest.raises(ValueError, match="beyond its end"):
        tag_bytes(save(tmp_path, content))


def test_tables_that_lead_to_each_other_end(tmp_path):
    assert tag_bytes(save(tmp_path, classic((256, 4, 1, 64), following=8))) == 0
