#!/usr/bin/python3
"""Runs packaging/kubernetes/installer/install.sh against a stub of ours for the Kubernetes API and a
directory for the node. No cluster is involved: what the API server, kubelet and containerd do with it is not
tested here. The last line is `N passed, N failed`."""

import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "packaging/kubernetes/installer/install.sh"
IMAGE = "registry.example.com/runclad-installer:1.0.0-rc.1"
ID = "0123456789abcdef" * 4


class Stub(http.server.ThreadingHTTPServer):
    """Pods of one namespace, one DaemonSet and the labels of one node; what was asked for is kept."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls, self.pods, self.labels = [], {}, {}
        self.daemonset = {"metadata": {"name": "runclad-installer"}}  # None: it is gone
        self.probe_status = {"phase": "Running", "containerStatuses": [{"containerID": f"containerd://{ID}"}]}
        self.account_is_valid = True
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def answer(self, status, body):
        text = json.dumps(body, indent=2).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def handle_call(self):
        stub, path = self.server, self.path.split("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        stub.calls.append((self.command, path))
        if self.headers.get("Authorization") != "Bearer secret" or not stub.account_is_valid:
            return self.answer(401, {"reason": "Unauthorized"})
        pods = "/api/v1/namespaces/runclad-system/pods"
        if path == f"{pods}/me" and self.command == "GET":
            return self.answer(200, {"spec": {"containers": [{"image": IMAGE}]}})
        if path == pods and self.command == "POST":
            pod = json.loads(body)
            pod["status"] = stub.probe_status
            stub.pods[pod["metadata"]["name"]] = pod
            return self.answer(201, pod)
        if path.startswith(pods + "/"):
            name = path.rsplit("/", 1)[1]
            if name not in stub.pods:
                return self.answer(404, {"reason": "NotFound"})
            pod = stub.pods.pop(name) if self.command == "DELETE" else stub.pods[name]
            return self.answer(200, pod)
        if path == "/api/v1/nodes/node-1.example" and self.command == "PATCH":
            assert self.headers["Content-Type"] == "application/strategic-merge-patch+json"
            stub.labels.update(json.loads(body)["metadata"]["labels"])
            return self.answer(200, {"metadata": {"labels": stub.labels}})
        if path == "/apis/apps/v1/namespaces/runclad-system/daemonsets/runclad-installer":
            return self.answer(200, stub.daemonset) if stub.daemonset else self.answer(404, {})
        return self.answer(403, {"reason": "Forbidden"})

    do_GET = do_POST = do_DELETE = do_PATCH = handle_call


class Node:
    """A directory for the node, and a `chroot` that notes what would run there."""

    def __init__(self, stub):
        self.stub = stub
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="runclad-kubernetes."))
        self.host, self.ran = self.folder / "host", self.folder / "ran"
        for name in ("host/run/runclad/1-2", "host/proc/77", "bin", "account", "policy", "programs", "tmp"):
            (self.folder / name).mkdir(parents=True)
        for program in ("runclad", "runcladctl"):
            (self.folder / "programs" / program).write_text(f"{program} of this release\n")
        (self.folder / "account/token").write_text("secret")
        (self.folder / "account/ca.crt").write_text("")
        (self.folder / "bin/chroot").write_text(
            f'#!/bin/sh\nshift 3\necho "$*" >>{self.ran}\n'
            f'case "$*" in "runcladctl policy apply "*) ls "{self.host}$4" | sort >>{self.ran} ;; esac\n'
            f'! grep -qsx "$2" {self.folder}/fails\n')
        (self.folder / "bin/chroot").chmod(0o755)
        # The probe's template lies where the image has it.
        script = SCRIPT.read_text().replace("/etc/runclad-installer", str(SCRIPT.parent))
        (self.folder / "install.sh").write_text(script)

    def environment(self):
        return {**os.environ, "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "HOST": str(self.host),
                "POLICY": str(self.folder / "policy"), "PROGRAMS": str(self.folder / "programs"),
                "ACCOUNT": str(self.folder / "account"), "TMPDIR": str(self.folder / "tmp"),
                "API": f"http://127.0.0.1:{self.stub.server_port}", "NODE": "node-1.example", "POD": "me",
                "NAMESPACE": "runclad-system", "DAEMONSET": "runclad-installer", "TRY_SECONDS": "4"}

    def run(self, verb):
        return subprocess.run(["sh", str(self.folder / "install.sh"), verb], env=self.environment(),
                              capture_output=True, text=True, timeout=60)

    def serve_until(self, condition):
        process = subprocess.Popen(["sh", str(self.folder / "install.sh"), "serve"],
                                   env=self.environment(), stderr=subprocess.PIPE, text=True,
                                   start_new_session=True)
        deadline = time.monotonic() + 20
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, 15)
        return process.communicate()[1]

    def commands(self):
        return self.ran.read_text().splitlines() if self.ran.exists() else []


PASSED, FAILED = [], []


def hold(what, is_so):
    print(f"{'ok' if is_so else 'not ok'} - {what}")
    (PASSED if is_so else FAILED).append(what)


def installs(node):
    policy = node.folder / "policy"
    (policy / "..data").mkdir()
    for name in ("policy.json", "images..docker.io..library..nginx.json"):
        (policy / "..data" / name).write_text("{}")
        (policy / name).symlink_to(policy / "..data" / name)  # as kubelet mounts a ConfigMap
    old = node.host / "usr/local/sbin/runclad"
    old.parent.mkdir(parents=True)
    old.write_text("an older release\n")
    before = old.stat().st_ino
    done = node.run("install")
    hold("install succeeds", done.returncode == 0)
    hold("the program is replaced by another file, not written over",
         old.read_text() == "runclad of this release\n" and old.stat().st_ino != before)
    hold("nothing is left beside it", os.listdir(old.parent) == ["runclad"])
    hold("the programs can be executed", old.stat().st_mode & 0o777 == 0o755)
    hold("the policy is applied before containerd knows the handler", node.commands() == [
        "runcladctl policy apply /run/runclad-policy", "images..docker.io..library..nginx.json", "policy.json",
        "runcladctl configure containerd --restart --program /usr/local/sbin/runclad"])
    hold("what was staged is gone", not (node.host / "run/runclad-policy").exists())
    (node.folder / "fails").write_text("policy\n")
    node.ran.unlink()
    hold("a policy that is refused ends the installation", node.run("install").returncode != 0)
    hold("and containerd is not configured then", not any("configure" in one for one in node.commands()))
    (node.folder / "fails").unlink()


def configures_what_nodes_have():
    """The command of the script, by the real programs, on files of Debian and of kubeadm."""
    script = SCRIPT.read_text()
    command = next(line for line in script.splitlines() if "runcladctl configure containerd" in line)
    words = command.split("on_host", 1)[1].rsplit("||", 1)[0].split()
    words[0] = str(ROOT / "build/release/runcladctl")
    words[words.index("--program") + 1] = str(ROOT / "build/release/runclad")
    for name in ("03-debian", "05-kubernetes"):
        with tempfile.TemporaryDirectory() as folder:
            config = pathlib.Path(folder) / "config.toml"
            shutil.copy(ROOT / f"tests/configure/cases/containerd/{name}.before", config)
            done = subprocess.run([*words, "--dry-run", "--config", config], capture_output=True, text=True)
            hold(f"the command would configure {name}",
                 done.returncode == 0 and "runtimes.runclad" in done.stdout)
            print(done.stderr, end="", file=sys.stderr)


def proves(node, stub):
    record = node.host / f"run/runclad/1-2/{ID}.json"
    status = node.host / "proc/77/status"
    told = node.serve_until(lambda: stub.labels)
    hold("a container that has no record is not proved",
         stub.labels == {"runclad.io/ready": None, "runclad.io/mode": None} and "not started through" in told)
    stub.labels.clear()
    record.write_text('{"id":"x","mode":"enforce","pid":77}')
    status.write_text("Seccomp:\t0\n")
    told = node.serve_until(lambda: stub.labels)
    hold("one without the filter is not, in mode enforce",
         stub.labels["runclad.io/ready"] is None and "without the filter" in told)
    stub.labels.clear()
    status.write_text("Seccomp:\t2\n")
    node.serve_until(lambda: stub.labels)
    hold("with a record and the filter the node is labelled",
         stub.labels == {"runclad.io/ready": "true", "runclad.io/mode": "enforce"})
    hold("the probe pod is gone afterwards", not stub.pods)
    stub.labels.clear()
    record.write_text('{"id":"x","mode":"audit","pid":77}')
    status.write_text("Seccomp:\t0\n")
    node.serve_until(lambda: stub.labels)
    hold("in mode audit the record suffices, and the label says so",
         stub.labels == {"runclad.io/ready": "true", "runclad.io/mode": "audit"})
    stub.labels.clear()
    stub.probe_status = {"phase": "Failed"}
    node.serve_until(lambda: stub.labels)
    hold("a probe pod that fails takes the label away", stub.labels["runclad.io/ready"] is None)
    stub.labels.clear()
    stub.probe_status = {"phase": "Pending"}
    told = node.serve_until(lambda: stub.labels)
    hold("one that does not start is not waited for without limit",
         stub.labels["runclad.io/ready"] is None and "did not run within" in told)
    asked = {call for call in stub.calls}
    hold("nothing else is asked of the API", all(
        path.startswith("/api/v1/namespaces/runclad-system/pods") or path == "/api/v1/nodes/node-1.example"
        for _, path in asked))


def removes(node, stub):
    for what, daemonset, valid, is_removed in (
            ("an update of the DaemonSet", {"metadata": {}}, True, False),
            ("a DaemonSet that is being deleted",
             {"metadata": {"deletionTimestamp": "2026-11-26T18:00:00Z"}}, True, True),
            ("one that is gone", None, True, True),
            ("an account that is gone", None, False, True)):
        stub.daemonset, stub.account_is_valid = daemonset, valid
        node.ran.unlink(missing_ok=True)
        done = node.run("remove")
        undone = "runcladctl unconfigure containerd --restart --program /usr/local/sbin/runclad" in node.commands()
        hold(f"{what} {'takes everything back' if is_removed else 'changes nothing'}",
             done.returncode == 0 and undone == is_removed)
    hold("the program stays for the containers that run", (node.host / "usr/local/sbin/runclad").exists())
    stub.shutdown()
    stub.server_close()
    node.ran.unlink(missing_ok=True)
    node.run("remove")
    hold("an API that does not answer changes nothing", not node.commands())


def main():
    stub = Stub()
    node = Node(stub)
    try:
        installs(node)
        configures_what_nodes_have()
        proves(node, stub)
        removes(node, stub)
    finally:
        shutil.rmtree(node.folder)
    print(f"{len(PASSED)} passed, {len(FAILED)} failed")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
