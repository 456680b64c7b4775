"""The arguments of a call in numbers: equal keys, equal calls, whatever is in the arrays.

Each argument is a word that says what follows, then that. Strings stand there by identity: who
keeps a key keeps them too.
"""
from cpython.buffer cimport (
    PyBUF_STRIDES, PyBuffer_IsContiguous, PyBuffer_Release, PyObject_GetBuffer,
)
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.object cimport PyObject
from libc.stdint cimport uint64_t
from libc.string cimport memcmp

cdef enum:
    WORDS = 48              # of a key, at most
    ARRAYS = 3              # of a call, at most

# What the words after one of these mean; the bits above the lowest three are a number.
cdef enum Kind:
    INT, NONE, BOOL, TUPLE, ARRAY, NAME, CONSTANT, ANY_SIZE


cdef struct Key:
    Py_ssize_t count
    uint64_t words[WORDS]
    PyObject* arrays[ARRAYS]    # the last one is for the result, if that is given
    char* begins[ARRAYS]
    char* ends[ARRAYS]
    int array_count
    Py_ssize_t places[ARRAYS]   # where their words stand
    bint contiguous             # all of them


cdef inline bint add(Key* key, uint64_t word) noexcept:
    key.words[key.count] = word
    key.count += 1
    return key.count < WORDS


cdef inline bint add_int(Key* key, object value) except -1:
    cdef int overflow
    cdef long long number = PyLong_AsLongLongAndOverflow(value, &overflow)
    return not overflow and add(key, INT) and add(key, <uint64_t> number)


cdef inline bint add_tuple(Key* key, tuple values) except -1:
    if not add(key, TUPLE | len(values) << 3):
        return False
    for value in values:
        if value is None:
            if not add(key, NONE):
                return False
        elif type(value) is not int or not add_int(key, value):
            return False
    return True


cdef inline bint add_array(
    Key* key, object array, Py_ssize_t dtype, bint is_result,
) except -1:
    """Add an array, whose dtype has a number; not if it is misaligned, or cannot be written."""
    cdef Py_buffer buffer
    cdef Py_ssize_t bits
    cdef bint fits
    cdef int k
    if dtype < 0 or key.array_count == ARRAYS:
        return False
    PyObject_GetBuffer(array, &buffer, PyBUF_STRIDES)
    bits = <Py_ssize_t> buffer.buf
    fits = key.count + 2 + buffer.ndim < WORDS and not (is_result and buffer.readonly)
    if fits:
        key.places[key.array_count] = key.count
        key.arrays[key.array_count] = <PyObject*> array
        key.begins[key.array_count] = <char*> buffer.buf
        key.ends[key.array_count] = <char*> buffer.buf + buffer.len
        key.contiguous = key.contiguous and PyBuffer_IsContiguous(&buffer, b"C")
        key.array_count += 1
        add(key, ARRAY | dtype << 3)
        add(key, <uint64_t> buffer.ndim)
        for k in range(buffer.ndim):
            bits |= buffer.strides[k]
            add(key, <uint64_t> buffer.shape[k])
    bits &= buffer.itemsize - 1     # which are 0 where all elements are aligned
    PyBuffer_Release(&buffer)
    return fits and bits == 0


cdef inline tuple shape_of(const Key* key, int array):
    """The shape that an array had when it was added."""
    cdef const uint64_t* words = &key.words[key.places[array]]
    return tuple([<Py_ssize_t> words[2 + k] for k in range(<Py_ssize_t> words[1])])


cdef inline bint is_of(const Key* key, int array, tuple shape, Py_ssize_t dtype) except -1:
    """Whether an array had this shape, and a dtype of this number, when it was added."""
    cdef uint64_t word = ARRAY | dtype << 3
    return key.words[key.places[array]] == word and shape_of(key, array) == shape


cdef inline bint is_apart(const Key* key) noexcept:
    """Whether all arrays are contiguous, and the last shares no memory with the others."""
    cdef int last = key.array_count - 1, k
    for k in range(last):
        if key.begins[k] < key.ends[last] and key.begins[last] < key.ends[k]:
            return False
    return key.contiguous


cdef inline uint64_t hash_of(const Key* key) noexcept:
    cdef uint64_t mixed = 0
    cdef Py_ssize_t k
    for k in range(key.count):
        mixed = (mixed ^ key.words[k]) * <uint64_t> 0x9E3779B97F4A7C15
        mixed ^= mixed >> 29
    return mixed


cdef inline bint equal(const Key* a, const Key* b) noexcept:
    return a.count == b.count and memcmp(a.words, b.words, a.count * sizeof(uint64_t)) == 0


cdef inline Key of_any_size(const Key* key) noexcept:
    """The key of calls that differ in the sizes of their one array alone."""
    cdef Key other = key[0]
    cdef uint64_t* words = &other.words[key.places[0]]
    cdef Py_ssize_t k
    for k in range(<Py_ssize_t> words[1]):
        words[2 + k] = ANY_SIZE
    add(&other, ANY_SIZE)
    return other
