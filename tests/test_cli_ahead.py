"""Many files on the command line: read ahead, pooled together, and written as results come."""

from __future__ import annotations

import gc
import json
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

import adaptive_pool as ap
from adaptive_pool._cli import ahead, files, main, pooling
from adaptive_pool._cli.ahead import Ahead

RNG = np.random.default_rng(0)

# Seconds. Waits end when what they wait for is there; this is when a broken test gives up.
LONG = 60
# Seconds in which readers that know no limit would read on.
SHORT = 0.2


def taken(jobs, **options):
    """Return the results of jobs in a list."""
    given = {"threads": 3, "most": 4, "room": 100, **options}
    results = []
    with Ahead(jobs, **given) as outcomes:
        for outcome in outcomes:
            results.append(outcome.take())
            outcomes.drop()
    return results


# --------------------------------------------------------------------------------------- ahead


@pytest.mark.parametrize("threads", [0, 1, 3, 50])
def test_results_come_in_the_order_of_the_jobs(threads):
    jobs = [lambda claim, k=k: k for k in range(100)]
    assert taken(jobs, threads=threads) == list(range(100))


def test_no_jobs():
    assert taken([]) == []


def test_a_system_without_threads(monkeypatch):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert taken([lambda claim: 1, lambda claim: 2]) == [1, 2]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_a_job_raises_is_raised_in_its_place_and_the_others_go_on(error):
    def fail(claim):
        raise error("broken")

    with Ahead([lambda claim: 1, fail, lambda claim: 3], 2, 4, 100) as outcomes:
        first, second, third = outcomes
        assert (first.take(), third.take()) == (1, 3)
        with pytest.raises(error, match="broken"):
            second.take()


def test_no_more_are_begun_than_may_be_held():
    begun, full = [], threading.Event()

    def job(claim, k):
        begun.append(k)
        if len(begun) == 4:
            full.set()
        return k

    jobs = [lambda claim, k=k: job(claim, k) for k in range(20)]
    with Ahead(jobs, 3, 4, 100) as outcomes:
        it = iter(outcomes)
        assert full.wait(LONG)
        assert [next(it).take() for _ in range(4)] == [0, 1, 2, 3]
        threading.Event().wait(SHORT)
        assert sorted(begun) == [0, 1, 2, 3]  # taken, but not yet dropped
        outcomes.drop()
        assert next(it).take() == 4


def test_no_more_bytes_are_claimed_than_there_is_room_for():
    held, most, both = [0], [0], threading.Lock()
    second = threading.Event()

    def job(claim, k):
        claim(40)
        with both:
            held[0] += 40
            most[0] = max(most[0], held[0])
        if k == 1:
            second.set()
        return k

    jobs = [lambda claim, k=k: job(claim, k) for k in range(12)]
    with Ahead(jobs, 6, 12, 100) as outcomes:
        for k, outcome in enumerate(outcomes):
            assert outcome.take() == k
            if k == 0:
                assert second.wait(LONG)
                threading.Event().wait(SHORT)
            with both:
                held[0] -= 40
            outcomes.drop()
    assert most[0] <= 100 + 40


def test_the_next_one_is_not_held_back_however_large_it_is():
    def job(claim, k):
        claim(1000)
        return k

    assert taken([lambda claim, k=k: job(claim, k) for k in range(10)]) == list(range(10))


def test_threads_end_when_nobody_takes_more():
    before = threading.active_count()
    with Ahead([lambda claim: 1] * 100, 3, 4, 100) as outcomes:
        next(iter(outcomes))
    for thread in threading.enumerate():
        if thread.daemon:
            thread.join(LONG)
    assert threading.active_count() == before


# ------------------------------------------------------------------------------------ pictures


@pytest.fixture
def image():
    """Return Pillow's module."""
    return pytest.importorskip("PIL.Image", reason="pictures are read with Pillow")


@pytest.fixture
def scenes(image, tmp_path):
    """Return 150 pictures of many sizes, in the order of their files; number 77 is broken."""
    folder, pixels = tmp_path / "in", []
    folder.mkdir()
    for k in range(150):
        scene = RNG.integers(0, 256, (5 + k % 7, 4 + k % 5, 3), np.uint8)
        image.fromarray(scene).save(folder / f"{k:03}.png")
        pixels.append(scene)
    (folder / "077.png").write_bytes(b"broken")
    del pixels[77]
    return pixels


def pool(tmp_path, *options, status=0, name="y.npy"):
    given = ["pool", str(tmp_path / "in"), "-o", str(tmp_path / name), "--size", "3,2", *options]
    assert main(given) == status


@pytest.mark.parametrize("threads", ["1", "4"])
@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_many_pictures_are_pooled_as_each_alone(scenes, tmp_path, threads, mode, data_format):
    options = ["--mode", mode, "--data-format", data_format, "--threads", threads]
    pool(tmp_path, *options, status=1)
    alone = ap.adaptive_avg_pool2d if mode == "avg" else ap.adaptive_max_pool2d
    expected = np.stack([alone(scene, (3, 2), data_format="channels_last") for scene in scenes])
    if data_format == "channels_first":
        expected = np.moveaxis(expected, -1, 1)
    result = np.load(tmp_path / "y.npy")
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result, expected)


