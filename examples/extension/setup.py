"""Two extensions, one in Cython and one in C, that include adaptive_pool.h."""

import sysconfig

from Cython.Build import cythonize
from setuptools import Extension, setup

import adaptive_pool

LIMITED = [("Py_LIMITED_API", "0x030B0000")]  # one build for every Python from 3.11 on
# Free-threaded Python has no limited API.
IS_LIMITED = not sysconfig.get_config_var("Py_GIL_DISABLED")

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"film_cuts.{name}",
                [f"src/film_cuts/{source}"],
                include_dirs=[adaptive_pool.get_include()],
                define_macros=LIMITED if IS_LIMITED else [],
                py_limited_api=IS_LIMITED,
            )
            for name, source in {"cuts": "cuts.pyx", "grey": "grey.c"}.items()
        ],
        language_level=3,
    ),
)
