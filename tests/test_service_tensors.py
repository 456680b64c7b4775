"""The service in examples/: several pictures in a request, and one tensor of them."""

from __future__ import annotations

import asyncio
import io
import threading
import weakref

import numpy as np
import picture_files as files
import pytest

pytest.importorskip("fastapi", reason="the service needs what the extra `service` brings")

import answers
import httpx
import tensors
from bad_forms import KIND, bad_forms, form, part
from batches import decode_all
from forms import parts_of
from PIL import Image
from samples import encoded, pictures, scene
from service_talk import SMALL, talk, until
from tensor_requests import area_means, boxes, tensor_requests

from adaptive_pool.pictures import to_tensor

TENSORS = list(tensor_requests(SMALL))
PIXELS = scene(9, 5)
PNG = encoded(Image.fromarray(PIXELS), "PNG")
HEADERS = {"Content-Type": KIND}
GREY = np.arange(35, dtype=np.uint8).reshape(5, 7)


def post(body, settings=SMALL, headers=HEADERS, **params):
    """Post one form to a service of its own."""

    async def conversation(client):
        params.setdefault("size", 3)
        return await client.post("/tensor", params=params, content=body, headers=headers)

    return talk(conversation, settings)


def tensor_of(response):
    assert response.status_code == 200, response.text
    return np.load(io.BytesIO(response.content), allow_pickle=False)


# ------------------------------------------------------------------------------------- answers


def test_two_pictures_are_one_tensor():
    black, white = (
        encoded(Image.new("RGB", size, colour), "PNG")
        for size, colour in (((4, 2), "black"), ((3, 5), "white"))
    )
    tensor = tensor_of(post(form(part(black), part(white)), size=1, mean=0.5, std=0.5))
    assert tensor.dtype == np.float32
    np.testing.assert_array_equal(tensor, [[[[-1]], [[-1]], [[-1]]], [[[1]], [[1]], [[1]]]])


@pytest.mark.parametrize("request_", TENSORS, ids=lambda t: t.name[:60])
def test_tensors_equal_the_definition(request_):
    assert request_.is_answered_by(talk(request_.send))


def test_every_picture_is_sent_in_every_fit():
    names = {picture.name for picture in pictures()}
    for fit in ("stretch", "letterbox", "crop"):
        sent = [p.name for t in TENSORS if t.params["fit"] == fit for p in t.pictures]
        assert (set(sent), len(sent)) == (names, len(names))
    assert {1, 2, 6} <= {t.count for t in TENSORS}


def test_definition():
    np.testing.assert_array_equal(area_means(GREY[..., None], 5, 7)[..., 0], GREY)
    np.testing.assert_array_equal(
        area_means(np.array([[[0], [3], [9]]], np.uint8), 1, 2)[..., 0], [[1, 7]]
    )
    whole = (slice(None), slice(None))
    assert boxes("letterbox", (480, 640), (640, 640)) == (whole, (slice(80, 560), slice(0, 640)))
    assert boxes("crop", (90, 60), (7, 7)) == ((slice(15, 75), slice(0, 60)), whole)


def test_check_finds_one_wrong_bit():
    good = TENSORS[0]
    wrong = good.tensor.copy()
    wrong.view(np.uint8).reshape(-1)[-1] ^= 1
    for tensor, right in ((good.tensor, True), (wrong, False)):
        stream = io.BytesIO()
        np.save(stream, tensor)
        response = httpx.Response(
            200, content=stream.getvalue(), headers={"Content-Type": "application/x-npy"}
        )
        assert good.is_answered_by(response) is right


def test_pictures_of_every_mode_go_together():
    turned = files.exif(files.short(files.ORIENTATION, 6))
    palette = Image.fromarray(GREY % 3)
    palette.putpalette([9, 8, 7, 0, 100, 200, 255, 254, 253])
    alpha = np.dstack([PIXELS, np.zeros(PIXELS.shape[:2], np.uint8)])
    cmyk = encoded(Image.fromarray(PIXELS).convert("CMYK"), "JPEG")
    with Image.open(io.BytesIO(cmyk)) as image:
        printed = np.asarray(image.convert("RGB"))
    bodies_and_pixels = [
        (encoded(Image.fromarray(GREY), "PNG"), np.dstack([GREY] * 3)),
        (PNG, PIXELS),
        (encoded(palette, "PNG"), np.asarray(palette.convert("RGB"))),
        (encoded(Image.fromarray(alpha), "PNG"), PIXELS),  # the colours stored, seen or not
        (encoded(Image.fromarray(PIXELS), "PNG", exif=turned), np.rot90(PIXELS, -1)),
        (cmyk, printed),
    ]
    body = form(*(part(body) for body, _ in bodies_and_pixels))
    tensor = tensor_of(post(body, size="4,3", fit="crop"))
    expected = to_tensor([pixels for _, pixels in bodies_and_pixels], (4, 3), fit="crop")
    np.testing.assert_array_equal(tensor, expected)


