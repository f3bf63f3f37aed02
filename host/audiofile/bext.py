"""The Broadcast Wave extension chunk `bext` (EBU Tech 3285, version 1) and the ISRC's `axml` chunk (EBU Tech 3352)."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

# Text fields of fixed width, in bytes.
WIDTHS = {
    "description": 256,
    "originator": 32,
    "originator_reference": 32,
    "origination_date": 10,
    "origination_time": 8,
}
_FIXED = struct.Struct("<256s32s32s10s8sQH64s10s180s")
_ISRC_IN_XML = re.compile(rb"ISRC:\s*([A-Z]{2}[A-Z0-9]{3}[0-9]{7})")

BEXT_KEYS = (*WIDTHS, "time_reference", "umid", "coding_history")


def bext_chunk(tags: Mapping[str, str]) -> bytes:
    """The chunk's content from the tags it has a place for; empty when there are none.

    The tags have been checked: texts fit, `time_reference` is a decimal number of samples since midnight, `umid` is
    hexadecimal.
    """
    if not any(key in tags for key in BEXT_KEYS):
        return b""
    texts = [tags.get(key, "").encode() for key in WIDTHS]
    umid = bytes.fromhex(tags.get("umid", ""))
    # Version 1 has the UMID; version 2 would add loudness, which is not known before the file is written.
    fixed = _FIXED.pack(*texts, int(tags.get("time_reference", "0")), 1, umid, b"", b"")
    lines = tags.get("coding_history", "").splitlines()
    return fixed + "".join(f"{line}\r\n" for line in lines).encode()


def read_bext(content: bytes) -> dict[str, str]:
    """The tags of a `bext` chunk; a chunk cut short gives none."""
    if len(content) < _FIXED.size:
        return {}
    *texts, time_reference, version, umid, _, _ = _FIXED.unpack_from(content)
    tags = {key: text_of(raw) for key, raw in zip(WIDTHS, texts, strict=True)}
    tags["time_reference"] = str(time_reference)
    if version >= 1:
        tags["umid"] = (umid if any(umid[32:]) else umid[:32]).hex() if any(umid) else ""
    tags["coding_history"] = "\n".join(text_of(content[_FIXED.size :]).splitlines())
    return {key: value for key, value in tags.items() if value}


def text_of(raw: bytes) -> str:
    """Text up to the first NUL: UTF-8 if it is, else Latin-1, as older tools wrote."""
    raw = raw.split(b"\0", 1)[0]
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def axml_chunk(isrc: str) -> bytes:
    """An `axml` chunk that carries an ISRC as an EBUCore identifier."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ebucore:ebuCoreMain xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:ebucore="urn:ebu:metadata-schema:ebuCore_2012">'
        '<ebucore:coreMetadata><ebucore:identifier typeLabel="GUID" typeDefinition="Globally Unique Identifier"'
        ' formatLabel="ISRC" formatDefinition="International Standard Recording Code"'
        ' formatLink="http://www.ebu.ch/metadata/cs/ebu_IdentifierTypeCodeCS.xml#3.7">'
        f"<dc:identifier>ISRC:{isrc}</dc:identifier>"
        "</ebucore:identifier></ebucore:coreMetadata></ebucore:ebuCoreMain>\n"
    ).encode("ascii")


def isrc_of_axml(content: bytes) -> str | None:
    """The ISRC in an `axml` chunk, if there is one."""
    found = _ISRC_IN_XML.search(content)
    return found[1].decode() if found else None
