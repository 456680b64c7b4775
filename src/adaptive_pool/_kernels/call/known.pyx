"""Calls like one before: from the arguments straight to the kernel.

`call` describes the arguments of a call in numbers, its key. If a call with this key was made
before, what it came to is kept as a `Signature`: the results to allocate, the tables, the kernel.
Otherwise the general function is called, which looks at every argument and lets the signature keep
what it found.

Only arguments whose meaning cannot change have a key, and comparing keys runs no code of the
caller's: arrays by shape and dtype, plain ints and None and tuples of them, bools, and strings,
dtypes and scalar types by identity. All others take the general way, and so do arrays that are
misaligned, in foreign byte order, or given for the result.

Signatures stand in sets of two, the newer first. A third pushes the older out, so that no call ever
loses more than one. docs/design/canonical-problem.md has the figures.
"""
cimport cython
from cpython.buffer cimport PyBUF_STRIDES, PyBuffer_Release, PyObject_GetBuffer
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SetItem
from libc.stdint cimport uint64_t
from libc.string cimport memcmp

cdef enum:
    WORDS = 48              # of a key, at most
    ARRAYS = 2              # of a call, at most
    SETS = 1024
    MOST_WINDOWS = 1 << 14  # of a signature that is kept
    ALL_WINDOWS = 1 << 21   # of all signatures that are kept: 32 MiB

# What the words after one of these mean; the bits above the lowest three are a number.
cdef enum Kind:
    INT, NONE, BOOL, TUPLE, ARRAY, NAME, CONSTANT


cdef struct Key:
    Py_ssize_t count
    uint64_t words[WORDS]
    PyObject* arrays[ARRAYS]
    int array_count


cdef object ONE = 1

cdef type array_type
cdef object new_array, threads_for
cdef Py_ssize_t one_thread      # bytes of work that are never worth a second thread

# dtypes and their scalar types, which are never changed; their places stand for them in keys.
cdef tuple dtypes = (), types = ()

cdef list sets = [None] * (2 * SETS)
cdef Py_ssize_t kept_windows = 0, hand = 0


def prepare(kind, empty, choose_threads, Py_ssize_t below):
    """Say what arrays are and how they are made, and who chooses threads from which work on."""
    global array_type, new_array, threads_for, one_thread
    array_type, new_array, threads_for, one_thread = kind, empty, choose_threads, below


def learn(dtype):
    """Give a native dtype a number, if it has none."""
    global dtypes, types
    kind = dtype.type
    with cython.critical_section(sets):
        if kind not in types:
            dtypes, types = (*dtypes, dtype), (*types, kind)


cdef inline bint add(Key* key, uint64_t word) noexcept:
    key.words[key.count] = word
    key.count += 1
    return key.count < WORDS


cdef inline bint add_int(Key* key, object value) except -1:
    cdef int overflow
    cdef long long number = PyLong_AsLongLongAndOverflow(value, &overflow)
    return not overflow and add(key, INT) and add(key, <uint64_t> number)


cdef bint add_tuple(Key* key, tuple values) except -1:
    if not add(key, TUPLE | len(values) << 3):
        return False
    for value in values:
        if value is None:
            if not add(key, NONE):
                return False
        elif type(value) is not int or not add_int(key, value):
            return False
    return True


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


cdef bint add_array(Key* key, object array) except -1:
    cdef Py_buffer buffer
    cdef Py_ssize_t place = place_of(array.dtype), bits
    cdef bint fits
    cdef int k
    if place < 0 or key.array_count == ARRAYS:
        return False
    PyObject_GetBuffer(array, &buffer, PyBUF_STRIDES)
    bits = <Py_ssize_t> buffer.buf
    fits = key.count + 2 + buffer.ndim < WORDS
    if fits:
        key.arrays[key.array_count] = <PyObject*> array
        key.array_count += 1
        add(key, ARRAY | place << 3)
        add(key, <uint64_t> buffer.ndim)
        for k in range(buffer.ndim):
            bits |= buffer.strides[k]
            add(key, <uint64_t> buffer.shape[k])
    bits &= buffer.itemsize - 1     # which are 0 where all elements are aligned
    PyBuffer_Release(&buffer)
    return fits and bits == 0


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
    for k in range(1, count):   # the first is the general function
        value = arguments[k]
        kind = type(value)
        if kind is str:
            done = add(key, NAME) and add(key, <uint64_t> <size_t> <PyObject*> value)
        elif kind is array_type:
            done = add_array(key, value)
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
    return True


