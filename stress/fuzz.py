"""Random calls, good and bad, against the definition and the contract, until one fails.

    python stress/fuzz.py --seconds 600                         each build for that long
    ADAPTIVE_POOL_ISA=baseline python stress/fuzz.py --seed 3 --call 1234

The second runs one call again, in the build that it failed in. What fails is printed as a literal
for `tests/test_found_by_fuzzing.py`.
"""

import argparse
import faulthandler
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterable
from pathlib import Path

from call import Call
from calls import random_call
from judge import check

import adaptive_pool as ap
from adaptive_pool import _kernels

SMALL = 60_000  # elements of an array
LARGE = 2_500_000  # of one call in so many; 8 MiB and more are read in another way
OFTEN = 200


def call_of(seed: int, number: int) -> Call:
    """The call of that number: it depends on no other."""
    chance = random.Random(f"{seed}/{number}")
    return random_call(chance, LARGE if chance.randrange(OFTEN) == 0 else SMALL)


def run(seed: int, numbers: Iterable[int], seconds: float, last: Path | None) -> int:
    """Check calls until time is up; return the exit status."""
    build = ap.config()["isa"]
    print(f"build {build}, seed {seed}", flush=True)
    end = time.monotonic() + seconds
    done = bad = 0
    for number in numbers:
        if time.monotonic() >= end:
            break
        if last is not None:
            last.write_text(str(number))
        call = call_of(seed, number)
        try:
            check(call)
        except KeyboardInterrupt:
            break
        except BaseException:  # noqa: BLE001 - whatever it is, it is what was looked for
            traceback.print_exc()
            print(f"\nfailed: {call!r}\n{again(build, seed, number)}", flush=True)
            return 1
        done += 1
        bad += call.fault is not None
    print(f"build {build}, seed {seed}: {done} calls, {bad} of them bad, none failed", flush=True)
    return 0


def again(build: str, seed: int, number: int) -> str:
    command = f"ADAPTIVE_POOL_ISA={build} python stress/fuzz.py --seed {seed}"
    return f"again: {command} --call {number}\nwith all before it: {command} --calls {number + 1}"


def run_builds(arguments: argparse.Namespace, seed: int) -> int:
    """Run this script in each build, in a process of its own, which may crash."""
    status = 0
    for build in _kernels.isas_built:
        if not _kernels._RUNS[build]:
            print(f"build {build}: this processor does not run it")
            continue
        with tempfile.TemporaryDirectory() as folder:
            last = Path(folder) / "last"
            command = [sys.executable, __file__, "--seed", str(seed), "--last", str(last)]
            command += ["--seconds", str(arguments.seconds)]
            if arguments.calls is not None:
                command += ["--calls", str(arguments.calls)]
            environment = {**os.environ, "ADAPTIVE_POOL_ISA": build}
            code = subprocess.run(command, env=environment, check=False).returncode
            if code < 0:
                number = int(last.read_text())
                print(f"\nkilled by signal {-code}: {call_of(seed, number)!r}")
                print(again(build, seed, number))
            status = status or abs(code)
    return min(status, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, help="for each build (default: 60)")
    parser.add_argument("--calls", type=int, help="at most, for each build")
    parser.add_argument("--seed", type=int, help="of the first call (default: another each time)")
    parser.add_argument("--call", type=int, help="only the call of this number")
    parser.add_argument("--last", type=Path, help="where the number of the call at work is kept")
    arguments = parser.parse_args()
    if arguments.seconds is None:
        arguments.seconds = float("inf") if arguments.calls or arguments.call is not None else 60.0
    seed = secrets.randbelow(2**32) if arguments.seed is None else arguments.seed
    faulthandler.enable()
    warnings.simplefilter("error")
    if not os.environ.get("ADAPTIVE_POOL_ISA"):
        return run_builds(arguments, seed)
    if arguments.call is not None:
        return run(seed, [arguments.call], arguments.seconds, arguments.last)
    numbers = range(arguments.calls if arguments.calls is not None else sys.maxsize)
    return run(seed, numbers, arguments.seconds, arguments.last)


if __name__ == "__main__":
    sys.exit(main())
