"""The benchmarks: what is drawn, how it is summed up, and that pages say what was measured."""

import importlib
import itertools
import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import adaptive_pool as ap

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "benchmarks"
RESULTS = FOLDER / "results"
NAMED, SWEEP = RESULTS / "0.1.0.json", RESULTS / "0.1.0-sweep.json"
OPTIONS = RESULTS / "0.1.0-options.json"
BATCHES = RESULTS / "0.1.0-batches.json"

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the sdist has no benchmarks")


@pytest.fixture
def module(monkeypatch):
    """Import a module of the benchmarks, which find each other: they and the tests have `cases`."""
    monkeypatch.syspath_prepend(FOLDER)
    for name in [path.stem for path in FOLDER.glob("*.py")]:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in [path.stem for path in FOLDER.glob("*.py")]:
        sys.modules.pop(name, None)


def load(path):
    return json.loads(path.read_text("utf-8"))


def rows_of(table):
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_seed_always_draws_the_same(module):
    drawn = module("drawn").drawn
    assert drawn(1, 40) == drawn(1, 40)
    assert drawn(1, 40)[:40] == drawn(1, 80)[:40]
    assert not {case.name for case in drawn(1, 40)} & {case.name for case in drawn(2, 40)}
    assert {case.shape for case in drawn(1, 40)} != {case.shape for case in drawn(2, 40)}


def test_draws_are_those_of_the_committed_results(module):
    data, drawn = load(SWEEP), module("drawn").drawn
    names = {case.name for seed in data["seeds"] for case in drawn(seed, data["cells"])}
    assert {result["name"] for result in data["results"]} == names


def test_a_seed_covers_every_kind(module):
    drawing = module("drawn")
    cases = [case for case in drawing.drawn(1, 160) if "random cells" in case.family]
    assert len(cases) == 160
    assert {case.cold for case in cases} == {True, False}
    assert sum(case.cold for case in cases) == 80
    floats = [case for case in cases if case.dtype in drawing.FLOATS]
    kinds = {(case.operation, case.data_format) for case in floats}
    layouts = drawing.FIRST, drawing.LAST
    assert kinds == set(itertools.product(drawing.OPERATIONS, layouts))
    assert {case.dtype for case in cases} == set(drawing.DTYPES)
    assert {case.ndim for case in cases} == {1, 2, 3}
    assert any(case.divides for case in cases)
    assert any(o > i for case in cases for i, o in case.pooled)


