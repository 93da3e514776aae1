"""Asks runcladctl what containers can do, and lets their own first processes try it.

    can.py RUNCLADCTL [--root DIRECTORY] <<<'NAME COMMAND…' (a line for each container; COMMAND runs it
                                            in the foreground with tests/e2e/try.c as its program)

Prints a line "ok|not-ok DESCRIPTION" for each question and container.
"""

import json
import select
import socket
import subprocess
import sys

SOCKET_TYPES = {
    "stream": socket.SOCK_STREAM,
    "dgram": socket.SOCK_DGRAM,
    "seqpacket": socket.SOCK_SEQPACKET,
    "raw": socket.SOCK_RAW,
}
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_NETLINK": 16, "AF_PACKET": 17, "AF_RXRPC": 33,
            "AF_ALG": 38, "AF_VSOCK": 40}
CAPABILITIES = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_NET_BIND_SERVICE": 10, "CAP_NET_RAW": 13,
                "CAP_SYS_CHROOT": 18, "CAP_SYS_ADMIN": 21, "CAP_SETUID": 7}
QUESTIONS = [
    *(name for name in CAPABILITIES),
    "socket AF_UNIX", "socket AF_INET stream", "socket AF_INET raw", "socket AF_NETLINK",
    "socket AF_PACKET", "socket AF_ALG", "socket AF_RXRPC", "socket AF_VSOCK",
    "syscall getpid", "syscall clone3", "syscall unshare 0x10000000", "syscall unshare 0",
    "syscall keyctl", "syscall io_uring_setup", "syscall fsopen", "syscall sethostname",
    "syscall chroot", "syscall settimeofday", "syscall acct", "syscall reboot", "syscall pivot_root",
    "syscall init_module", "syscall personality 0xffffffff", "syscall personality 0x400000",
    "write /etc", "write /etc/passwd", "write /tmp", "write /tmp/x", "write /root/x", "write /home/app",
    "write /dev/null", "write /dev/shm", "write /proc/sys/kernel/hostname", "write /proc/1/comm",
    "socket AF_INET dgram", "read /data", "write /data", "write /nowhere/x", "write /link/x",
    "read /etc/passwd", "read /root/secret", "read /etc/only-root", "read /proc/kcore",
    "exec /bin/try", "exec /tmp/x", "exec /dev/shm/x", "exec /etc/passwd", "exec /data/x",
    "exec /home/app/x",
    "bind 80", "bind 8080", "bind udp 53",
    "mount", "userns",
]
SECONDS = 20


def as_tried(question):
    """The question with numbers in place of names."""
    words = question.split()
    if words[0] in CAPABILITIES:
        return f"{words[0]} {CAPABILITIES[words[0]]}"
    if words[0] == "socket":
        return " ".join(["socket", str(FAMILIES[words[1]]),
                         *(str(int(SOCKET_TYPES[word])) for word in words[2:])])
    if words[0] == "bind":
        return f"bind {words[1] if len(words) == 3 else 'tcp'} {words[-1]}"
    return question


class Container:
    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
        return self.process.stdout.readline().decode().strip() if ready else ""

    def ask(self, question):
        self.process.stdin.write(as_tried(question).encode() + b"\n")
        self.process.stdin.flush()
        return self.line()


def is_right(said, tried):
    """Whether trying agrees; what a set-user-ID program of the image would do is not tried."""
    if said["answer"] == "unknown":
        return "a set-user-ID program" in said["because"]
    return said["answer"] == tried.split(" ")[0]


def report(holds, description):
    print("ok" if holds else "not-ok", description, flush=True)


def main():
    control, options = sys.argv[1], sys.argv[2:]
    containers = []
    for line in sys.stdin:
        name, command = line.strip().split(" ", 1)
        containers.append(Container(name, command))
    for container in containers:
        ready = container.line()
        if ready != "ready":
            error = container.process.stderr.read().decode()[-300:] if ready == "" else ready
            report(False, f"{container.name}: its program runs ({error})")
            continue
        answers = {"yes": 0, "no": 0}
        for question in QUESTIONS:
            asked = subprocess.run([control, "can", "--json", *options, container.name,
                                    *question.split()], capture_output=True, text=True, check=False)
            tried = container.ask(question)
            said = json.loads(asked.stdout) if asked.stdout else {"answer": asked.stderr.strip()}
            answer = said["answer"]
            if answer in answers:
                answers[answer] += 1
            detail = f"{said.get('layer', '')}: {said.get('because', '')}"
            report(is_right(said, tried),
                   f"{container.name}: {question}: said {answer} ({detail}), tried: {tried}")
        report(min(answers.values()) > 5, f"{container.name}: {answers['yes']} yes, {answers['no']} no")
        container.process.stdin.close()
        container.process.wait(timeout=SECONDS)


main()
