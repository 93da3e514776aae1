#!/usr/bin/python3
"""Calls a CRI runtime service by what Debian has: curl speaks HTTP/2, and the few messages are
written here field by field (kubernetes/cri-api, runtime.v1).

  cri_call.py SOCKET run-sandbox NAME NAMESPACE [OPTION…]     prints the sandbox's id
  cri_call.py SOCKET create SANDBOX NAME NAMESPACE IMAGE [OPTION…]     prints the container's id
  cri_call.py SOCKET start CONTAINER
  cri_call.py SOCKET stop CONTAINER
  cri_call.py SOCKET exec CONTAINER PROGRAM ARGUMENT…
  cri_call.py SOCKET remove CONTAINER
  cri_call.py SOCKET remove-sandbox SANDBOX

The pod's uid is "uid-" and its sandbox's name. Options of both: network=node, ipc=node, pid=node (the
host's), pid=pod, pid=target:CONTAINER, userns=HOST-ID:SIZE, privileged, annotation:KEY=VALUE, label:KEY=VALUE; of a
container: mount=HOST:CONTAINER[:ro], image=IMAGE:CONTAINER (as a volume), run=PROGRAM, capability=NAME, user=UID:GID, tty; of a pod: runtime=HANDLER.

The status is 1 when the service says an error, which is printed on stderr."""

import subprocess
import sys
import tempfile
import urllib.parse

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


# NamespaceMode
POD, CONTAINER, NODE, TARGET = 0, 1, 2, 3


def values(options, key):
    return [option.split("=", 1)[1] for option in options if option.startswith(key + "=")]


def namespaces(options):
    """As a kubelet asks: network and ipc are the pod's, pids the container's own."""
    modes = {1: POD, 2: CONTAINER, 3: POD}
    target = b""
    for number, key in ((1, "network"), (2, "pid"), (3, "ipc")):
        for value in values(options, key):
            modes[number] = {"node": NODE, "pod": POD}.get(value, TARGET)
            if modes[number] == TARGET:
                target = field(4, value.split(":", 1)[1])
    users = b""
    for value in values(options, "userns"):
        host, size = (int(number) for number in value.split(":"))
        mapping = field(1, host) + field(3, size)
        users = field(5, field(1, POD) + field(2, mapping) + field(3, mapping))
    return b"".join(field(number, mode) for number, mode in modes.items()) + target + users


def entries(number, prefix, options):
    """A map of strings."""
    out = b""
    for option in options:
        if option.startswith(prefix + ":"):
            key, value = option[len(prefix) + 1 :].split("=", 1)
            out += field(number, field(1, key) + field(2, value))
    return out


def sandbox_config(name, namespace, options):
    metadata = field(1, name) + field(2, "uid-" + name) + field(3, namespace)
    config = field(1, metadata) + field(3, "/run")
    config += entries(6, "label", options) + entries(7, "annotation", options)
    security = field(1, namespaces(options)) + field(6, int("privileged" in options))
    return config + field(8, field(2, security))


def container_config(name, image, options):
    config = field(1, field(1, name)) + field(2, field(1, image))
    config += field(3, values(options, "run") or ["/bin/sleep", "600"])
    for mount in values(options, "mount"):
        host, container, *read_only = mount.split(":")
        mount = field(1, container) + field(2, host) + field(3, len(read_only))
        config += field(7, mount)
    for volume in values(options, "image"):
        name_of_image, _, container = volume.rpartition(":")
        config += field(7, field(1, container) + field(3, 1) + field(9, field(1, name_of_image)))
    config += entries(9, "label", options) + entries(10, "annotation", options)
    security = field(1, field(1, values(options, "capability"))) + field(3, namespaces(options))
    security += field(2, int("privileged" in options))
    for user in values(options, "user"):
        uid, gid = (field(1, int(number)) for number in user.split(":"))
        security += field(5, uid) + field(12, gid)
    config += field(11, name + ".log") + field(14, int("tty" in options))
    return config + field(15, field(2, security))


def main(socket, verb, *arguments):
    if verb == "run-sandbox":
        name, namespace, *options = arguments
        handlers = [option[8:] for option in options if option.startswith("runtime=")]
        options = [option for option in options if not option.startswith("runtime=")]
        message = field(1, sandbox_config(name, namespace, options)) + field(2, handlers)
        answer = call(socket, "RunPodSandbox", message)
        print(answer[1].decode())
    elif verb == "create":
        sandbox, name, namespace, image, *options = arguments
        message = field(1, sandbox) + field(2, container_config(name, image, options))
        users = [option for option in options if option.startswith(("userns=", "privileged"))]
        message += field(3, sandbox_config(sandbox, namespace, users))
        print(call(socket, "CreateContainer", message)[1].decode())
    elif verb == "start":
        call(socket, "StartContainer", field(1, arguments[0]))
    elif verb == "stop":
        call(socket, "StopContainer", field(1, arguments[0]))  # at once
    elif verb == "exec":
        answer = call(
            socket,
            "ExecSync",
            field(1, arguments[0]) + field(2, list(arguments[1:])) + field(3, 20),
        )
        sys.stdout.write(answer.get(1, b"").decode())
        sys.stderr.write(answer.get(2, b"").decode())
        sys.exit(answer.get(3, 0))
    elif verb == "remove":
        call(socket, "RemoveContainer", field(1, arguments[0]))
    elif verb == "remove-sandbox":
        call(socket, "StopPodSandbox", field(1, arguments[0]))
        call(socket, "RemovePodSandbox", field(1, arguments[0]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