def test_tensors_are_made_by_one_call(monkeypatch):
    calls = []

    def counted(*arguments, **options):
        calls.append(options)
        return to_tensor(*arguments, **options)

    monkeypatch.setattr(tensors, "to_tensor", counted)
    answer = tensor_of(post(form(*[part(PNG)] * 5)))
    assert len(answer) == 5
    assert [options["out"].flags.aligned for options in calls] == [True]


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ({"size": "4"}, {"size": "4,4"}),
        ({"size": ["4", "6"]}, {"size": "4,6"}),
        ({"mean": ["1", "2", "3"]}, {"mean": "1,2,3"}),
        ({"mean": 2}, {"mean": "2,2,2"}),
        ({"bgr": "true"}, {"bgr": "1"}),
    ],
    ids=str,
)
def test_ways_to_say_the_same(given, same):
    body = form(part(PNG))
    assert post(body, **given).content == post(body, **same).content


def test_what_looks_like_a_boundary_is_of_the_picture():
    bodies = [PNG, PNG[:20] + b"\r\n--" + PNG[20:], b"\r\n--y\r\n-\r\n--x- --x\r\r\n--", b"\r\n"]
    parts = parts_of(form(*map(part, bodies)), b"x", 4)
    assert [part.body for part in parts] == bodies


def test_what_browsers_and_curl_write():
    kind = b"Content-Type: image/png\r\n"
    for body in (
        b"\r\n--x\r\n" + part(PNG)[5:] + b"--x--",
        b'--x\r\ncontent-disposition: form-data;filename="a;b.png";name=pictures\r\n' + kind
        + b"\r\n" + PNG + b"\r\n--x--\r\nepilogue",
        '--x\r\nContent-Disposition: form-data; name="pictures"; filename="Kätzchen.png"\r\n\r\n'
        .encode() + PNG + b"\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="pictures"\r\n\r\n' + PNG + b"\r\n--x--\r\n",
    ):  # fmt: skip
        assert tensor_of(post(body)).shape == (1, 3, 3, 3)


# ------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize("bad", bad_forms(SMALL), ids=lambda b: b.name)
def test_bad_forms_are_refused_and_the_next_is_served(bad):
    async def conversation(client):
        refusal = await client.request(
            bad.method, bad.path, params=bad.params, headers=bad.headers, content=bad.content()
        )
        body = form(part(PNG))
        good = await client.post("/tensor", params={"size": 3}, content=body, headers=HEADERS)
        return refusal, good

    refusal, good = talk(conversation)
    assert bad.is_refused_by(refusal), (refusal.status_code, refusal.text)
    assert list(refusal.json()) == ["error"]
    assert good.status_code == 200


def test_nothing_is_decoded_if_one_header_is_refused(monkeypatch):
    decoded = []
    monkeypatch.setattr("batches.pixels_of", decoded.append)
    response = post(form(part(PNG), part(PNG), part(b"text", file_name="c.txt")))
    assert response.json()["error"].startswith("picture 3 of 3, 'c.txt': ")
    assert not decoded


def test_pixels_may_be_as_many_as_are_allowed():
    exact = SMALL.model_copy(update={"max_pixels": 3 * PIXELS[..., 0].size})
    assert post(form(*[part(PNG)] * 3), exact).status_code == 200
    response = post(form(*[part(PNG)] * 4), exact)
    assert response.status_code == 413
    assert response.json()["error"] == (
        "picture 4 of 4, 'a.png': pictures may have 135 pixels together, got 5 x 9 after 135"
    )


def test_counts_and_bytes_may_be_as_many_as_are_allowed():
    exact = SMALL.model_copy(update={"max_pictures": 2, "max_tensor_bytes": 2 * 3 * 9 * 4})
    body = form(part(PNG), part(PNG))
    exact = exact.model_copy(update={"max_bytes": len(body)})
    assert post(body, exact).status_code == 200
    assert post(body + b"\n", exact).status_code == 413
    assert post(body, exact, size="3,4").status_code == 422


def test_a_tensor_that_is_too_large_for_any_picture_is_refused_before_the_form_is_read():
    read = []

    async def body():
        read.append(None)
        yield form(part(PNG))

    small = SMALL.model_copy(update={"max_tensor_bytes": 107})
    assert post(body(), small).status_code == 422
    assert not read


