"""The pictures of a form, multipart/form-data: as many as are allowed, in the order they came."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from fastapi import HTTPException
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

NAME = "pictures"  # of each part
_KIND = "multipart/form-data"
SCHEMA = {  # for the page of the interface, as the form is not read by FastAPI
    "requestBody": {
        "required": True,
        "content": {
            _KIND: {
                "schema": {
                    "type": "object",
                    "required": [NAME],
                    "properties": {
                        NAME: {"type": "array", "items": {"type": "string", "format": "binary"}}
                    },
                }
            }
        },
    }
}
_MOST_SHOWN = 100  # characters of what a sender wrote

# Each warning is also the reason of a refusal.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


@dataclass
class Part:
    """A file of a form."""

    body: bytearray = field(default_factory=bytearray)
    dispositions: list[bytes] = field(default_factory=list)  # of a right one, one
    file_name: str = ""

    def title(self, number: int, count: int) -> str:
        """Return what a refusal calls it."""
        name = f", {shown(self.file_name)}" if self.file_name else ""
        return f"picture {number} of {count}{name}"


class _Reader:
    """What the parser tells of a form."""

    def __init__(self, max_pictures: int) -> None:
        self.parts: list[Part] = []
        self.is_complete = False  # the parser itself does not mind a form that is cut off
        self._max_pictures = max_pictures
        self._header, self._value = bytearray(), bytearray()

    def on_part_begin(self) -> None:
        if len(self.parts) == self._max_pictures:
            raise HTTPException(413, f"a request may have {self._max_pictures} pictures, got more")
        self.parts.append(Part())

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self.parts[-1].dispositions.append(bytes(self._value))
        self._header.clear()
        self._value.clear()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].body += memoryview(data)[start:end]

    def on_end(self) -> None:
        self.is_complete = True


def boundary_of(content_type: str | None) -> bytes:
    """Return what parts of a form are parted by, or refuse what is no form."""
    kind, options = parse_options_header(content_type)
    if kind != _KIND.encode():
        got = shown(content_type) if content_type else "none"
        raise HTTPException(415, f"the Content-Type must be {_KIND}, got {got}")
    if not options.get(b"boundary"):
        raise HTTPException(400, f"the Content-Type must have a boundary, got {content_type!r}")
    return options[b"boundary"]


def parts_of(body: bytes, boundary: bytes, max_pictures: int) -> list[Part]:
    """Return the parts of a form, all of them pictures."""
    reader = _Reader(max_pictures)
    try:
        MultipartParser(
            boundary, {name: getattr(reader, name) for name in dir(reader) if name[:3] == "on_"}
        ).write(body)
    except FormParserError as error:
        raise HTTPException(400, f"the form cannot be read: {error}") from None
    if not reader.is_complete:
        raise HTTPException(400, "the form ends before its last boundary")
    if not reader.parts:
        raise HTTPException(400, f"the form must have a part named {NAME!r}, got none")
    for number, part in enumerate(reader.parts, 1):
        _check(part, number, len(reader.parts))
    return reader.parts


def _check(part: Part, number: int, count: int) -> None:
    """Read what the headers of a part say, and refuse it if it is no picture by them."""
    if len(part.dispositions) > 1:
        raise HTTPException(400, f"part {number} of {count} has Content-Disposition twice")
    kind, options = parse_options_header(part.dispositions[0] if part.dispositions else None)
    name = options.get(b"name", b"").decode(errors="replace")
    if kind != b"form-data" or name != NAME:
        got = shown(name) if name else "no name"
        raise HTTPException(422, f"part {number} of {count} must be named {NAME!r}, got {got}")
    part.file_name = options.get(b"filename", b"").decode(errors="replace")
    if not part.body:
        raise HTTPException(400, f"{part.title(number, count)}: it is empty")


def shown(text: str) -> str:
    """Return what a sender wrote, in quotes and not at any length."""
    return repr(text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "...")
