#!/bin/sh
# Guess: jax.numpy.asarray shares the memory of a NumPy array on the CPU if it is aligned well, and
# with copy=False it does or raises; jax.device_put copies, as arrays of JAX never change.
# True (JAX 0.10.2, CPU): it is the other way round. asarray copies, with copy=False too, without a
# word; device_put shares memory that starts at a multiple of 64 bytes, so that the array changes
# when the NumPy array does.
. "$(dirname "$0")/_with.sh"
run_with jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6 <<'PROGRAM'
import jax
import jax.numpy as jnp
import numpy as np

memory = np.zeros(1024 + 64, np.uint8)
start = -memory.ctypes.data % 64
x = memory[start : start + 1024].view(np.float32)
made = {
    "asarray": jnp.asarray(x),
    "asarray, copy=False": jnp.asarray(x, copy=False),
    "device_put": jax.device_put(x),
}
x[:] = 7
seen = {name: float(y[0]) for name, y in made.items()}
print(seen)
assert seen == {"asarray": 0, "asarray, copy=False": 0, "device_put": 7}
PROGRAM
