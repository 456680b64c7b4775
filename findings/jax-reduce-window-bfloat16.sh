#!/bin/sh
# Guess: windows of bfloat16 that lax.reduce_window adds, as average pooling is written with JAX, are
# added in float32 and rounded once, as jnp.sum does.
# True (jax 0.10.2 on the CPU): they are added in bfloat16, one after the other. A window of 4096
# ones adds up to 256, where one more changes nothing; jnp.sum gives 4096.
. "$(dirname "$0")/_with.sh"
run_with jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6 <<'PROGRAM'
import jax
import jax.numpy as jnp

ones = jnp.ones(4096, jnp.bfloat16)
zero = jnp.zeros((), jnp.bfloat16)
window = jax.lax.reduce_window(ones, zero, jax.lax.add, (4096,), (4096,), "VALID").item()
whole = jnp.sum(ones).item()
print(window, whole)
assert window == 256
assert whole == 4096
PROGRAM
