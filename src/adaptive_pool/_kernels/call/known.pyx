"""Calls like one before: from the arguments straight to the kernel.

`call` describes the arguments of a call in numbers, its key. If a call with this key was made
before, what it came to is kept as a `Signature`: the results to allocate, the tables, the kernel.
Otherwise the general function is called, which looks at every argument and lets the signature keep
what it found.

Only arguments whose meaning cannot change have a key, and comparing keys runs no code of the
caller's: arrays by shape and dtype, plain ints and None and tuples of them, bools, and strings,
dtypes and scalar types by identity. All others take the general way, and so do arrays that are
misaligned or in foreign byte order, and arrays for the result that are not contiguous, or not apart
from contiguous inputs.

Forward, a call that differs in the sizes of its input alone has only its geometry to be checked.

Signatures stand in sets of four, the newest first. A fifth pushes the oldest out, so that no call
ever loses more than one. docs/design/canonical-problem.md has the figures.
"""
cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SetItem
from libc.stdint cimport uint64_t

from adaptive_pool._kernels.call.key cimport (
    BOOL, CONSTANT, NAME, NONE, WORDS, Key, add, add_array, add_int, add_tuple, equal, hash_of,
    is_apart, is_of, of_any_size, shape_of,
)
from adaptive_pool._kernels.call.problem cimport Problem

cdef enum:
    WAYS = 4                # of signatures in a set
    PLACES = 4096
    MOST_WINDOWS = 1 << 14  # of a signature that is kept
    ALL_WINDOWS = 1 << 21   # of all signatures that are kept: 32 MiB
    NDIM = 2                # where among the arguments the number of pooled axes stands,
    SIZES = 4               # and their sizes
    LARGE_PLANE = 1 << 30   # from here on, sums and indices need a closer look


cdef object ONE = 1

cdef type array_type
cdef object new_array, threads_for
cdef Py_ssize_t one_thread      # bytes of work that are never worth a second thread

# dtypes and their scalar types, which are never changed; their places stand for them in keys.
cdef tuple dtypes = (), types = ()

cdef list places = [None] * PLACES
cdef Py_ssize_t kept_windows = 0, hand = 0


def prepare(kind, empty, choose_threads, Py_ssize_t below):
    """Say what arrays are and how they are made, and who chooses threads from which work on."""
    global array_type, new_array, threads_for, one_thread
    array_type, new_array, threads_for, one_thread = kind, empty, choose_threads, below


def learn(dtype):
    """Give a native dtype a number, if it has none."""
    global dtypes, types
    kind = dtype.type
    with cython.critical_section(places):
        if kind not in types:
            dtypes, types = (*dtypes, dtype), (*types, kind)


def forget_all():
    """Let the next call be the first of its kind, whatever it is."""
    with cython.critical_section(places):
        for k in range(PLACES):
            forget(k)


cdef Py_ssize_t place_of(object dtype) except -2:
    """The number of a dtype, or of a native one that equals it; -1: there is none."""
    cdef Py_ssize_t k
    for k in range(len(dtypes)):
        if dtypes[k] is dtype:
            return k
    for k in range(len(dtypes)):  # as of arrays that were pickled
        if type(dtypes[k]) is type(dtype) and dtype.isnative:
            return k
    return -1


cdef bint add_constant(Key* key, object value) except -1:
    cdef Py_ssize_t k
    for k in range(len(types)):
        if types[k] is value or dtypes[k] is value:
            return add(key, CONSTANT | k << 3)
    return False


cdef bint describe(Key* key, tuple arguments, Py_ssize_t count) except -1:
    """Whether the first arguments have a key."""
    cdef Py_ssize_t k
    cdef bint done
    key.count = key.array_count = 0
    key.contiguous = True
    for k in range(1, count):   # the first is the general function
        if k == NDIM:           # which the name tells
            continue
        value = arguments[k]
        kind = type(value)
        if kind is str:
            done = add(key, NAME) and add(key, <uint64_t> <size_t> <PyObject*> value)
        elif kind is array_type:
            done = add_array(key, value, place_of(value.dtype), k == count - 1)
        elif kind is int:
            done = add_int(key, value)
        elif value is None:
            done = add(key, NONE)
        elif kind is tuple:
            done = add_tuple(key, value)
        elif kind is bool:
            done = add(key, BOOL | (value is True) << 3)
        else:
            done = add_constant(key, value)
        if not done:
            return False
    return type(arguments[count - 1]) is not array_type or is_apart(key)


