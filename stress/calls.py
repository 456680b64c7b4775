"""Random calls, good and bad, of shapes that reach every path of the kernels."""

import math
import random
from dataclasses import replace

from arrays import VALUES, Data, Memory
from call import SPELLINGS, Call, Pair
from cases import ALL_RULES, DTYPES, FLOATS, INTEGERS
from faults import FAULTS

import adaptive_pool as ap

# Around vector widths, tiles, strips, packs, and what makes a window long.
LONG_AXIS = (1, 2, 5, 9, 17, 20, 31, 32, 33, 64, 65, 130, 300, 2049, 2500)
SHORT_AXIS = (1, 2, 3, 5, 7, 9, 14, 33)
CHANNELS = (1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 32, 33, 64, 65, 100, 127, 129, 260, 600, 2100)
LEADS = (1, 2, 3, 5, 31, 32, 33, 64, 70)
THREADS = (None, 1, 2, 3, 7)
MOST_WINDOWS = 1500  # the oracle takes one after the other
ANY_COUNT = ("torch", "area")  # rules that cut any axis into any number of windows


def random_table(chance: random.Random, size: int) -> Pair:
    """Windows that follow from a rule, or in any order, or sorted, with gaps and overlaps."""
    kind = chance.choice(["uniform", "any", "by starts", "both", "repeated", "short"])
    if kind == "uniform":
        starts, ends = ap.pool_windows(size, chance.randint(1, min(size, 40)), "uniform")
        return tuple(starts.tolist()), tuple(ends.tolist())
    count = chance.choice([1, 2, 3, 7, 40])
    longest = 4 if kind == "short" else size
    pairs = []
    for _ in range(count):
        start = chance.randrange(size)
        pairs.append((start, min(start + chance.randint(1, longest), size)))
    if kind == "repeated":
        pairs = [chance.choice(pairs[:3]) for _ in pairs]
    if kind in ("by starts", "short"):
        pairs.sort()
    starts, ends = zip(*pairs, strict=True)
    return (tuple(sorted(starts)), tuple(sorted(ends))) if kind == "both" else (starts, ends)


