"""Keeps the last body that was posted."""
import http.server
import pathlib
import signal
import sys
import tempfile

KEPT = pathlib.Path("/data/kept")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        with tempfile.TemporaryFile() as upload:
            upload.write(self.rfile.read(int(self.headers["Content-Length"])))
            upload.seek(0)
            KEPT.write_bytes(upload.read())
        self.do_GET()

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"from python " + (KEPT.read_bytes() if KEPT.exists() else b""))


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("", 80), Handler).serve_forever()
