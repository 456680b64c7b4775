"""What all files here share: the problem of a call, a place in it that is a job, constants."""
from adaptive_pool._kernels.call.canonical cimport Array
from adaptive_pool._kernels.call.elements cimport int64_t

cdef enum:
    FEW = 8                 # lanes: with fewer, windows are taken one after the other, lane by lane
    LANES = 256             # lanes that blocks of them are not worth going below
    CLEAR = 16384           # bytes that are cleared at once
    GROUP = 16384           # or of several planes,
    JOB = 262144            # of which a job takes so many bytes
    WHOLE = 524288          # bytes of a plane that is cleared whole
    CHUNK = 256             # indices that are looked at before clearing
    DENSE = 12              # elements for each gradient up to which planes of halves are widened
    WIDENED = 1048576       # bytes of such a plane and its gradients, or of some of its lanes
    LINE = 32               # lanes of halves that blocks of them are not worth going below
    SPARSE = 8              # elements for each window of a plane that is worth cutting into parts


cdef struct Scatter:
    Array grad_output
    Array indices
    Array grad_input
    void* add               # the loop over the windows of a line: addition.pxd
    Py_ssize_t batches
    Py_ssize_t channels
    Py_ssize_t lanes
    Py_ssize_t windows[3]   # OD, OH, OW
    const int64_t* regions  # numbers of those that are added to the planes, one after the other
    Py_ssize_t region_count
    Py_ssize_t gradient_step    # bytes from region to region
    Py_ssize_t index_step
    int64_t only            # number of the one region, where there are none
    Py_ssize_t sizes[3]     # D, H, W
    Py_ssize_t plane        # D * H * W
    Py_ssize_t outputs      # OD * OH * OW, of all regions; 1 if there are none
    Py_ssize_t cleared      # planes that are cleared at once
    Py_ssize_t named        # lanes that are added at once
    Py_ssize_t group        # channels, elements of a plane and lanes of a job
    Py_ssize_t part
    Py_ssize_t lane_block
    Py_ssize_t groups       # how many of these there are
    Py_ssize_t parts
    Py_ssize_t lane_blocks
    bint flat               # a plane of grad_input has one step from element to element
    bint packed             # and has no gaps
    bint small              # planes are cleared whole, several at once
    bint widened            # halves are added as float32
    bint puts               # values, in the place of what is there
    bint neighbours         # lanes of grad_output and of indices are
    bint dense              # the planes of grad_output have no gaps, nor are there any between them


cdef struct Place:
    # One job: elements begin:end of planes and some of their lanes.
    Py_ssize_t batch
    Py_ssize_t channel0
    Py_ssize_t channel1
    Py_ssize_t begin
    Py_ssize_t end
    Py_ssize_t lane
    Py_ssize_t lanes


cdef inline Place locate(const Scatter* s, Py_ssize_t job) noexcept nogil:
    cdef Place place
    place.lane = job % s.lane_blocks * s.lane_block
    place.lanes = min(s.lane_block, s.lanes - place.lane)
    job //= s.lane_blocks
    place.begin = job % s.parts * s.part
    place.end = min(place.begin + s.part, s.plane)
    job //= s.parts
    place.channel0 = job % s.groups * s.group
    place.channel1 = min(place.channel0 + s.group, s.channels)
    place.batch = job // s.groups
    return place
