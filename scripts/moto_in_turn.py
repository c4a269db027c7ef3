"""moto's S3 with one request at a time: S3 decides about `If-Match` and `If-None-Match` at once with the write, moto's threads
check first and write later, so that two of them may both be told that they were first.

Run by the interpreter that has moto: `python scripts/moto_in_turn.py PORT`.
"""

import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

whole = DomainDispatcherApplication(create_backend_app)
turn = threading.Lock()


def in_turn(environ, start_response):
    with turn:
        return whole(environ, start_response)


run_simple("127.0.0.1", int(sys.argv[1]), in_turn, threaded=True)