def random_count(chance: random.Random, size: int, rule: str) -> int:
    """A number of windows that the rule can cut an axis into."""
    if size == 0:
        return 0
    if rule in ANY_COUNT and chance.random() < 0.2:
        return chance.choice([2 * size + 1, 3 * size, size + 1, 0])
    count = chance.choice([1, 1, 2, 3, 7, size, -(-size // 2), -(-size // 3), -(-size // 8)])
    count = min(count, size)
    return -(-size // -(-size // count)) if rule == "ceil" else count


def random_memory(chance: random.Random, ndim: int) -> Memory:
    """Contiguous, or with its axes in another order, gaps, reversed axes, misaligned."""
    if chance.random() < 0.25:
        return Memory()
    order = steps = margin = None
    if chance.random() < 0.4:
        order = tuple(chance.sample(range(ndim), ndim))
    # On few axes: gaps multiply.
    some = chance.sample(range(ndim), min(ndim, 2))
    if chance.random() < 0.4:
        steps = tuple(chance.choice([2, -1, 3, -2]) if k in some else 1 for k in range(ndim))
    if chance.random() < 0.4:
        margin = tuple(chance.choice([1, 3]) if k in some else 0 for k in range(ndim))
    shift = chance.choice([0, 0, 8, 4, 2, 1, chance.randrange(64)])
    return Memory(order, steps, margin, shift)


def random_data(
    chance: random.Random, shape: tuple[int, ...], dtype: str, values: str | None = None
) -> Data:
    """An array of that shape and dtype."""
    broadcast = ()
    if chance.random() < 0.1:
        broadcast = tuple(k for k in range(len(shape)) if shape[k] and chance.random() < 0.4)
    values = values or chance.choice(list(VALUES))
    foreign = dtype not in ("bool", "int8", "uint8", "bfloat16") and chance.random() < 0.05
    memory = random_memory(chance, len(shape))
    return Data(shape, dtype, values, chance.randrange(2**32), memory, broadcast, foreign)


def random_shape(
    chance: random.Random, ndim: int, channels_last: bool, largest: int
) -> tuple[list[int], list[int], list[int]]:
    """Leading axes, pooled axes, channels: `largest` elements at most."""
    lead = [chance.choice(LEADS[: 3 if k else None]) for k in range(chance.choice([0, 1, 1, 2, 3]))]
    sizes = [chance.choice(SHORT_AXIS) for _ in range(ndim - 1)] + [chance.choice(LONG_AXIS)]
    channels = [chance.choice(CHANNELS)] if channels_last else []
    if chance.random() < 0.3:
        chance.shuffle(sizes)
    if chance.random() < 0.02:
        lead = [0, *lead]
    while math.prod(max(n, 1) for n in lead + sizes + channels) > largest:
        axes = max((lead, sizes, channels), key=lambda axes: max(axes, default=0))
        k = max(range(len(axes)), key=axes.__getitem__)
        axes[k] = -(-axes[k] // chance.choice([2, 3, 5]))
    return lead, sizes, channels


def random_geometry(chance: random.Random, largest: int) -> Call:
    """A forward call: shapes, windows, layout."""
    ndim = chance.choice([1, 2, 3])
    channels_last = chance.random() < 0.5
    lead, sizes, channels = random_shape(chance, ndim, channels_last, largest)
    shape = (*lead, *sizes, *channels)
    call = Call(
        "avg",
        ndim,
        Data(shape),
        data_format="channels_last" if channels_last else "channels_first",
        spelling=chance.choice(list(SPELLINGS)),
    )
    while True:
        if chance.random() < 0.35:
            windows = tuple(random_table(chance, size) for size in sizes)
            counts = tuple(len(starts) for starts, _ in windows)
            size = None if chance.random() < 0.5 else counts
        else:
            windows = chance.choice(["torch", "torch", "area", *ALL_RULES])
            size = counts = tuple(random_count(chance, i, windows) for i in sizes)
            if chance.random() < 0.1 and call.spelling in ("tuple", "list"):
                keep = chance.randrange(ndim)
                size = tuple(None if k == keep else n for k, n in enumerate(counts))
                counts = tuple(sizes[k] if k == keep else n for k, n in enumerate(counts))
        others = math.prod(lead) * math.prod(channels)
        if math.prod(counts) <= MOST_WINDOWS and math.prod(counts) * others <= 2 * largest:
            call = replace(call, windows=windows, output_size=size)
            read = math.prod(int((e - s).sum()) for s, e in call.tables)
            if read * others <= 8 * largest:
                return call
        sizes = [-(-n // 2) for n in sizes]
        call = replace(call, x=Data((*lead, *sizes, *channels)))


def random_parts(chance: random.Random, call: Call) -> tuple[tuple[int, ...], ...]:
    """Lengths or regions that the windows can be cut over."""
    samples, pooled = call.input_shape[0], call.pooled_from or call.pooled
    whole = isinstance(call.windows, str) and call.windows not in ANY_COUNT  # they fit few sizes

    def borders(size: int) -> tuple[int, int]:
        a, b = sorted(chance.randint(0, size) for _ in range(2))
        return (0, size) if whole else (a, b)

    if chance.random() < 0.5:
        if call.ndim == 1 or len(set(pooled)) == 1:
            return tuple((borders(pooled[0])[1],) for _ in range(samples))
        return tuple(tuple(borders(n)[1] for n in pooled) for _ in range(samples))
    return tuple(
        (chance.randrange(samples), *(b for n in pooled for b in borders(n)))
        for _ in range(chance.choice([0, 1, 2, 5, 9]) if samples else 0)
    )


def with_options(chance: random.Random, call: Call) -> Call:
    """The same call with a mask, parts, and what else few calls have."""
    shape = call.input_shape
    if chance.random() < 0.6:
        mask = [n if chance.random() < 0.6 else 1 for n in shape][chance.randint(0, len(shape)) :]
        call = replace(call, mask=random_data(chance, tuple(mask), "bool", "ordinary"))
    keeps = isinstance(call.windows, str) and call.output_size and None in call.output_size
    if call.first > 0 and 0 not in shape and not keeps and chance.random() < 0.6:
        call = replace(call, parts=random_parts(chance, call))
    least = [1, 1, 2, 7, *([40, 1000] if call.windows == "area" else [])]
    call = replace(call, omit=chance.random() < 0.4, least=chance.choice(least))
    if not call.backward:
        return replace(call, counted=chance.random() < 0.5)
    if call.omit:
        call = replace(call, read=random_data(chance, shape, chance.choice(DTYPES)))
    if call.parts is not None and not call.are_lengths:
        shape = (len(call.parts), *call.x.shape[1:])
        call = replace(call, samples=call.x.shape[0], x=replace(call.x, shape=shape, broadcast=()))
    return call


def random_call(chance: random.Random, largest: int, bad: float = 0.25) -> Call:
    """Any call; `bad` of them must raise."""
    call = random_geometry(chance, largest)
    threads = chance.choice(THREADS)
    if chance.random() < 0.5:
        dtype = chance.choice(DTYPES)
        x = random_data(chance, call.x.shape, dtype)
        if chance.random() < 0.5:
            wanted = None
            if chance.random() < 0.5:
                own = [dtype] if dtype in INTEGERS and dtype != "bool" else []
                wanted = chance.choice(FLOATS + 2 * own)
            call = replace(call, x=x, dtype=wanted)
        else:
            index = chance.choice([None, "int32", "int64"])
            windows = "torch" if call.windows == "area" else call.windows
            call = replace(call, operation="max", x=x, index_dtype=index, windows=windows)
        result = call.with_pooled([len(s) for s, _ in call.tables])
    else:
        dtype = chance.choice(FLOATS)
        shape = call.with_pooled([len(s) for s, _ in call.tables])
        result, pooled = call.x.shape, call.pooled
        if chance.random() < 0.5:
            # Which sums overflow on the way depends on their order, which the oracle lacks.
            values = chance.choice([v for v in VALUES if v != "any_bits" or dtype != "float64"])
            x = random_data(chance, shape, dtype, values)
            call = replace(call, x=x, pooled_from=pooled, output_size=None)
        else:
            operation = chance.choice(["max", "max", "unpool"])
            x = random_data(chance, shape, chance.choice(DTYPES) if operation != "max" else dtype)
            positions = random_data(chance, shape, chance.choice(["int32", "int64"]), "ordinary")
            call = replace(
                call, operation=operation, x=x, pooled_from=pooled, output_size=None,
                windows="torch", positions=positions, some_empty=chance.random() < 0.5,
            )  # fmt: skip
    if call.positions is None and chance.random() < 0.35:
        call = with_options(chance, call)
        if not call.backward and call.parts is not None:
            result = (len(call.parts), *result[1:])
    if chance.random() < 0.4:
        results = 2 if call.index_dtype else 1
        call = replace(call, out=tuple(random_memory(chance, len(result)) for _ in range(results)))
    elif chance.random() < 0.1 and not call.index_dtype:
        call = replace(call, out_overlaps=chance.randrange(200))
    call = replace(call, num_threads=threads)
    if chance.random() < bad:
        fitting = [name for name, fault in FAULTS.items() if fault.fits(call)]
        call = replace(call, fault=chance.choice(fitting), seed=chance.randrange(2**32))
    return call
