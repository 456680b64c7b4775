"""Bad requests for tensors, with the refusal that each must get."""

from __future__ import annotations

import numpy as np
from bad_requests import Bad, many_scans, png_of
from pictures import MOST_SCANS
from PIL import Image
from samples import encoded, scene
from settings import Settings

KIND = "multipart/form-data; boundary=x"


def part(body: bytes, name: str = "pictures", file_name: str = "a.png", more: str = "") -> bytes:
    """Return a part of a form with its headers."""
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{file_name}"'
    return f"--x\r\n{disposition}\r\n{more}\r\n".encode() + body + b"\r\n"


def form(*parts: bytes) -> bytes:
    """Return a form of parts."""
    return b"".join(parts) + b"--x--\r\n"


def bad(
    name: str, status: int, reason: str, body: bytes, kind: str | None = KIND, **params: object
) -> Bad:
    """Return a request for a tensor."""
    headers = {} if kind is None else {"Content-Type": kind}
    params = {"size": 7, **params}
    return Bad(name, status, reason, body, path="/tensor", params=params, headers=headers)


def bad_forms(settings: Settings) -> list[Bad]:
    """Return them; `settings` are those of the service."""
    return [*_forms(settings), *_pictures(settings), *_parameters(settings)]


def _forms(settings: Settings) -> list[Bad]:
    png = encoded(Image.fromarray(scene(9, 5)), "PNG")
    one, none = part(png), part(b"", file_name="")
    whole = form(one, one)
    most = settings.max_pictures
    repeated = 'Content-Disposition: form-data; name="pictures"\r\n'
    return [
        bad("a picture and no form", 415, "must be multipart/form-data, got 'image/png'", png,
            kind="image/png"),
        bad("no type", 415, "must be multipart/form-data, got none", png, kind=None),
        bad("no boundary", 400, "must have a boundary", whole, kind="multipart/form-data"),
        bad("long boundary", 400, "Boundary length", whole, kind=KIND + 300 * "x"),
        bad("wrong boundary", 400, "the form cannot be read", whole, kind=KIND + "y"),
        bad("text for a form", 400, "the form cannot be read", b"not a form"),
        bad("empty body", 400, "the body is empty; it must be a form of pictures", b""),
        bad("only line ends", 400, "the form ends before its last boundary", b"\r\n" * 99),
        bad("no parts", 400, "must have a part named 'pictures', got none", form()),
        bad("cut off in a picture", 400, "the form ends before", whole[: len(whole) // 2]),
        bad("cut off in headers", 400, "the form ends before", whole[:20]),
        bad("last boundary left out", 400, "the form ends before", one + one),
        bad("last boundary cut off", 400, "the form ends before", (one + b"--x--")[:-1]),
        bad("empty part", 400, "picture 2 of 3, 'b.png': it is empty",
            form(one, part(b"", file_name="b.png"), one)),
        bad("no file chosen", 400, "picture 1 of 1: it is empty", form(none)),
        bad("wrong name", 422, "part 2 of 2 must be named 'pictures', got 'picture'",
            form(one, part(png, "picture"))),
        bad("no name", 422, "part 1 of 1 must be named 'pictures', got no name",
            form(b"--x\r\n\r\n" + png + b"\r\n")),
        bad("two names", 400, "part 1 of 1 has Content-Disposition twice",
            form(part(png, more=repeated))),
        bad("large header", 400, "Maximum header size", form(part(png, file_name=9999 * "x"))),
        bad("many headers", 400, "Maximum header count", form(part(png, more=99 * "A: b\r\n"))),
        bad("broken header", 400, "the form cannot be read", form(part(png, more="no colon\r\n"))),
        bad("one picture too many", 413, f"may have {most} pictures", form(*[one] * (most + 1))),
        bad("10,000 parts", 413, f"may have {most} pictures", form(*[b"--x\r\n\r\n\r\n"] * 10_000)),
        bad("too many bytes", 413, f"the body may have {settings.max_bytes} bytes",
            form(part(bytes(settings.max_bytes)))),
    ]  # fmt: skip


def _pictures(settings: Settings) -> list[Bad]:
    photo = Image.fromarray(scene(120, 160))
    deep = encoded(Image.fromarray(np.full((9, 5), 999, np.uint16)), "PNG")
    jpeg, png = encoded(photo, "JPEG"), encoded(photo, "PNG")
    side = int(settings.max_pixels**0.5) + 1
    half = png_of(side, side // 2 + 1)
    scans = many_scans(encoded(photo, "JPEG", progressive=True), MOST_SCANS)
    broken, together = "cannot be decoded", f"{settings.max_pixels} pixels together"

    def second(name: str, status: int, reason: str, body: bytes) -> Bad:
        parts = part(png), part(body, file_name="b.jpg"), part(jpeg, file_name="c.jpg")
        return bad(
            f"{name} among others", status, f"picture 2 of 3, 'b.jpg': {reason}", form(*parts)
        )

    return [
        second("text", 415, "the body is no picture", b"not a picture"),
        second("grey of 16 bits", 415, "a picture must have 8 bits a channel, got 16", deep),
        second("truncated JPEG", 422, f"the picture {broken}", jpeg[: len(jpeg) // 2]),
        second("truncated PNG", 422, f"the picture {broken}", png[: len(png) // 2]),
        second("too many scans", 413, f"a JPEG may have {MOST_SCANS} scans", scans),
        second("too many pixels", 413, f"pictures may have {together}", png_of(side, side)),
        bad("too many pixels of all", 413,
            f"picture 3 of 3, 'a.png': pictures may have {together}, got {side} x {side // 2 + 1}",
            form(part(png), part(half), part(half))),
        bad("too many pixels of one", 413,
            f"picture 1 of 2, 'a.png': a picture may have {settings.max_pixels} pixels",
            form(part(png_of(side, side)), part(png))),
        bad("names that are the same", 415, "picture 3 of 3, 'a.png': the body is no picture",
            form(part(png), part(png), part(b"text"))),
        bad("long name", 415, f"picture 1 of 1, '{100 * 'x'}...': the body",
            form(part(b"text", file_name=999 * "x"))),
    ]  # fmt: skip


def _parameters(settings: Settings) -> list[Bad]:
    one = part(encoded(Image.fromarray(scene(9, 5)), "PNG"))
    body = form(one, one)
    values = settings.max_tensor_bytes // 12  # pixels of float32 in a tensor
    width = settings.max_reads // 2000
    narrow = part(encoded(Image.new("L", (1, width)), "PNG"))
    largest = f"a tensor may have {settings.max_tensor_bytes} bytes, got "
    shape = f"float32 of shape (2, 3, {values // 2 + 1}, 1)"

    def wrong(name: str, reason: str, **params: object) -> Bad:
        return bad(name, 422, reason, body, **params)

    return [
        Bad("no size", 422, "size: Field required", body, path="/tensor",
            headers={"Content-Type": KIND}),
        wrong("size of three numbers", "size: Value error, must be 1 number or 2, got 3",
              size="1,2,3"),
        wrong("size of zero", "size.1: ", size="7,0"),
        wrong("size that is no number", "size.0: ", size="x"),
        wrong("tensor too large for one picture", largest, size=f"{values + 1},1"),
        wrong("tensor too large for two pictures", shape, size=f"{values // 2 + 1},1"),
        bad("too much to read", 422,
            f"pooling may read {settings.max_reads} pixels, got {2 * 1001 * (width + 1)}",
            form(narrow, narrow), size="1,1000"),
        wrong("mean of two channels", "mean: Value error, must be 1 number or 3, got 2",
              mean="1,2"),
        wrong("mean that is no number", "mean.2: ", mean="1,2,"),
        wrong("infinite mean", "mean.0: ", mean="inf"),
        wrong("std of zero", "std: Value error, must not be 0", std="1,0,1"),
        wrong("infinite scale", "scale: ", scale="nan"),
        wrong("unknown layout", "layout: ", layout="CHW"),
        wrong("unknown dtype", "dtype: ", dtype="int64"),
        wrong("unknown fit", "fit: ", fit="pad"),
        wrong("bgr that is no bool", "bgr: ", bgr="perhaps"),
        wrong("unknown parameter of tensors", "height: ", height=7),
        Bad("type that tensors cannot have", 406, "the answer can be application/x-npy", body,
            path="/tensor", params={"size": 7},
            headers={"Content-Type": KIND, "Accept": "application/json"}),
    ]  # fmt: skip