cdef Py_ssize_t set_of(const Key* key) noexcept:
    """Where signatures with this key stand."""
    cdef uint64_t mixed = 0
    cdef Py_ssize_t k
    for k in range(key.count):
        mixed = (mixed ^ key.words[k]) * <uint64_t> 0x9E3779B97F4A7C15
        mixed ^= mixed >> 29
    return 2 * <Py_ssize_t> (mixed % SETS)


@cython.final
cdef class Signature:
    """What follows from the arguments of a call, whatever is in its arrays."""

    cdef Key key
    cdef tuple named        # the strings that stand in the key by identity
    cdef object kernel
    cdef tuple results      # (shape, dtype) of each, or None for one that is not wanted
    cdef tuple rest         # of the kernel's arguments, but for the threads
    cdef Py_ssize_t windows
    cdef Py_ssize_t work

    def keep(
        self,
        kernel,             # IN
        tuple results,      # IN: (shape, dtype) of each, or None for one that is not wanted
        tuple rest,         # IN: what the kernel gets after arrays and results, but for the threads
        Py_ssize_t windows, # IN: how many there are
        Py_ssize_t work,    # IN: bytes read and written
    ):
        """Remember what a call has come to."""
        global kept_windows
        cdef Py_ssize_t place = set_of(&self.key)
        if windows > MOST_WINDOWS:
            return
        self.kernel, self.results, self.rest = kernel, results, rest
        self.windows, self.work = windows, work
        with cython.critical_section(sets):
            if look_up(&self.key) is None:
                forget(place + 1)
                sets[place + 1] = sets[place]
                sets[place] = self
                kept_windows += windows
                make_room()


cdef void forget(Py_ssize_t place):
    global kept_windows
    cdef Signature old = sets[place]
    if old is not None:
        kept_windows -= old.windows
        sets[place] = None


cdef void make_room():
    """Forget signatures, one place after the other, until not too many windows are kept."""
    global hand
    while kept_windows > ALL_WINDOWS:
        forget(hand)
        hand = (hand + 1) % (2 * SETS)


cdef inline bint equal(const Key* a, const Key* b) noexcept:
    return a.count == b.count and memcmp(a.words, b.words, a.count * sizeof(uint64_t)) == 0


cdef Signature look_up(const Key* key):
    cdef Py_ssize_t place = set_of(key)
    cdef Signature found = sets[place]
    if found is not None and equal(&found.key, key):
        return found
    found = sets[place + 1]
    return found if found is not None and equal(&found.key, key) else None


cdef object run(Signature known, const Key* key, object function, object threads):
    """Call the kernel; returns the results, or None if it found something wrong."""
    cdef Py_ssize_t results = len(known.results), rest = len(known.rest), k, next = 0
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
    for k in range(rest):
        put(given, &next, known.rest[k])
    if (threads is None or threads is ONE) and known.work < one_thread:
        put(given, &next, ONE)
    else:
        put(given, &next, threads_for(function, threads, known.work))
    if known.kernel(*given):
        return None
    return made if other is None else (other, made)


cdef inline int put(tuple into, Py_ssize_t* place, object value) except -1:
    Py_INCREF(value)    # which PyTuple_SetItem takes over
    PyTuple_SetItem(into, place[0], value)
    place[0] += 1
    return 0


def call(*arguments):
    """Do what a general function does, sooner if such a call was made before.

    The first argument is that function. It gets a signature or None, and all that follow: the last
    two are an array for the result or None, and the number of threads or None.
    """
    cdef Key key
    cdef Signature signature = None
    cdef Py_ssize_t count = len(arguments)
    if arguments[count - 2] is None and describe(&key, arguments, count - 2):
        signature = look_up(&key)
        if signature is None:
            signature = Signature()
            signature.key = key
            signature.named = tuple([value for value in arguments if type(value) is str])
        else:
            try:
                result = run(signature, &key, arguments[1], arguments[count - 1])
                if result is not None:
                    return result
            except MemoryError:
                pass    # the general function says so in the words of this library
            signature = None
    return arguments[0](signature, *arguments[1:])
