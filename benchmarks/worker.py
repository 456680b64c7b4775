"""One library in a process of its own, which does what it is told on standard input.

Each line is a JSON object, each answer a JSON value; one more comes first, when the library is
imported. {"prepare": case, "save": folder} makes the input and saves the result for checking, or
answers that the library has no such operation; {"time": seconds} answers with seconds per call,
measured over about so many seconds; {"forget": true} lets go of the input.
"""

from __future__ import annotations

import functools
import gc
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from cases import case_of
from library import Call, Library
from peers import LIBRARIES
from timing import seconds_per_call


def _next(calls: Iterator[Call]) -> object:
    return next(calls)()


def prepare(library: Library, fields: dict, folder: Path) -> Call | None:
    """Make the call of a case and save its results; of a cold case, calls that take turns."""
    case = case_of(fields)
    call = library.prepare(case)
    if call is None:
        return None
    for i, array in enumerate(library.as_numpy(call(), case)):
        np.save(folder / f"{i}.npy", array)
    gc.collect()
    if not case.cold:
        return call
    following = itertools.cycle([call, *(library.prepare(case) for _ in range(1, case.copies))])
    return functools.partial(_next, following)


def main() -> None:
    """Serve until standard input ends."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    library = LIBRARIES[sys.argv[1]](int(sys.argv[2]))
    gc.disable()
    print(json.dumps(None), file=answers, flush=True)
    call: Call | None = None
    answer: object
    for line in sys.stdin:
        request = json.loads(line)
        if "prepare" in request:
            call = None  # the last input goes before the next comes
            call = prepare(library, request["prepare"], Path(request["save"]))
            answer = call is not None
        elif "forget" in request:
            call = answer = None
        else:
            answer = seconds_per_call(call, request["time"]) if call else None
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
