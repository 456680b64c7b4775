"""Compare pooling with `lengths` and the usual ways: the same embeddings, and the time of each.

The usual way multiplies every token by its mask, sums all of them, padding too, and divides by the
sum of the mask. It is done in NumPy with the mask as tokenizers give it (int64), in NumPy with the
mask as float32 and, if PyTorch is installed, in PyTorch as sentence-transformers does it.

The exit status is 1 if any embedding differs by more than 1e-6.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from encoder import MAX_LENGTH, Encoder, Lengths, Vectors, attention_mask, mean_pool, normalize
from texts import lines

import adaptive_pool as ap

try:
    import torch
except ImportError:
    torch = None

PARAGRAPHS = Path(__file__).with_name("paragraphs.txt")  # of the documentation, as it was once
OURS = "lengths"
TOLERANCE = 1e-6  # of an element of an embedding, which has length 1
ROUNDS = 15
PAUSE = 0.02  # seconds, in which the threads of what ran before stop spinning

Way = Callable[[], Vectors]


def masked_mean(tokens: Vectors, mask: npt.NDArray[np.generic]) -> Vectors:
    """Average tokens by a mask, padding times 0 included."""
    expanded = np.broadcast_to(mask[..., np.newaxis], tokens.shape)
    return (tokens * expanded).sum(axis=1) / np.clip(expanded.sum(axis=1), 1e-9, None)


def ways(tokens: Vectors, lengths: Lengths) -> dict[str, Way]:
    """Return what pools a batch, by name; ours is the first."""
    mask = attention_mask(lengths, tokens.shape[1])
    result = {
        OURS: lambda: mean_pool(tokens, lengths),
        "NumPy, int64": lambda: masked_mean(tokens, mask),
        "NumPy, float32": lambda: masked_mean(tokens, mask.astype(np.float32)),
    }
    if torch is not None:
        tensor, torch_mask = torch.from_numpy(tokens), torch.from_numpy(mask)

        def torch_mean() -> Vectors:
            expanded = torch_mask.unsqueeze(-1).expand(tensor.shape).to(tensor.dtype)
            return ((tensor * expanded).sum(1) / expanded.sum(1).clamp(min=1e-9)).numpy()

        result["PyTorch"] = torch_mean
    return result


def exact_mean(tokens: Vectors, lengths: Lengths) -> npt.NDArray[np.float64]:
    """Average the tokens of each text one by one, in float64."""
    texts = (text[:length] for text, length in zip(tokens, lengths, strict=True))
    return np.stack([text.mean(axis=0, dtype=np.float64) for text in texts])


def seconds(way: Way) -> float:
    """Return how long a call takes: the median of five, after one that is not counted."""
    time.sleep(PAUSE)
    taken = []
    for _ in range(6):
        begun = time.perf_counter()
        way()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken[1:])


def documentation() -> list[str]:
    """Return paragraphs of the project's pages: the same ones always, so that figures compare."""
    with PARAGRAPHS.open(encoding="utf-8") as stream:
        return lines(stream, PARAGRAPHS.name)


def batches(texts: list[str], encoder: Encoder) -> dict[str, list[list[int]]]:
    """Return batches of token ids: short texts, a mixture, the same by length, and long ones."""
    sequences = encoder.tokenize(texts)
    by_length = sorted(sequences, key=len)
    joined = [ids for sequence in sequences for ids in sequence]
    whole = range(0, len(joined), MAX_LENGTH - 2)
    spread = np.linspace(0, len(sequences) - 1, 32).astype(int)
    middle = len(sequences) // 2
    return {
        "one short text": by_length[:1],
        "32 short texts": by_length[:32],
        "32 as they come": [sequences[i] for i in spread],
        "32 of one length": by_length[middle - 16 : middle + 16],
        "16 long texts": [joined[first : first + MAX_LENGTH - 2] for first in whole][:16],
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="default: all CPUs")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N")
    options = parser.parse_args(arguments)
    if options.threads:
        ap.set_num_threads(options.threads)
        if torch is not None:
            torch.set_num_threads(options.threads)
    encoder = Encoder(options.threads)
    worst: dict[str, float] = {}
    for name, sequences in batches(documentation(), encoder).items():
        begun = time.perf_counter()
        tokens, lengths = encoder.run(sequences)
        model = time.perf_counter() - begun
        pools = ways(tokens, lengths)
        if not worst:
            print(f"{'batch':18}{'tokens':>9}{'padding':>9}{'model':>9}{OURS:>9}", end="")
            print(*(f"{way:>18}" for way in list(pools)[1:]), sep="")
        exact = normalize(exact_mean(tokens, lengths))
        for way, pool in pools.items():
            error = np.abs(normalize(pool()) - exact).max()
            worst[way] = max(worst.get(way, 0), error)
        rounds = [
            {way: seconds(pool) for way, pool in pools.items()} for _ in range(options.rounds)
        ]
        shape = f"{tokens.shape[0]} x {tokens.shape[1]}"
        padding = 1 - lengths.sum() / (tokens.shape[0] * tokens.shape[1])
        print(f"{name:18}{shape:>9}{padding:9.0%}{model * 1e3:6.0f} ms", end="")
        for way in pools:
            taken = statistics.median(times[way] for times in rounds)
            ratio = statistics.median(times[way] / times[OURS] for times in rounds)
            print(f"{taken * 1e6:6.0f} us", f"{ratio:6.1f} x" * (way != OURS), end="")
        print()
    print("largest error:", *(f"{way} {error:.0e}," for way, error in worst.items()), end=" ")
    wrong = [way for way, error in worst.items() if error > TOLERANCE]
    print("wrong:" if wrong else f"all within {TOLERANCE:.0e}", *wrong)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
