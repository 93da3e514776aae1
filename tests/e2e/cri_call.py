#!/usr/bin/python3
"""Calls a CRI runtime service by what Debian has: curl speaks HTTP/2, and the few messages are
written here field by field (kubernetes/cri-api, runtime.v1).

  cri_call.py SOCKET run-sandbox NAME NAMESPACE      prints the sandbox's id
  cri_call.py SOCKET create SANDBOX NAME NAMESPACE IMAGE [ANNOTATION=VALUE…]
  cri_call.py SOCKET start CONTAINER
  cri_call.py SOCKET exec CONTAINER PROGRAM ARGUMENT…
  cri_call.py SOCKET remove-sandbox SANDBOX

The status is 1 when the service says an error, which is printed on stderr."""

import subprocess
import sys
import tempfile
import urllib.parse

# A kubelet's: of the network the host's (NODE; one of its own would want a CNI plugin), of pids the
# container's own (CONTAINER), of ipc the pod's.
NAMESPACES = {1: 2, 2: 1}


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """A string, a message (bytes) or an integer; strings in a list are repeated."""
    if isinstance(value, list):
        return b"".join(field(number, each) for each in value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(data):
    """Number and value of each field of a message."""
    at = 0

    def read():
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while at < len(data):
        tag = read()
        if tag & 7 == 0:
            yield tag >> 3, read()
        else:
            length = read()
            yield tag >> 3, data[at : at + length]
            at += length


def call(socket, method, message):
    with tempfile.NamedTemporaryFile() as headers:
        body = subprocess.run(
            ["curl", "-sS", "--max-time", "60", "--http2-prior-knowledge", "--unix-socket", socket]
            + ["-H", "Content-Type: application/grpc", "-H", "TE: trailers", "-D", headers.name]
            + ["--data-binary", "@-", f"http://localhost/runtime.v1.RuntimeService/{method}"],
            input=b"\0" + len(message).to_bytes(4, "big") + message,
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        said = dict(
            line.split(": ", 1)
            for line in headers.read().decode().splitlines()
            if line.startswith("grpc-")
        )
    if said.get("grpc-status") != "0":
        sys.exit(urllib.parse.unquote(said.get("grpc-message", "no status")))
    return dict(fields(body[5:]))


def namespaces():
    return b"".join(field(number, mode) for number, mode in NAMESPACES.items())


def sandbox_config(name, namespace):
    metadata = field(1, name) + field(2, "uid-" + name) + field(3, namespace)
    security = field(2, field(1, namespaces()))
    return field(1, metadata) + field(3, "/run") + field(8, security)


def main(socket, verb, *arguments):
    if verb == "run-sandbox":
        name, namespace = arguments
        answer = call(socket, "RunPodSandbox", field(1, sandbox_config(name, namespace)))
        print(answer[1].decode())
    elif verb == "create":
        sandbox, name, namespace, image, *annotations = arguments
        security = field(1, field(1, "NET_ADMIN")) + field(3, namespaces())
        config = field(1, field(1, name)) + field(2, field(1, image))
        config += field(3, ["/bin/sleep", "600"]) + field(11, name + ".log")
        for annotation in annotations:
            key, value = annotation.split("=", 1)
            config += field(10, field(1, key) + field(2, value))
        config += field(15, field(2, security))
        answer = call(
            socket,
            "CreateContainer",
            field(1, sandbox) + field(2, config) + field(3, sandbox_config(sandbox, namespace)),
        )
        print(answer[1].decode())
    elif verb == "start":
        call(socket, "StartContainer", field(1, arguments[0]))
    elif verb == "exec":
        answer = call(
            socket,
            "ExecSync",
            field(1, arguments[0]) + field(2, list(arguments[1:])) + field(3, 20),
        )
        sys.stdout.write(answer.get(1, b"").decode())
        sys.stderr.write(answer.get(2, b"").decode())
        sys.exit(answer.get(3, 0))
    elif verb == "remove-sandbox":
        call(socket, "StopPodSandbox", field(1, arguments[0]))
        call(socket, "RemovePodSandbox", field(1, arguments[0]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
