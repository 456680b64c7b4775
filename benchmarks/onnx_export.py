"""Adaptive average pooling as standard operators, ours and PyTorch's, in ONNX Runtime.

Prints a table: the size of the files, and how long a run takes on one thread: the median. Results
are compared first. Needs `onnxscript`, `onnxruntime` and `torch`.

    python benchmarks/onnx_export.py [--quick]
"""

import argparse
import logging
import time
import warnings

import numpy as np
import onnxruntime
import torch

import adaptive_pool as ap
import adaptive_pool.onnx

CASES = [(100, 7), (14, 7), (30, 7), (57, 8), (224, 7), (45, 6), (13, 5)]  # planes are square
CHANNELS = 64


def of_torch(size, count):
    """What PyTorch exports for one size."""
    pool, x = torch.nn.AdaptiveAvgPool2d(count), torch.ones(1, CHANNELS, size, size)
    return torch.onnx.export(pool, (x,), dynamo=True, verbose=False).model_proto


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def medians(sessions, x, rounds):
    """Milliseconds of a run of each: rounds of ten runs one after the other, of all in turn."""
    times = [[] for _ in sessions]
    for _ in range(rounds):
        for each, spent in zip(sessions, times, strict=True):
            name = each.get_inputs()[0].name
            each.run(None, {name: x})
            for _ in range(10):
                begin = time.perf_counter()
                each.run(None, {name: x})
                spent.append(time.perf_counter() - begin)
    return [np.median(spent) * 1e3 for spent in times]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one case, and few runs")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    rng = np.random.default_rng(0)
    print("| size | KB: PyTorch | ours | any size | ms: PyTorch | ours | any size | times faster |")
    print("|---|---|---|---|---|---|---|---|")
    for size, count in CASES[:1] if quick else CASES:
        x = rng.random((1, CHANNELS, size, size), np.float32)
        known = adaptive_pool.onnx.model("avg", (count, count), shape=x.shape)
        unknown = adaptive_pool.onnx.model("avg", (count, count), shape=(None,) * 4)
        models = [of_torch(size, count), known, unknown]
        sessions = [session(model) for model in models]
        y = ap.adaptive_avg_pool2d(x, count)
        for each in sessions:
            result = each.run(None, {each.get_inputs()[0].name: x})[0]
            np.testing.assert_allclose(result, y, rtol=1e-5)
        files = [f"{model.ByteSize() / 1e3:.1f}" for model in models]
        spent = medians(sessions, x, 2 if quick else 10)
        cells = [f"{size} -> {count}", *files, *(f"{t:.3f}" for t in spent)]
        print("|", " | ".join([*cells, f"{spent[0] / spent[1]:.1f}"]), "|")


if __name__ == "__main__":
    main()
