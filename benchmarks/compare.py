"""Compare two results: `python benchmarks/compare.py OLD.json NEW.json`.

Ratios against the peers are compared, not times, so that machines may differ in pace; where a case
has no peer, times are. A case is slower if its ratio fell by more than the threshold and the
quartiles of the two do not meet; a family is slower if its geometric mean fell by more than the
threshold. Either makes the exit status 1.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path

from report import Row, table

Key = tuple[str, str, int]


def load(path: str) -> dict[Key, dict]:
    """Return the results of a file by family, case and number of threads."""
    results = json.loads(Path(path).read_text())["results"]
    return {(r["family"], r["name"], r["threads"]): r for r in results}


def change(old: dict, new: dict) -> float:
    """Return how much faster a case has become: above 1 is faster."""
    if old["ratio"] is None or new["ratio"] is None:
        return old["seconds"]["adaptive_pool"] / new["seconds"]["adaptive_pool"]
    return new["ratio"] / old["ratio"]


def beyond_noise(old: dict, new: dict) -> bool:
    """Whether the middle halves of the rounds of two cases do not meet."""
    if old["quartiles"] is None or new["quartiles"] is None:
        return True
    return new["quartiles"][1] < old["quartiles"][0]


def compare(old: dict[Key, dict], new: dict[Key, dict], threshold: float) -> tuple[str, list[str]]:
    """Return a table of all cases and families, and what has become slower."""
    rows: list[Row] = []
    slower: list[str] = []
    families: dict[tuple[str, int], list[float]] = {}
    for key in (key for key in old if key in new):
        family, name, threads = key
        factor = change(old[key], new[key])
        families.setdefault((family, threads), []).append(factor)
        worse = factor < 1 - threshold and beyond_noise(old[key], new[key])
        if worse:
            slower.append(f"{family}: {name}, {threads} threads: {factor:.2f}")
        rows.append((family, name, str(threads), f"{factor:.2f}", "slower" if worse else ""))
    for (family, threads), factors in families.items():
        mean = statistics.geometric_mean(factors)
        if mean < 1 - threshold:
            slower.append(f"{family}, {threads} threads: {mean:.2f}")
        mark = "slower" if mean < 1 - threshold else ""
        rows.append((family, "*geometric mean*", str(threads), f"{mean:.2f}", mark))
    return table(("family", "case", "threads", "new over old", ""), rows), slower


def main() -> int:
    """Compare what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--threshold", type=float, default=0.15, help="a loss that is an error")
    arguments = parser.parse_args()
    old, new = load(arguments.old), load(arguments.new)
    text, slower = compare(old, new, arguments.threshold)
    print(text)
    for which, missing in (("old", old.keys() - new.keys()), ("new", new.keys() - old.keys())):
        if missing:
            print(f"{len(missing)} cells only in the {which} results")
    if not old.keys() & new.keys():
        print("the results have no case in common")
        return 1
    print("\n".join(["slower:", *slower]) if slower else "nothing is slower")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
