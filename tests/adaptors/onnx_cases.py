"""Problems drawn by seeds, and the runtimes that models of them run in."""

import numpy as np
import onnxruntime
import openvino

import adaptive_pool as ap

RULES = ["torch", "split", "uniform", "ceil", "area"]
FLOAT32 = {"INFERENCE_PRECISION_HINT": "f32"}  # whatever the processor has


def run_onnxruntime(model, x):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {session.get_inputs()[0].name: x})


def run_openvino(model, x):
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(model.SerializeToString()), "CPU", FLOAT32)
    results = compiled([x])
    return [np.array(results[k]) for k in range(len(compiled.outputs))]


RUNTIMES = {"onnxruntime": run_onnxruntime, "openvino": run_openvino}


def can_cut(size, count, rule):
    try:
        ap.pool_windows(size, count, rule)
    except ValueError:
        return False
    return True


def drawn(seed):
    """Kind, lead and pooled sizes, output sizes, rule: some sizes of 1, some kept, some larger."""
    rng = np.random.default_rng(seed)
    ndim = int(rng.integers(1, 4))
    kind = ["avg", "max"][seed % 2]
    rule = str(rng.choice(RULES if kind == "avg" else RULES[:4]))
    longest = [120, 30, 10][ndim - 1]
    sizes = [int(rng.choice([1, 2, rng.integers(1, longest)])) for _ in range(ndim)]
    counts = []
    for size in sizes:
        count = 0
        while count == 0 or not can_cut(size, count, rule):
            count = int(rng.choice([1, rng.integers(1, 2 * size + 1)]))
        counts.append(None if rng.random() < 0.1 else count)
    lead = tuple(int(n) for n in rng.integers(1, 5, rng.integers(0, 3)))
    return kind, lead, tuple(sizes), tuple(counts), rule


def array(seed, shape, kind):
    """Elements of float32; for maxima with many ties, and here and there NaN and infinity."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape).astype(np.float32)
    if kind == "max":
        x = np.round(3 * x)
        x[rng.random(shape) < 0.02] = np.nan
        x[rng.random(shape) < 0.02] = np.inf
    return x
