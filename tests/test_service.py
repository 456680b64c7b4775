"""The service in examples/: answers, refusals, overload, clients who leave, and its load test."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import re
import signal
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the service needs what the extra `service` brings")

import app
import httpx
import load
from bad_requests import bad_requests
from good_requests import good_requests
from pictures import PictureError, decode
from PIL import Image
from samples import encoded, pictures, scene
from service_talk import SMALL, talk, until
from tensor_requests import FITS
from work import Workers

SERVICE = Path(app.__file__).parent
PICTURES = pictures()
GOOD = list(good_requests())
PNG = encoded(Image.fromarray(scene(9, 5)), "PNG")


@pytest.fixture
def stuck(monkeypatch):
    """Have the work of every request begin, and go on when the event is set."""
    go_on = threading.Event()
    begun = []

    def wait(body, max_pixels):
        begun.append(body)
        assert go_on.wait(30)
        return decode(body, max_pixels)

    monkeypatch.setattr(app, "decode", wait)
    go_on.begun = begun
    yield go_on
    go_on.set()


# ------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize("picture", PICTURES, ids=lambda p: p.name)
def test_pictures_are_decoded_to_their_pixels(picture):
    pixels = decode(picture.body, SMALL.max_pixels)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, picture.pixels)


@pytest.mark.parametrize(
    "good", GOOD, ids=lambda g: f"{g.picture.name}-{g.media_type.rpartition('-')[2]}"
)
def test_features_equal_the_definition(good):
    async def conversation(client):
        return await client.post(
            "/features",
            params=good.params,
            content=good.picture.body,
            headers={"Accept": good.media_type},
        )

    assert good.is_answered_by(talk(conversation))


def test_check_finds_one_wrong_number():
    good = next(g for g in GOOD if g.media_type == "application/json")
    features = good.features.copy()
    features[0, 0, 0, 0] = np.nextafter(features[0, 0, 0, 0], np.float32(np.inf))
    for values, right in ((good.features, True), (features, False)):
        response = httpx.Response(200, json={"features": values.tolist()})
        assert good.is_answered_by(response) is right


@pytest.mark.parametrize(
    ("query", "accept", "expected"),
    [
        ("", None, "application/json"),
        ("", "*/*", "application/json"),
        ("", "application/x-npy", "application/x-npy"),
        ("", "text/html, application/x-npy;q=0.1", "application/x-npy"),
        ("", "application/json;q=0.5, application/x-npy", "application/x-npy"),
        ("?format=npy", "application/json", "application/x-npy"),
        ("?format=json", "application/x-npy", "application/json"),
    ],
)
def test_type_of_the_answer(query, accept, expected):
    async def conversation(client):
        del client.headers["accept"]
        headers = {} if accept is None else {"Accept": accept}
        return await client.post(f"/features{query}", content=PNG, headers=headers)

    response = talk(conversation)
    assert (response.status_code, response.headers["content-type"]) == (200, expected)


def test_npy_answers_need_no_pickle():
    body = app.WRITERS["application/x-npy"](np.zeros((1, 2, 2, 3), np.float32))
    assert body.startswith(np.lib.format.MAGIC_PREFIX)
    assert b"'descr': '<f4'" in body


# ------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize("bad", bad_requests(SMALL), ids=lambda b: b.name)
def test_bad_requests_are_refused(bad):
    async def conversation(client):
        return await client.request(
            bad.method, bad.path, params=bad.params, headers=bad.headers, content=bad.content()
        )

    response = talk(conversation)
    assert bad.is_refused_by(response), (response.status_code, response.text)
    assert list(response.json()) == ["error"]


def test_there_are_ten_kinds_of_refusal():
    assert len({(bad.status, bad.reason) for bad in bad_requests(SMALL)}) >= 10


@pytest.mark.parametrize("picture", PICTURES, ids=lambda p: p.name)
def test_damaged_pictures_are_decoded_or_refused(picture, rng):
    for _ in range(20):
        body = bytearray(picture.body)
        for position in rng.integers(0, min(len(body), 1000), 3):
            body[position] = rng.integers(0, 256)
        with contextlib.suppress(PictureError):
            pixels = decode(bytes(body), SMALL.max_pixels)
            assert pixels.dtype == np.uint8
            assert pixels.size <= 4 * SMALL.max_pixels


@pytest.mark.parametrize(
    ("headers", "most_read"),
    [({"Content-Length": str(2**40)}, 0), ({"Transfer-Encoding": "chunked"}, 2**18 + 2**16)],
    ids=["announced", "in chunks"],
)
def test_no_more_is_read_than_is_allowed(headers, most_read):
    read = 0

    async def far_too_much():
        nonlocal read
        for _ in range(100):
            read += 2**16
            yield bytes(2**16)

    async def conversation(client):
        return await client.post("/features", content=far_too_much(), headers=headers)

    assert talk(conversation).status_code == 413
    assert read <= most_read


def test_a_body_that_does_not_arrive_is_given_up():
    async def slow():
        yield PNG[:10]
        await asyncio.sleep(30)

    async def conversation(client):
        return await client.post("/features", content=slow())

    response = talk(conversation, SMALL.model_copy(update={"body_seconds": 0.05}))
    assert (response.status_code, response.headers["connection"]) == (408, "close")


# ------------------------------------------------------------------------------------ overload


def test_a_full_service_refuses_pictures_and_lives(stuck):
    async def conversation(client):
        first = asyncio.ensure_future(client.post("/features", content=PNG))
        await until(lambda: stuck.begun)
        seen = [
            await client.post("/features", content=PNG),
            await client.get("/health/ready"),
            await client.get("/health/live"),
        ]
        stuck.set()
        seen.append(await first)
        return [*seen, await client.get("/health/ready")]

    full = SMALL.model_copy(update={"room": 1})
    second, not_ready, live, first, ready = talk(conversation, full)
    assert second.status_code == not_ready.status_code == 503
    assert second.headers["retry-after"] == not_ready.headers["retry-after"] == "1"
    assert second.json() == {"error": "1 requests are waiting or in work"}
    assert live.status_code == first.status_code == ready.status_code == 200


def test_work_that_takes_too_long_is_given_up_but_keeps_its_thread(stuck):
    async def conversation(client):
        late = [await client.post("/features", content=PNG) for _ in range(3)]
        begun = len(stuck.begun)
        stuck.set()
        return late, begun, await client.post("/features", content=PNG)

    slow = SMALL.model_copy(update={"work_seconds": 0.1, "workers": 1})
    late, begun, after = talk(conversation, slow)
    assert [r.status_code for r in late] == [503] * 3
    assert late[0].json() == {"error": "not done within 0.1 s"}
    assert begun == 1
    assert after.status_code == 200


def test_who_gives_up_waiting_for_a_thread_leaves_nothing_behind():
    class Body:
        pass

    async def conversation():
        workers, begun, go_on, body = Workers(1), threading.Event(), threading.Event(), Body()
        first = asyncio.ensure_future(workers.run(lambda: begun.set() or go_on.wait(30)))
        await until(begun.is_set)
        waiting = asyncio.ensure_future(workers.run(repr, body))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.wait({waiting})
        assert waiting.cancelled()
        kept, body, waiting = weakref.ref(body), None, None
        gc.collect()
        seen = kept()
        go_on.set()
        await first
        workers.close()
        return seen

    assert asyncio.run(conversation()) is None


def test_nothing_is_done_for_clients_who_left(stuck):
    """The second waits for the one thread, and leaves."""

    async def conversation(client):
        first = asyncio.ensure_future(client.post("/features", content=PNG))
        await until(lambda: stuck.begun)
        messages = iter([{"type": "http.request", "body": PNG}, {"type": "http.disconnect"}])

        async def receive():
            return next(messages)

        async def send(message):
            pass

        scope = {
            "type": "http", "method": "POST", "path": "/features", "query_string": b"",
            "headers": [],
        }  # fmt: skip
        await client._transport.app(scope, receive, send)
        stuck.set()
        return await first, await client.get("/metrics")

    first, metrics = talk(conversation, SMALL.model_copy(update={"workers": 1}))
    assert first.status_code == 200
    assert len(stuck.begun) == 1
    assert 'service_answers_total{path="/features",status="499"} 1.0' in metrics.text


def test_metrics_count_by_path_and_status():
    async def conversation(client):
        for body in (PNG, PNG, b"text"):
            await client.post("/features", content=body)
        await client.get("/anything")
        return await client.get("/metrics")

    response = talk(conversation)
    assert response.headers["content-type"].startswith("text/plain; version=")
    lines = response.text.splitlines()
    for line in (
        'service_answers_total{path="/features",status="200"} 2.0',
        'service_answers_total{path="/features",status="415"} 1.0',
        'service_answers_total{path="other",status="404"} 1.0',
        'service_step_seconds_count{step="decode"} 3.0',
        'service_step_seconds_count{step="pool"} 2.0',
        "service_pictures_in_flight 0.0",
    ):
        assert line in lines


# ----------------------------------------------------------------------------------- processes


@pytest.mark.skipif(sys.platform == "win32", reason="there, a process cannot be asked to end")
def test_requests_under_way_are_answered_after_the_signal_to_end():
    with load.service() as (url, pid):

        def parts():
            yield PNG[:10]
            os.kill(pid, signal.SIGTERM)
            yield PNG[10:]

        assert httpx.post(f"{url}/features", content=parts()).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("several", [[], ["--several"]], ids=["one picture", "several"])
def test_load(several):
    """A few seconds: every answer right, every bad request refused, no memory kept."""
    environment = {**os.environ, "SERVICE_MAX_BYTES": str(2**19), "SERVICE_WORKERS": "2"}
    result = subprocess.run(
        [sys.executable, SERVICE / "load.py", "--seconds", "5", "--concurrency", "4", *several],
        capture_output=True, text=True, timeout=120, env=environment, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    right, refused, wrong = re.match(
        r"answers +(\d+) pictures right, (\d+) bad requests refused, .* (\d+) wrong\n",
        result.stdout,
    ).groups()
    least = len(PICTURES) * len(FITS) if several else len(GOOD)
    assert (int(right) >= least, int(refused) >= 75, int(wrong)) == (True, True, 0)
    assert re.search(r"^memory +\d+ MiB before", result.stdout, re.MULTILINE)


def test_growth_is_that_of_the_median_after_the_warm_up():
    memory = [(t / 10, 50 * t) for t in range(30)]
    memory += [(3 + t / 10, 2000 + 9000 * (t == 7)) for t in range(35)]
    memory += [(6.5 + t / 10, 2300) for t in range(35)]
    assert load.growth(memory, 10) == 300
