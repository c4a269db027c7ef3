#!/usr/bin/env python3
"""A stand-in for Google Cloud Storage: as much of its XML API as a state needs, with the preconditions it documents.

No emulator that can be installed honours `x-goog-if-generation-match` in the XML API, so this is one of our own, made from
the API's reference and no proof of what Google's servers do: PUT, GET and DELETE of objects, lists with `list-type=2`,
`prefix`, `delimiter` and pages, generations that rise with each write, 412 where a precondition does not hold.

It can also misbehave, which no emulator can: `POST /_/weather` with JSON
    {"deny": 401, "methods": ["PUT"], "seconds": 3}   answers with that status for so long
    {"careless": true}                                takes any write, whatever its precondition
    {"hang": true, "seconds": 5}                      begins no answer for so long
    {"latency": 0.05}                                 answers so many seconds later
    {}                                                fair again
`GET /_/counts` gives the number of requests by method since the last `POST /_/counts`.

    scripts/gcs_standin.py --port 4443 --bucket acme
"""

import argparse
import hashlib
import json
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 1000


class Bucket:
    """Objects with generations, safe for many threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.objects = {}
        self.generation = int(time.time() * 1_000_000)

    def put(self, name, body, wanted):
        with self.lock:
            there = self.objects.get(name)
            if wanted is not None and wanted != (there[1] if there else 0):
                return None
            self.generation += 1
            self.objects[name] = (body, self.generation, time.time())
            return self.objects[name]

    def get(self, name):
        with self.lock:
            return self.objects.get(name)

    def delete(self, name):
        with self.lock:
            return self.objects.pop(name, None)

    def list(self, prefix, delimiter, after):
        """Keys and common prefixes, sorted, from behind `after`; and the last name where there is another page."""
        with self.lock:
            names = sorted(n for n in self.objects if n.startswith(prefix))
        found, folders = [], []
        for name in names:
            cut = name.find(delimiter, len(prefix)) if delimiter else -1
            shown = name if cut < 0 else name[: cut + len(delimiter)]
            if shown <= after or (folders and folders[-1] == shown):
                continue
            if len(found) + len(folders) == PAGE:
                return found, folders, max(found[-1:] + folders[-1:])
            (found if cut < 0 else folders).append(shown)
        return found, folders, None


class Weather:
    """What goes wrong just now."""

    def __init__(self):
        self.told = {}
        self.until = float("inf")

    def set(self, told):
        self.told = told
        self.until = time.monotonic() + told["seconds"] if "seconds" in told else float("inf")

    def now(self, method):
        if time.monotonic() > self.until:
            self.told = {}
        return self.told if method in self.told.get("methods", [method]) else {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    buckets = {}
    weather = Weather()
    counts = {}

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fault(self, status, code, message):
        text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        self.answer(status, text.encode(), [("Content-Type", "application/xml")])

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def own(self, path, body):
        """What is asked of the stand-in itself."""
        if path == "/_/weather":
            self.weather.set(json.loads(body or b"{}"))
            return self.answer(200, b"{}")
        told = json.dumps(self.counts, sort_keys=True).encode()
        if self.command == "POST":
            self.counts.clear()
        return self.answer(200, told)

    def carry_out(self):
        body = self.body()
        url = urlsplit(self.path)
        if url.path.startswith("/_/"):
            return self.own(url.path, body)
        self.counts[self.command] = self.counts.get(self.command, 0) + 1
        weather = self.weather.now(self.command)
        if weather.get("hang"):
            while self.weather.now(self.command).get("hang"):
                time.sleep(0.1)
            self.close_connection = True
            return None
        time.sleep(weather.get("latency", 0))
        if "deny" in weather:
            return self.fault(weather["deny"], weather.get("code", "AuthenticationRequired"), "Authentication required.")
        name, _, key = url.path.lstrip("/").partition("/")
        bucket = self.buckets.get(unquote(name))
        if bucket is None:
            return self.fault(404, "NoSuchBucket", "The specified bucket does not exist.")
        query = {k: v[0] for k, v in parse_qs(url.query, keep_blank_values=True).items()}
        if not key and self.command == "GET":
            return self.listed(unquote(name), bucket, query)
        return getattr(self, f"object_{self.command.lower()}")(bucket, unquote(key), body, weather)

    do_GET = do_PUT = do_DELETE = do_POST = do_HEAD = carry_out

    def headers_of(self, stored):
        body, generation, at = stored
        etag = hashlib.md5(body + str(generation).encode()).hexdigest()
        return [("ETag", f'"{etag}"'), ("x-goog-generation", str(generation)), ("Last-Modified", formatdate(at, usegmt=True))]

    def object_put(self, bucket, key, body, weather):
        wanted = self.headers.get("x-goog-if-generation-match")
        stored = bucket.put(key, body, None if wanted is None or weather.get("careless") else int(wanted))
        if stored is None:
            return self.fault(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")
        return self.answer(200, b"", self.headers_of(stored))

    def object_get(self, bucket, key, _body, _weather):
        stored = bucket.get(key)
        if stored is None:
            return self.fault(404, "NoSuchKey", "The specified key does not exist.")
        return self.answer(200, stored[0], [*self.headers_of(stored), ("Content-Type", "application/octet-stream")])

    object_head = object_get

    def object_delete(self, bucket, key, _body, _weather):
        if bucket.delete(key) is None:
            return self.fault(404, "NoSuchKey", "The specified key does not exist.")
        return self.answer(204)

    def listed(self, name, bucket, query):
        prefix = query.get("prefix", "")
        after = query.get("continuation-token") or query.get("start-after", "")
        found, folders, more = bucket.list(prefix, query.get("delimiter", ""), after)
        parts = [f"<Name>{escape(name)}</Name><Prefix>{escape(prefix)}</Prefix><IsTruncated>{str(bool(more)).lower()}</IsTruncated>"]
        if more:
            parts.append(f"<NextContinuationToken>{escape(more)}</NextContinuationToken>")
        for key in found:
            stored = bucket.get(key)
            if stored:
                stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(stored[2]))
                etag = dict(self.headers_of(stored))["ETag"]
                parts.append(
                    f"<Contents><Key>{escape(key)}</Key><LastModified>{stamp}</LastModified>"
                    f"<ETag>{escape(etag)}</ETag><Size>{len(stored[0])}</Size></Contents>"
                )
        parts.extend(f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>" for folder in folders)
        text = f"<?xml version='1.0' encoding='UTF-8'?><ListBucketResult>{''.join(parts)}</ListBucketResult>"
        self.answer(200, text.encode(), [("Content-Type", "application/xml")])


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--bucket", action="append", default=[])
    given = parser.parse_args()
    Handler.buckets = {name: Bucket() for name in given.bucket}
    server = Server(("127.0.0.1", given.port), Handler)
    print(json.dumps({"host": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
