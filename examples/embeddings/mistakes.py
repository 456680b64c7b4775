"""What the usual ways of pooling a padded batch get wrong or take, with vectors of the real model.

The batch is the third of `compare.py`: 32 paragraphs of the documentation as they come.
"""

from __future__ import annotations

import statistics

import numpy as np
from compare import ROUNDS, Way, batches, documentation, seconds
from encoder import Encoder, attention_mask, mean_pool, normalize

import adaptive_pool as ap

LAST = {"data_format": "channels_last"}
PARTS = 4  # of each text
CHUNK = 16  # tokens of a chunk


def report_times(name: str, usual: Way, ours: Way) -> None:
    """Print what both take, after a check that they give the same."""
    np.testing.assert_allclose(usual(), ours(), rtol=0, atol=1e-6)
    rounds = [(seconds(usual), seconds(ours)) for _ in range(ROUNDS)]
    taken = [statistics.median(times) * 1e6 for times in zip(*rounds, strict=True)]
    ratio = statistics.median(slow / fast for slow, fast in rounds)
    print(f"{name:34}{taken[0]:6.0f} us, ours {taken[1]:.0f} us: {ratio:.1f} x")


def main() -> None:
    """Run the command."""
    encoder = Encoder()
    tokens, lengths = encoder.run(batches(documentation(), encoder)["32 as they come"])
    count, width, _ = tokens.shape
    mask = attention_mask(lengths, width)[..., np.newaxis]
    print(f"{count} texts of {lengths.min()} to {lengths.max()} tokens, padded to {width}")

    right = normalize(mean_pool(tokens, lengths))
    cosines = (normalize(tokens.mean(axis=1)) * right).sum(axis=-1)
    print(f"{'mean of tokens and padding':34}", end="")
    print(f"cosine to the right one: median {np.median(cosines):.2f}, lowest {cosines.min():.2f}")

    largest = ap.adaptive_max_pool1d(tokens, 1, lengths=lengths, **LAST)[:, 0]
    for name, usual in (
        ("maximum of tokens and padding", tokens.max(axis=1)),
        ("maximum of tokens times mask", (tokens * mask).max(axis=1)),
    ):
        wrong = (usual != largest).mean(axis=1)
        print(f"{name:34}{wrong.mean():.0%} of the numbers wrong, of one text {wrong.max():.0%}")

    starts = np.array([part[0] for part in np.array_split(np.arange(width), PARTS)])
    empty = (lengths[:, np.newaxis] <= starts).sum()
    print(f"{'parts of the padded axis':34}{empty} of {PARTS * count} are padding alone")

    report_times(
        "maximum with -inf at padding",
        lambda: np.where(mask > 0, tokens, -np.inf).max(axis=1),
        lambda: ap.adaptive_max_pool1d(tokens, 1, lengths=lengths, **LAST)[:, 0],
    )
    chunks = np.array(
        [
            (n, start, min(start + CHUNK, length))
            for n, length in enumerate(lengths)
            for start in range(0, length, CHUNK)
        ]
    )
    report_times(
        f"{len(chunks)} chunks in a loop",
        lambda: np.stack([tokens[n, start:end].mean(axis=0) for n, start, end in chunks]),
        lambda: ap.adaptive_avg_pool1d(tokens, 1, regions=chunks, **LAST)[:, 0],
    )
    packed = np.concatenate([text[:length] for text, length in zip(tokens, lengths, strict=True)])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    report_times(
        "texts without padding, reduceat",
        lambda: np.add.reduceat(packed, offsets[:-1]) / lengths[:, np.newaxis],
        lambda: ap.adaptive_avg_pool1d_packed(packed, offsets, 1, **LAST)[:, 0],
    )


if __name__ == "__main__":
    main()