@pytest.mark.parametrize("picture", pictures()[::4], ids=lambda p: p.name)
def test_damaged_forms_are_answered_or_refused(picture, rng):
    whole = form(part(picture.body[:5000]), part(PNG))
    bodies = []
    for _ in range(10):
        body = bytearray(whole)
        for position in rng.integers(0, len(body), 4):
            body[position] = rng.integers(0, 256)
        bodies += [bytes(body), whole[: rng.integers(0, len(whole))]]

    async def conversation(client):
        return [
            await client.post("/tensor", params={"size": 2}, content=body, headers=HEADERS)
            for body in bodies
        ]

    for response in talk(conversation):
        assert response.status_code in {200, 400, 413, 415, 422}, response.text
        assert response.status_code == 200 or response.json()["error"]


# ---------------------------------------------------------------------------- room and metrics


def test_metrics_count_pictures_and_requests():
    async def conversation(client):
        for body in (form(*[part(PNG)] * 3), form(part(PNG), part(b"text")), b"--x--"):
            await client.post("/tensor", params={"size": 3}, content=body, headers=HEADERS)
        await client.post("/features", content=PNG)
        await client.post("/features", content=b"")
        return await client.get("/metrics")

    lines = talk(conversation).text.splitlines()
    for line in (
        'service_answers_total{path="/tensor",status="200"} 1.0',
        'service_answers_total{path="/tensor",status="415"} 1.0',
        'service_answers_total{path="/tensor",status="400"} 1.0',
        'service_pictures_total{path="/tensor",status="200"} 3.0',
        'service_pictures_total{path="/tensor",status="415"} 2.0',
        'service_pictures_total{path="/features",status="200"} 1.0',
        'service_step_seconds_count{step="tensor"} 1.0',
        "service_pictures_in_flight 0.0",
    ):
        assert line in lines
    assert sum(line.startswith("service_pictures_total{") for line in lines) == 3


def test_pictures_in_flight(monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def wait(parts, max_pixels):
        begun.set()
        assert go_on.wait(30)
        return decode_all(parts, max_pixels)

    monkeypatch.setattr("app.decode_all", wait)
    body = form(*[part(PNG)] * 3)

    async def conversation(client):
        asked = asyncio.ensure_future(
            client.post("/tensor", params={"size": 3}, content=body, headers=HEADERS)
        )
        await until(begun.is_set)
        during = await client.get("/metrics")
        go_on.set()
        return during, await asked, await client.get("/metrics")

    during, answer, after = talk(conversation)
    assert answer.status_code == 200
    assert "service_pictures_in_flight 3.0" in during.text.splitlines()
    assert "service_pictures_in_flight 0.0" in after.text.splitlines()


def test_the_form_is_not_kept_beside_its_parts(monkeypatch):
    class Body(bytearray):  # a weak reference to bytes cannot be had
        pass

    kept = []

    async def read(request, settings, kind):
        body = Body(form(part(PNG)))
        kept.append(weakref.ref(body))
        return body

    def decode(parts, max_pixels):
        kept.append(kept[0]() is None)
        return decode_all(parts, max_pixels)

    monkeypatch.setattr("app.read", read)
    monkeypatch.setattr("app.decode_all", decode)
    assert post(b"").status_code == 200
    assert kept[1]


async def ask(client, send):
    """Ask for a tensor of 2 slices, as a server does."""
    messages = iter([{"type": "http.request", "body": form(part(PNG))}])

    async def receive():
        return next(messages, None) or await asyncio.Event().wait()

    scope = {
        "type": "http", "method": "POST", "path": "/tensor",
        "query_string": b"size=100", "headers": [(b"content-type", KIND.encode())],
    }  # fmt: skip
    await client._transport.app(scope, receive, send)


def test_an_answer_that_nobody_takes_is_cut_off():
    sent = []

    async def conversation(client):
        async def send(message):
            sent.append(message)
            if message["type"] == "http.response.body":
                await asyncio.Event().wait()

        await ask(client, send)
        return await client.get("/health/ready")

    settings = SMALL.model_copy(update={"answer_seconds": 0.05, "room": 1})
    assert talk(conversation, settings).status_code == 200
    assert [len(m.get("body", b"")) for m in sent] == [0, answers._SLICE]
    assert sent[-1]["more_body"]


def test_an_answer_that_is_being_sent_takes_room():
    async def conversation(client):
        begun, go_on, sent = asyncio.Event(), asyncio.Event(), []

        async def send(message):
            begun.set()
            await go_on.wait()
            sent.append(message)

        asked = asyncio.ensure_future(ask(client, send))
        await begun.wait()
        while_sending = await client.get("/health/ready")
        go_on.set()
        await asked
        return while_sending, await client.get("/health/ready"), sent

    while_sending, after, sent = talk(conversation, SMALL.model_copy(update={"room": 1}))
    assert (while_sending.status_code, after.status_code) == (503, 200)
    length = int(dict(sent[0]["headers"])[b"content-length"])
    body = b"".join(message.get("body", b"") for message in sent)
    assert len(body) == length == 128 + 3 * 100 * 100 * 4
    assert not sent[-1]["more_body"]