@cython.final
@cython.no_gc   # what it holds does not lead back to it
cdef class Signature:
    """What follows from the arguments of a call, whatever is in its arrays."""

    cdef Key key
    cdef tuple named        # the strings that stand in the key by identity
    cdef object kernel
    cdef tuple results      # (shape, dtype) of each to be made, or None for one not wanted
    cdef tuple rest         # of the kernel's arguments, but for the threads
    cdef Py_ssize_t windows
    cdef Py_ssize_t work
    cdef Problem problem    # whose tables are still to be made, or None
    cdef tuple shared       # what calls with other sizes have in common, see `for_other_sizes`

    def keep(
        self,
        kernel,             # IN
        tuple inputs,       # IN: (shape, dtype) of each array that is read
        tuple results,      # IN: (shape, dtype) of each result, or None for one not wanted
        tuple rest,         # IN: what the kernel gets after arrays and results, but for the threads
        Py_ssize_t windows,     # IN: how many there are
        double work,        # IN: bytes read and written
        tuple shared,       # IN: of calls with other sizes: counts or None, itemsizes; or None
        Problem problem,    # IN
    ):
        """Remember what a call has come to, unless it saw other arrays than are in the key.

        Another thread may have given an array another shape or dtype since, and the old ones again.
        """
        cdef Signature other
        cdef Py_ssize_t count = len(inputs), k
        cdef bint is_given = count < self.key.array_count   # the first result
        cdef tuple arrays = (*inputs, results[0]) if is_given else inputs
        for k in range(len(arrays)):
            shape, dtype = arrays[k]
            if not is_of(&self.key, k, shape, place_of(dtype)):
                return
        self.kernel, self.results = kernel, results[1:] if is_given else results
        self.rest, self.windows = rest, windows
        self.work = <Py_ssize_t> min(work, <double> (1 << 30))
        remember(self)
        if shared is not None and self.key.array_count == 1 and self.key.count + 1 < WORDS:
            other = Signature()
            other.key, other.named = of_any_size(&self.key), self.named
            other.kernel, other.results, other.rest = kernel, self.results, rest[1:]
            other.shared = (problem.first_axis, problem.windows, *shared)
            remember(other)


