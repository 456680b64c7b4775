"""The compiled code. It knows canonical problems, and nothing of Python arguments.

``isa`` names the instruction set that the loaded build was compiled for, ``isas_built`` all that
this installation holds: there is one, the compiler's baseline.
"""

isa = "baseline"
isas_built = ("baseline",)
