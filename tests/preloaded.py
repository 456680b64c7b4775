"""What gunicorn loads in test_preload.py: the service, with parallel calls on the main thread.

One is made where the service is loaded, and one for each answer where it is given: the thread that
was forked is that of the event loop, while those of the service itself start after the fork.
"""

import os

import numpy as np
from app import app

import adaptive_pool as ap

LOADED_BY = os.getpid()
X = np.arange(2**22, dtype=np.float32).reshape(64, 64, 32, 32)


def pool():
    return ap.adaptive_avg_pool2d(X, 4, num_threads=4)


EXPECTED = pool()


@app.middleware("http")
async def name_processes(request, call_next):
    response = await call_next(request)
    if request.url.path == "/features":
        response.headers["right"] = str((pool() == EXPECTED).all())
        response.headers["loaded-by"] = str(LOADED_BY)
        response.headers["answered-by"] = str(os.getpid())
    return response