cdef Py_ssize_t set_of(const Key* key) noexcept:
    """Where signatures with this key stand."""
    return WAYS * <Py_ssize_t> (hash_of(key) % (PLACES // WAYS))


cdef int remember(Signature new) except -1:
    """Put a signature in front of its set; the last one there is forgotten."""
    cdef Py_ssize_t first = set_of(&new.key), k
    global kept_windows
    if new.windows > MOST_WINDOWS:
        return 0
    with cython.critical_section(places):
        if look_up(&new.key) is None:
            forget(first + WAYS - 1)
            for k in range(first + WAYS - 1, first, -1):
                places[k] = places[k - 1]
            places[first] = new
            kept_windows += new.windows
            make_room()
    return 0


cdef int forget(Py_ssize_t place) except -1:
    global kept_windows
    if places[place] is not None:
        kept_windows -= (<Signature> places[place]).windows
        places[place] = None
    return 0


cdef int make_room() except -1:
    """Forget signatures, one place after the other, until not too many windows are kept."""
    global hand
    while kept_windows > ALL_WINDOWS:
        forget(hand)
        hand = (hand + 1) % PLACES
    return 0


cdef Signature look_up(const Key* key):
    cdef Py_ssize_t first = set_of(key), k
    for k in range(first, first + WAYS):
        found = places[k]
        if found is not None and equal(&(<Signature> found).key, key):
            return <Signature> found
    return None


cdef Signature for_other_sizes(const Key* key, tuple arguments):
    """A signature for new sizes, from one for others; its tables are still to be made."""
    cdef Key any_size = of_any_size(key)
    cdef Signature like = look_up(&any_size), new
    cdef Problem problem
    if like is None:
        return None
    first, windows, counts, itemsize, traffic = like.shared
    problem = Problem(arguments[1], shape_of(key, 0), first, counts, windows, itemsize)
    if not problem.computes or problem.plane > LARGE_PLANE:
        return None
    new = Signature()
    new.key, new.named, new.kernel, new.rest = key[0], like.named, like.kernel, like.rest
    new.results = tuple([
        None if result is None else (problem.output_shape, result[1]) for result in like.results
    ])
    new.work = <Py_ssize_t> min(problem.elements * <double> traffic, <double> (1 << 30))
    for count in problem.output_size:
        new.windows += <Py_ssize_t> count
    new.problem = problem
    return new


cdef object run(Signature known, const Key* key, object function, object threads):
    """Call the kernel; returns the results, or None if it found something wrong."""
    cdef Py_ssize_t results = len(known.results), k, next = 0
    cdef bint is_new = known.problem is not None
    cdef Py_ssize_t rest = len(known.rest) + is_new
    cdef tuple given = PyTuple_New(key.array_count + results + rest + 1)
    cdef object made = None, other = None
    for k in range(key.array_count):
        put(given, &next, <object> key.arrays[k])
    for k in range(results):
        result = known.results[k]
        if result is not None:
            other, made = made, new_array(*<tuple> result)
            result = made
        put(given, &next, result)
    if made is None:    # it was given
        made = <object> key.arrays[key.array_count - 1]
    if is_new:          # tables are for when there is an array for the result
        known.rest = (known.problem.cut(), *known.rest)
    for k in range(rest):
        put(given, &next, known.rest[k])
    if (threads is None or threads is ONE) and known.work < one_thread:
        put(given, &next, ONE)
    else:
        put(given, &next, threads_for(function, threads, known.work))
    if known.kernel(*given):
        return None
    if is_new:
        known.problem = None
        remember(known)
    return made if other is None else (other, made)


cdef inline int put(tuple into, Py_ssize_t* place, object value) except -1:
    Py_INCREF(value)    # which PyTuple_SetItem takes over
    PyTuple_SetItem(into, place[0], value)
    place[0] += 1
    return 0


cdef tuple with_tuple(tuple arguments):
    """The arguments with a tuple for a list of sizes, which another thread could change meanwhile.

    A list of another length stays: the error shows it as it was given.
    """
    value = arguments[SIZES]
    if type(value) is list and len(<list> value) == arguments[NDIM]:
        return (*arguments[:SIZES], tuple(<list> value), *arguments[SIZES + 1:])
    return arguments


def call(*arguments):
    """Do what a general function does, sooner if such a call was made before.

    The first argument is that function. It gets a signature or None, and all that follow: its name,
    the number of pooled axes, an array, sizes or whatever is in their place, ...; an array for the
    result or None, the number of threads or None; and a dict of options. Calls with options are not
    remembered.
    """
    cdef Key key
    cdef Signature signature = None
    cdef Py_ssize_t count = len(arguments) - 1
    arguments = with_tuple(arguments)
    if len(<dict> arguments[count]) > 0 or not describe(&key, arguments, count - 1):
        return arguments[0](None, *arguments[1:])
    try:
        signature = look_up(&key)
        if signature is None and key.array_count == 1:
            signature = for_other_sizes(&key, arguments)
        if signature is not None:
            result = run(signature, &key, arguments[1], arguments[count - 1])
            if result is not None:
                return result
            signature = None
    except MemoryError:     # the general function says so in the words of this library
        return arguments[0](None, *arguments[1:])
    signature = Signature()
    signature.key = key
    signature.named = tuple([value for value in arguments if type(value) is str])
    return arguments[0](signature, *arguments[1:])
