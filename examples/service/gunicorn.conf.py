"""Several processes of the service: gunicorn -c examples/service/gunicorn.conf.py."""

import os
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

wsgi_app = "app:app"
chdir = str(Path(__file__).parent)
worker_class = "uvicorn_worker.UvicornWorker"
preload_app = True
graceful_timeout = 30


def child_exit(_, worker):
    """Forget the gauges of a process that is no more."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        mark_process_dead(worker.pid)
