"""What can be wrong with a call: each fault spoils the arguments of a good one.

The errors are those of the contract. A fault that the contract leaves between two says both.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from call import Call

Arguments = dict[str, Any]
Spoil = Callable[[Arguments, Call, random.Random], None]


@dataclass(frozen=True)
class Fault:
    """One way to spoil a call: the errors it may raise, the calls it fits, what it does."""

    errors: tuple[type[Exception], ...]
    fits: Callable[[Call], bool]
    spoil: Spoil


FAULTS: dict[str, Fault] = {}


def always(call: Call) -> bool:
    return True


def forward(call: Call) -> bool:
    return not call.backward


def backward(call: Call) -> bool:
    return call.backward


def without_options(call: Call) -> bool:
    """Windows may not be empty: calls with options say what becomes of those."""
    return not call.has_options


def has_windows(call: Call) -> bool:
    return call.positions is None


def scatters(call: Call) -> bool:
    return call.positions is not None


def has_out(call: Call) -> bool:
    return bool(call.out)


def not_empty(call: Call) -> bool:
    """Neither the arrays nor the result are empty, so that everything is looked at."""
    some_windows = call.parts != () and all(len(starts) for starts, _ in call.tables)
    return 0 not in call.x.shape and some_windows


def has_mask(call: Call) -> bool:
    return call.mask is not None


def has_parts(call: Call) -> bool:
    return call.parts is not None


def both(*conditions: Callable[[Call], bool]) -> Callable[[Call], bool]:
    return lambda call: all(condition(call) for condition in conditions)


def fault(*errors: type[Exception], fits: Callable[[Call], bool] = always) -> Callable:
    def register(spoil: Spoil) -> Spoil:
        FAULTS[spoil.__name__] = Fault(errors, fits, spoil)
        return spoil

    return register


class Raises:
    """An object of which everything that is asked for fails."""

    def __index__(self) -> int:
        raise RuntimeError("no index today")

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise OSError("the disk is gone")


def outs_of(arguments: Arguments) -> tuple[np.ndarray, ...]:
    out = arguments["out"]
    return out if isinstance(out, tuple) else (out,)


def replace_out(arguments: Arguments, call: Call, chance: random.Random, other: Callable) -> None:
    """Put another array in the place of `out`, or of one of the two."""
    outs = list(outs_of(arguments))
    k = chance.randrange(len(outs))
    outs[k] = other(outs[k])
    arguments["out"] = tuple(outs) if call.index_dtype else outs[0]


def replace_table(arguments: Arguments, call: Call, pair: Any, chance: random.Random) -> None:
    """Put another pair in the place of the table of one axis."""
    windows = list(call.tables)
    windows[chance.randrange(call.ndim)] = pair
    arguments["windows"] = chance.choice([list, tuple])(windows)
    if "output_size" in arguments:
        arguments["output_size"] = None


# Arrays.


@fault(ValueError)
def too_few_axes(arguments, call, chance):
    name = call.shape_name if call.backward else "x"
    axes = call.ndim + (call.data_format == "channels_last") - 1
    if call.backward:
        arguments[name] = tuple(arguments[name])[:axes]
    else:
        arguments[name] = np.zeros((2,) * axes, arguments[name].dtype)


@fault(TypeError)
def unsupported_dtype(arguments, call, chance):
    dtypes = ["c8", "c16", "O", "U1", "S1", "M8[s]", "m8[s]", "V2", "V4", "f4,f4"]
    if call.backward and call.operation != "unpool":
        dtypes += ["i4", "u1", "?"]
    name = call.array_name
    arguments[name] = np.zeros(arguments[name].shape, chance.choice(dtypes))


@fault(TypeError)
def masked(arguments, call, chance):
    name = chance.choice([n for n in ("x", "grad_output", "indices") if n in arguments])
    arguments[name] = np.ma.MaskedArray(arguments[name])


@fault(TypeError, ValueError)
def no_array(arguments, call, chance):
    name = chance.choice([n for n in ("x", "grad_output", "indices") if n in arguments])
    arguments[name] = chance.choice([None, "abc", object(), [[1.0, 2.0], [3.0]], Raises(), {1: 2}])


# Options.


@fault(ValueError)
def data_format(arguments, call, chance):
    wrong = ["NCHW", "channels", None, 1, ["channels_first"], np.array(["a", "b"]), Raises()]
    arguments["data_format"] = chance.choice(wrong)


@fault(TypeError, ValueError)
def num_threads(arguments, call, chance):
    arguments["num_threads"] = chance.choice([0, -1, -(2**70), 2**70, True, 1.5, "2", Raises()])


@fault(TypeError, fits=lambda call: call.operation == "avg" and not call.backward)
def mean_dtype(arguments, call, chance):
    own = call.x.dtype
    wrong = [d for d in ("int8", "uint32", "bool") if d != own or d == "bool"]
    arguments["dtype"] = chance.choice([*wrong, "complex64", "f4,f4", ">f4", "x", "(", 7, object])


@fault(TypeError, fits=lambda call: call.index_dtype is not None)
def index_dtype(arguments, call, chance):
    arguments["index_dtype"] = chance.choice(["int16", "uint32", "uint64", "f8", "?", ">i8", "x"])


# Sizes.


@fault(ValueError, fits=forward)
def length_of_output_size(arguments, call, chance):
    wrong = [n for n in (0, 1, 2, 3, 4) if n != call.ndim]
    arguments["output_size"] = chance.choice([tuple, list])([1] * chance.choice(wrong))


def spoil_size(arguments: Arguments, call: Call, chance: random.Random, size: Any) -> None:
    if call.backward:
        shape = list(call.input_shape)
        shape[call.first + chance.randrange(call.ndim)] = size
        arguments[call.shape_name] = chance.choice([list, tuple])(shape)
        return
    arguments["windows"] = "area" if call.windows == "area" else "torch"
    sizes = [1] * call.ndim
    sizes[chance.randrange(call.ndim)] = size
    arguments["output_size"] = (
        size if chance.random() < 0.3 else chance.choice([list, tuple])(sizes)
    )


@fault(ValueError)
def negative_size(arguments, call, chance):
    spoil_size(arguments, call, chance, chance.choice([-1, -7, -(2**63), -(2**70), np.int8(-1)]))


@fault(ValueError, MemoryError, fits=both(not_empty, forward))
def huge_size(arguments, call, chance):
    spoil_size(arguments, call, chance, chance.choice([2**40, 2**62, 2**63 - 1, 2**64, 2**70]))


@fault(ValueError, MemoryError, fits=both(not_empty, backward))
def huge_input(arguments, call, chance):
    spoil_size(arguments, call, chance, chance.choice([2**63 - 1, 2**64, 2**70]))


@fault(TypeError)
def size_that_is_none(arguments, call, chance):
    wrong = [True, np.True_, 3.0, 2.5, "3", b"3", object(), Raises(), 1j]
    spoil_size(arguments, call, chance, chance.choice(wrong))


@fault(TypeError)
def sizes_that_are_none(arguments, call, chance):
    name = call.shape_name if call.backward else "output_size"
    arguments[name] = chance.choice(["33", b"33", {3, 4}, {3: 3}, 2.0, True, Raises()])


# Windows.


@fault(ValueError, TypeError, fits=has_windows)
def rule(arguments, call, chance):
    arguments["windows"] = chance.choice(["even", "", None, 3, Raises(), np.zeros(2), b"torch"])


@fault(ValueError, fits=lambda call: call.operation == "max" and not call.backward)
def rule_for_averages_alone(arguments, call, chance):
    arguments["windows"] = chance.choice(["area", np.str_("area")])


@fault(ValueError, fits=both(has_windows, not_empty, forward, without_options))
def rule_that_leaves_a_window_empty(arguments, call, chance):
    arguments["windows"] = chance.choice(["split", "uniform", "ceil"])
    arguments["output_size"] = tuple(n + chance.randint(1, 3) for n in call.pooled)


@fault(ValueError, fits=has_windows)
def number_of_tables(arguments, call, chance):
    arguments["windows"] = (call.tables * 2)[: chance.choice([call.ndim - 1, call.ndim + 1])]
    arguments.pop("output_size", None)
    if not call.backward:
        arguments["output_size"] = None


@fault(ValueError, TypeError, fits=has_windows)
def table(arguments, call, chance):
    pooled = call.pooled_from if call.backward else call.pooled
    size, least = max(pooled), min(pooled)
    pairs = [
        ([0], [size + 1]), ([-1], [least]), ([0, 1], [1]),
        ([0.0], [1.0]), ([False], [True]), ([[0]], [[1]]), ([0], np.array([2**64 - 1], "u8")),
        ([2**70], [2**70 + 1]), ([1], [0]), ("01", "12"), ([0], None), (0, 1), [0], "01", None,
        ([-(2**63)], [2**63 - 1]), ((False,), (True,)), ((0.0,), (1.0,)), ([[0], [1, 2]], [1, 2]),
        ([0], Raises()), (["0"], ["1"]), ([0], [1], [1]), ([0] * 3, [1] * 2), ({0}, {1}),
    ]  # fmt: skip
    if without_options(call):
        pairs.append(([0, least], [least, least]))
    replace_table(arguments, call, chance.choice(pairs), chance)


@fault(ValueError, fits=both(has_windows, forward))
def size_that_disagrees_with_tables(arguments, call, chance):
    arguments["windows"] = call.tables
    arguments["output_size"] = tuple(len(starts) + 1 for starts, _ in call.tables)


@fault(ValueError, fits=both(forward, without_options))
def empty_axis(arguments, call, chance):
    shape = [max(n, 1) for n in call.x.shape]
    shape[call.first + chance.randrange(call.ndim)] = 0
    arguments["x"] = np.zeros(shape, arguments["x"].dtype)
    arguments.update(windows="torch", output_size=(2,) * call.ndim)


# Elements that count, and over what.


@fault(TypeError, fits=has_mask)
def dtype_of_mask(arguments, call, chance):
    dtype = chance.choice(["i1", "u1", "f4", "i8", "O"])
    arguments["where"] = np.ones(arguments["where"].shape, dtype)


@fault(ValueError, fits=has_mask)
def shape_of_mask(arguments, call, chance):
    shape = chance.choice([(1, *call.input_shape), (call.input_shape[-1] + 2,)])
    arguments["where"] = np.ones(shape, bool)


@fault(TypeError, ValueError, fits=lambda call: bool(call.parts))
def kind_of_parts(arguments, call, chance):
    name = "lengths" if call.are_lengths else "regions"
    parts = arguments[name]
    wrong = [parts.astype("f8"), parts.astype("O"), parts[None, None], "12", {1}, Raises()]
    arguments[name] = chance.choice(wrong)


@fault(ValueError, fits=lambda call: bool(call.parts))
def part_beyond_the_array(arguments, call, chance):
    name = "lengths" if call.are_lengths else "regions"
    parts = arguments[name] = arguments[name].copy()
    parts.flat[chance.randrange(parts.size)] = chance.choice([-1, 2**40, -(2**63), 2**63 - 1])


@fault(ValueError, fits=has_parts)
def lengths_and_regions(arguments, call, chance):
    arguments.setdefault("lengths", np.zeros((0,), "i8"))
    arguments.setdefault("regions", np.zeros((0, 1 + 2 * call.ndim), "i8"))


@fault(ValueError, TypeError, fits=forward)
def what_comes_of_it(arguments, call, chance):
    wrong = {
        "nan_policy": ["raise", "", None, True, Raises()],
        "nodata": ["0", 1j, [1], Raises(), object()],
        "empty": ["0", 1j, [1], Raises(), object()],
        "min_count": [-1, 2**70, 1.5, True, "1", Raises()],
    }
    name = chance.choice(list(wrong))
    arguments[name] = chance.choice(wrong[name])


# Results.


@fault(ValueError, fits=has_out)
def shape_of_out(arguments, call, chance):
    replace_out(
        arguments, call, chance, lambda y: np.zeros((*y.shape, 1), y.dtype)
    )  # fmt: skip


@fault(ValueError, fits=has_out)
def dtype_of_out(arguments, call, chance):
    replace_out(arguments, call, chance, lambda y: np.zeros(y.shape, f"V{y.itemsize}"))


@fault(ValueError, fits=lambda call: has_out(call) and call.x.dtype in ("float32", "float64"))
def byte_order_of_out(arguments, call, chance):
    replace_out(arguments, call, chance, lambda y: np.zeros(y.shape, y.dtype.newbyteorder()))


@fault(ValueError, fits=has_out)
def read_only_out(arguments, call, chance):
    def frozen(y):
        y = y.view()
        y.flags.writeable = False
        return y

    replace_out(arguments, call, chance, frozen)


@fault(ValueError, fits=lambda call: has_out(call) and not_empty(call))
def out_that_overlaps_itself(arguments, call, chance):
    if all(y.size < 2 for y in outs_of(arguments)):
        read_only_out(arguments, call, chance)
        return
    arguments["out"] = tuple(
        np.lib.stride_tricks.as_strided(y, y.shape, (0,) * y.ndim) for y in outs_of(arguments)
    )
    if not call.index_dtype:
        (arguments["out"],) = arguments["out"]


@fault(TypeError, fits=has_out)
def out_that_is_no_array(arguments, call, chance):
    other = chance.choice([np.ndarray.tolist, np.ma.MaskedArray, type, np.ndarray.tobytes])
    replace_out(arguments, call, chance, other)


@fault(TypeError, fits=lambda call: len(call.out) == 2)
def half_a_pair_of_outs(arguments, call, chance):
    values, indices = arguments["out"]
    wrong = [values, (values,), [values, indices], (None, indices), (values, indices, indices)]
    arguments["out"] = chance.choice(wrong)


@fault(ValueError, fits=lambda call: len(call.out) == 2 and not_empty(call))
def outs_that_share_memory(arguments, call, chance):
    values, indices = arguments["out"]
    raw = np.zeros(values.nbytes + indices.nbytes, np.uint8)
    arguments["out"] = tuple(
        raw[: y.nbytes].view(y.dtype).reshape(y.shape) for y in (values, indices)
    )


# Backward.


@fault(ValueError, fits=backward)
def axes_of_the_input(arguments, call, chance):
    shape = call.input_shape
    arguments[call.shape_name] = chance.choice([(1, *shape), (*shape, 1)])


def other_axes(call: Call) -> list[int]:
    """The axes on which input and gradient agree; of regions there may be any number."""
    pooled = range(call.first, call.first + call.ndim)
    begin = 0 if call.samples is None else 1
    return [k for k in range(begin, len(call.x.shape)) if k not in pooled]


@fault(ValueError, fits=lambda call: call.backward and bool(other_axes(call)))
def other_axes_of_the_input(arguments, call, chance):
    shape = list(call.input_shape)
    shape[chance.choice(other_axes(call))] += chance.choice([1, 5])
    arguments[call.shape_name] = tuple(shape)


@fault(ValueError, fits=scatters)
def shape_of_indices(arguments, call, chance):
    arguments["indices"] = np.zeros((*call.x.shape, 1), arguments["indices"].dtype)


@fault(TypeError, fits=scatters)
def dtype_of_indices(arguments, call, chance):
    wrong = ["i2", "u1", "u4", "u8", "f8", "?", "O", "c8"]
    arguments["indices"] = np.zeros(call.x.shape, chance.choice(wrong))


@fault(ValueError, fits=both(scatters, not_empty))
def index_outside(arguments, call, chance):
    plane = int(np.prod(call.pooled_from))
    indices = arguments["indices"].copy()
    most = np.iinfo(indices.dtype).max
    wrong = [w for w in (-2, plane, 10**12, -(10**12), most, -most - 1, plane + 2**32) if w <= most]
    wrong = [w for w in wrong if w >= -most - 1]
    indices[tuple(chance.randrange(n) for n in indices.shape)] = chance.choice(wrong)
    arguments["indices"] = indices
