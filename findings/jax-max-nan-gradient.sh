#!/bin/sh
# Guess: the gradient of jnp.max of 9, NaN, 2, 3, which is NaN, goes to the NaN, or to all of them
# in parts, and is at any rate a number.
# True (jax 0.10.2 on the CPU): it is NaN for all four. It is shared among the elements that equal
# the maximum, and none equals a NaN: zeros divided by zero.
. "$(dirname "$0")/_with.sh"
run_with jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6 <<'PROGRAM'
import jax
import jax.numpy as jnp

x = jnp.array([9.0, float("nan"), 2.0, 3.0])
y, gradient = jax.value_and_grad(jnp.max)(x)
print(y, gradient, jax.grad(jnp.max)(jnp.array([9.0, 2.0, 9.0])))
assert jnp.isnan(y)
assert jnp.isnan(gradient).all()
assert jax.grad(jnp.max)(jnp.array([9.0, 2.0, 9.0])).tolist() == [0.5, 0, 0.5]
PROGRAM