def test_pictures_and_blocks_cover_every_kind(module):
    drawing = module("drawn")
    cases = [case for seed in (1, 2, 3) for case in drawing.drawn(seed, 160)]
    pictures = [case for case in cases if case.family == drawing.PICTURES_DRAWN]
    assert {case.shape[1] for case in pictures} == {1, 3, 4}
    kinds = {(case.dtype, case.result, case.operation) for case in pictures}
    assert kinds == {("uint8", "uint8", "avg")}
    blocks = [case for case in cases if case.family == drawing.BLOCKS]
    assert all(case.divides for case in blocks)
    factors = {i // o for case in blocks for i, o in case.pooled if o > 1}
    assert factors == {2, 3, 4}
    for whole in (True, False):
        shown = [case for case in blocks if whole == all(o == 1 for _, o in case.pooled)]
        kinds = {(case.dtype, case.operation) for case in shown}
        assert kinds == set(itertools.product(drawing.BLOCK_DTYPES, ("avg", "max_values")))


def test_draws_are_within_their_limits(module):
    drawing = module("drawn")
    for case in drawing.drawn(4, 160):
        elements = case.input_bytes // module("cases").ITEMSIZE[case.dtype]
        assert elements <= drawing.PIXELS[1] ** 2 * 4
        if "random cells" in case.family:
            assert drawing.ELEMENTS[0] <= elements <= drawing.ELEMENTS[1]


def test_cold_cases_fill_the_caches(module):
    cases = module("cases")
    for case in module("drawn").drawn(1, 80):
        if not case.cold:
            assert case.copies == 1
        elif case.copies < cases.MOST_COPIES:
            assert case.copies >= 2
            assert case.copies * case.input_bytes >= cases.COLD_BYTES


def result(ratio, again=None, **fields):
    second = {} if again is None else {"again": again}
    known = {"family": "random cells", "operation": "avg", "data_format": "channels_first"}
    rest = {"size": [7, 7], "dtype": "float32", "cold": False, "threads": 1, "ratio": ratio}
    return {**known, **rest, **second, **fields}


def test_a_cell_is_below_1_if_two_runs_say_so(module):
    is_below = module("groups").is_below
    assert is_below(result(0.9, 0.9))
    assert not is_below(result(0.9, 0.96))
    assert not is_below(result(0.96))
    assert not is_below(result(1.2, 0.5))


def test_figures_of_a_group(module):
    groups = module("groups")
    results = [result(float(2**i)) for i in range(-1, 20)]
    results[0]["again"] = 0.5
    integers = result(100.0, family="random cells of integers", dtype="uint8")
    found = groups.groups([*results, integers])
    figures = groups.Figures.of(found[groups.ALL])
    assert figures == groups.Figures(21, pytest.approx(2**9), 1.0, 0.5, 1)
    assert list(found) == [groups.ALL, "average, channels first", "2d", "float32", "uint8"]


def test_windows_that_take_less_than_shorter_ones_are_a_step(module):
    change = module("smoothness").change
    assert change(31, 32, 1.0, 1.6) == 1.6
    assert change(1, 2, 1.0, 0.5) == 1.0  # as long for a window: fewer results, no step
    assert change(63, 64, 1.28, 0.63) == pytest.approx(2.0)


def test_a_step_must_be_there_twice(module):
    steps_of = module("smoothness").steps_of
    calls = []

    def noisy(length):
        calls.append(length)
        return 3.0 if calls == [1, 2, 3] else 1.0

    assert list(steps_of(noisy, (1, 2, 3, 4))) == []
    found = list(steps_of(lambda length: 1.0 if length < 4 else 2.0, (1, 2, 3, 4, 5)))
    assert found == [{"lengths": [3, 4], "ns": [1.0, 2.0], "factor": 2.0}]


def test_report_is_made_of_the_results(module):
    report = module("report").markdown(load(NAMED))
    assert report == NAMED.with_suffix(".md").read_text("utf-8")
    assert "target" not in report.lower()
    headers = [row for row in rows_of(report) if "reading" in row]
    assert headers
    assert all(all(row) for row in headers)


def test_report_of_the_sweep_is_made_of_the_results(module):
    report = module("sweep_report").markdown(load(SWEEP))
    assert report == SWEEP.with_suffix(".md").read_text("utf-8")


def test_speed_in_the_readme_is_what_was_measured(module):
    readme = (ROOT / "README.md").read_text("utf-8")
    assert module("sweep_report").readme_with(readme, load(SWEEP)) == readme


def test_targets_can_be_missed_and_met(module):
    targets = module("targets")
    assert targets.at_least("mean", 4.9, 5)[-1] == "**missed**"
    assert targets.at_most("call", 5, 5)[-1] == "met"
    data = load(NAMED)
    table = targets.targets(data)
    families = {result["family"] for result in data["results"]}
    assert set(targets.FAMILY_TARGETS) == families - {"sizes that divide"}
    assert all(family in table for family in targets.FAMILY_TARGETS)
    assert "window lengths" not in table


def test_targets_of_the_sweep(module):
    rows = rows_of(module("targets").targets(load(SWEEP)))
    targets = module("targets").GROUP_TARGETS
    counts = len({result["threads"] for result in load(SWEEP)["results"]})
    assert len(rows) == 2 + counts * sum(map(len, targets.values())) + 1


@pytest.fixture
def threads():
    """The benchmarks set threads of the process that they run in, and switch off autograd."""
    before, torch = ap.get_num_threads(), sys.modules.get("torch")
    if torch is None and find_spec("torch") is not None:
        torch = importlib.import_module("torch")
    state = None if torch is None else (torch.get_num_threads(), torch.is_grad_enabled())
    yield
    if state is not None:
        torch.set_num_threads(state[0])
        torch.set_grad_enabled(state[1])
    ap.set_num_threads(before)


def cells_with_options(module):
    drawn = module("drawn").drawn_with_options(1, 16)
    return [*module("options_cases").cases(quick=True), *module("measure").possible(drawn)]


def test_calls_with_options_are_right(module, threads):
    """Small cells, nothing is timed: all that are there give what the definition says."""
    check = module("options_check").check_options
    names = ["adaptive_pool", *module("options_peers").LIBRARIES_OF_OPTIONS]
    present = module("measure").present(names)
    libraries = {name: module("peers").LIBRARIES[name](1) for name in present}
    compared = set()
    for case in cells_with_options(module):
        results = {}
        for name in {"adaptive_pool", *module("cases").family_of(case.family).libraries}:
            if name in libraries and (call := libraries[name].prepare(case)):
                results[name] = libraries[name].as_numpy(call(), case)
        assert results["adaptive_pool"]
        check(case, results)
        compared |= results.keys()
    assert compared == set(present)


def test_wrong_results_of_calls_with_options_are_found(module, threads):
    ours, check = module("ours").AdaptivePool(1), module("options_check").check_options
    for case in cells_with_options(module):
        results = ours.as_numpy(ours.prepare(case)(), case)
        wrong = results[0].copy()
        wrong.flat[wrong.size // 2] = 5
        with pytest.raises(ValueError, match="is not what its definition says"):
            check(case, {"adaptive_pool": [wrong, *results[1:]]})


def test_every_option_is_timed_and_drawn(module):
    options = set(module("options_data").OPTIONS)
    drawn = module("drawn").drawn_with_options
    assert {case.options for case in drawn(1, 60)} == options
    assert drawn(1, 20) == drawn(1, 40)[:20]
    assert {case.options for case in module("options_cases").cases()} == options - {"nodata"}
    families = {family.name for family in module("cases").FAMILIES}
    groups = module("options_cases")
    assert {group.family for group in groups.GROUPS} <= families
    pictures = module("drawn").drawn_by_area(1, 4)
    assert len({case.family for case in pictures}) == 1
    timed = {case.family for case in [*groups.cases(), *pictures]}
    assert {target.family for target in groups.TARGETS} <= timed <= families


def test_report_of_options_is_made_of_the_results(module):
    report = module("options_report").markdown(load(OPTIONS))
    assert report == OPTIONS.with_suffix(".md").read_text("utf-8")


def cells_of_batches(module):
    drawn = module("measure").possible(module("batches_drawn").drawn_batches(1, 24))
    small = [case for case in drawn if case.input_bytes < 1_000_000]
    return [*module("batches_cases").cases(quick=True), *small]


def results_of_batches(module):
    """Yield small cases with the results of all libraries that are there; nothing is timed."""
    names = ["adaptive_pool", *module("batches_peers").LIBRARIES_OF_BATCHES]
    present = module("measure").present(names)
    libraries = {name: module("peers").LIBRARIES[name](1) for name in present}
    for case in cells_of_batches(module):
        results = {}
        for name in ("adaptive_pool", *module("cases").family_of(case.family).libraries):
            if name in libraries and (call := libraries[name].prepare(case)):
                results[name] = libraries[name].as_numpy(call(), case)
        yield case, results


def test_many_problems_in_one_call_are_right(module, threads):
    """All libraries that are there take part, and agree with this one."""
    check, compared = module("batches_check").check_batch, set()
    for case, results in results_of_batches(module):
        assert results["adaptive_pool"]
        assert results["single calls"]
        check(case, results)
        compared |= results.keys()
    known = module("batches_peers").LIBRARIES_OF_BATCHES
    assert compared == {"adaptive_pool", *module("measure").present(list(known))}


def test_wrong_results_of_many_problems_are_found(module, threads):
    check = module("batches_check").check_batch
    for case, results in results_of_batches(module):
        for library, found in results.items():
            if library == "adaptive_pool" or not found:
                continue
            wrong = found[-1].copy()
            middle = wrong.size // 2
            wrong.flat[middle] = 7 if wrong.flat[middle] == 5 else 5
            with pytest.raises(ValueError, match=" does not compute it"):
                check(case, {**results, library: [*found[:-1], wrong]})


def test_every_kind_of_batch_is_timed_and_drawn(module):
    named, drawn = module("batches_cases").cases(), module("batches_drawn").drawn_batches
    kinds = module("batches_ours").CALLS.keys()
    assert {case.batch for case in named} == {case.batch for case in drawn(1, 60)} == kinds
    assert drawn(1, 20) == drawn(1, 40)[:20]
    assert module("batches_alone").SINGLE_CALLS.keys() == kinds
    memory = module("batches_cases").memory_cases()
    assert {case.batch for case in memory} == kinds
    families = {family.name for family in module("cases").FAMILIES}
    timed = {case.family for case in named}
    assert {target.family for target in module("batches_cases").TARGETS} <= timed <= families


def test_report_of_batches(module):
    """Every case has a row, and every target a verdict."""
    measure, cells = module("measure"), cells_of_batches(module)
    results = []
    for case in cells:
        others = module("cases").family_of(case.family).libraries
        labels = [(name, count) for name in ("adaptive_pool", *others) for count in (1, 2)]
        times = {label: [1.0, 2.0] for label in labels}
        results += [measure.figures(case, count, times) for count in (1, 2)]
    memory = [{"name": "a call", "threads": 2, "bytes": 1 << 22}]
    data = {"machine": measure.machine([]), "seeds": [1], "cells": 12, "results": results}
    report = module("batches_report").markdown({**data, "memory": memory})
    shown = {row[0] for row in rows_of(report)}
    assert {case.name for case in module("batches_cases").cases(quick=True)} <= shown
    assert "| a call, 2 threads | 2 | 1 | **missed** |" in report
    for target in module("batches_cases").TARGETS:
        assert any(name.startswith(f"{target.family}: ") for name in shown)


def test_report_of_batches_is_made_of_the_results(module):
    report = module("batches_report").markdown(load(BATCHES))
    assert report == BATCHES.with_suffix(".md").read_text("utf-8")
