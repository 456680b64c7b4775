#!/bin/sh
# Guess: where a window of a max pool holds a NaN, and its maximum is therefore NaN, the gradient of
# lax.reduce_window goes to that NaN.
# True (jax 0.10.2 on the CPU): it goes to the largest of the numbers behind the last NaN. The
# maximum of 9, NaN, 2, 3 is NaN, and its gradient goes to the 3; in NaN, 9, 2, 3 to the 9.
. "$(dirname "$0")/_with.sh"
run_with jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6 <<'PROGRAM'
import jax
import jax.numpy as jnp

nan = float("nan")


def pool(x):
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (4,), (4,), "VALID")[0]


for x, expected in [
    ([9.0, nan, 2.0, 3.0], [0, 0, 0, 1]),
    ([nan, 9.0, 2.0, 3.0], [0, 1, 0, 0]),
    ([9.0, 2.0, 3.0, nan], [0, 0, 0, 1]),
]:
    y, gradient = jax.value_and_grad(pool)(jnp.array(x))
    print(x, y, gradient)
    assert jnp.isnan(y)
    assert gradient.tolist() == expected
PROGRAM