def test_a_broken_picture_is_named_and_the_list_says_which_row_is_which(scenes, tmp_path, capsys):
    pool(tmp_path, status=1)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"skipped {tmp_path / 'in' / '077.png'}: cannot identify image file")
    names = json.loads((tmp_path / "y.names.json").read_text("utf-8"))
    expected = [f"{k:03}.png" for k in range(150) if k != 77]
    assert [Path(name).name for name in names] == expected


@pytest.mark.usefixtures("scenes")
def test_pictures_in_memory_are_limited(tmp_path, monkeypatch):
    """While the first are pooled, others are read, and then no more until there is room."""
    read, alive, counts = files.read_picture, set(), []
    changed, waited = threading.Condition(), []

    def counted(*arguments):
        pixels = read(*arguments).copy()
        with changed:
            alive.add(id(pixels))
            weakref.finalize(pixels, alive.discard, id(pixels))
            counts.append(len(alive))
            changed.notify_all()
        return pixels

    def wait_first(self, waiting):
        if not waited:
            with changed:
                assert changed.wait_for(lambda: len(counts) >= 64, LONG)
                changed.wait_for(lambda: len(counts) > 64, SHORT)
            waited.append(True)
        return [None] * len(waiting)

    monkeypatch.setattr("adaptive_pool._cli.files.read_picture", counted)
    monkeypatch.setattr(pooling.Batch, "_together", wait_first)
    pool(tmp_path, status=1)
    gc.collect()
    assert len(counts) == 149
    assert max(counts) == 64
    assert not alive


def test_pictures_are_read_while_others_are_pooled(scenes, tmp_path, monkeypatch):
    """Reader and pooler wait for each other, which only ends if both are at work."""
    read, together = files.read_picture, pooling.Batch._together
    pooling_now, read_meanwhile = threading.Event(), threading.Event()

    def watched(path, *arguments):
        if path.name == "149.png":
            assert pooling_now.wait(LONG)
            read_meanwhile.set()
        return read(path, *arguments)

    def pooled(self, waiting):
        if len(waiting) and waiting[0].short > "100":
            pooling_now.set()
            assert read_meanwhile.wait(LONG)
        return together(self, waiting)

    monkeypatch.setattr("adaptive_pool._cli.files.read_picture", watched)
    monkeypatch.setattr(pooling.Batch, "_together", pooled)
    pool(tmp_path, "--threads", "2", status=1)
    assert len(np.load(tmp_path / "y.npy")) == len(scenes)


def test_one_that_cannot_be_pooled_does_not_keep_those_beside_it(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    for k, height in enumerate([4, 0, 5]):
        np.save(tmp_path / "in" / f"{k}.npy", np.full((height, 6, 3), k, np.float32))
    pool(tmp_path, status=1)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy")[:, 0, 0, 0], [0, 2])
    assert f"skipped {tmp_path / 'in' / '1.npy'}: adaptive_avg_pool2d: " in (
        capsys.readouterr().err
    )


def test_arrays_alike_are_one_call(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    arrays = [RNG.standard_normal((4 + k, 6, 3)) for k in range(5)]
    for k, array in enumerate(arrays):
        np.save(tmp_path / "in" / f"{k}.npy", array)
    calls, together = [], pooling.Pooler.together

    def counted(self, given):
        calls.append(len(given))
        return together(self, given)

    monkeypatch.setattr(pooling.Pooler, "together", counted)
    pool(tmp_path)
    assert calls == [5]
    expected = [ap.adaptive_avg_pool2d(x, (3, 2), data_format="channels_last") for x in arrays]
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), expected)


def test_inputs_of_several_kinds_stay_in_their_order(image, tmp_path):
    """Pictures, arrays, pictures that are transparent, and archives, in turns."""
    folder = tmp_path / "in"
    folder.mkdir()
    for k in range(0, 40, 4):
        value = np.full((4, 4, 3), k, np.uint8)
        image.fromarray(value).save(folder / f"{k:02}.png")
        np.save(folder / f"{k + 1:02}.npy", value + np.uint8(1))
        alpha = np.full((4, 4, 1), 255, np.uint8)
        alpha[0] = 9
        image.fromarray(np.dstack([value + np.uint8(2), alpha])).save(folder / f"{k + 2:02}.png")
        np.savez(folder / f"{k + 3:02}.npz", x=value + np.uint8(3))
    pool(tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy")[:, 0, 0, 0], np.arange(40))


def test_more_threads_than_there_may_be(scenes, tmp_path):
    pool(tmp_path, "--threads", str(ahead.MOST_THREADS + 100), status=1)
    assert len(np.load(tmp_path / "y.npy")) == len(scenes)
