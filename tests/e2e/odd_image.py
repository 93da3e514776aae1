#!/usr/bin/env python3
"""Writes an image archive whose documents engines read and strict readers do not.

usage: odd_image.py KIND NAME LAYER.tar OUT.tar

KIND: docker archives with a config that has
  twice    its layers twice
  history  5 MiB of history
  labels   72 labels of 60 kB
  bytes    a text that is not UTF-8
  deep     a member nested 1000 deep
or
  oci      an OCI archive whose reference is NAME@<digest of its own manifest>; prints the reference
"""
import hashlib
import io
import json
import sys
import tarfile


def digest(content):
    return hashlib.sha256(content).hexdigest()


def config_of(kind, layer):
    rootfs = {"type": "layers", "diff_ids": ["sha256:" + digest(layer)]}
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["sh"], "Env": ["KIND=" + kind]},
        "history": [{"created_by": "x"}],
        "rootfs": rootfs,
    }
    if kind == "history":
        config["history"][0]["created_by"] = "x" * (5 << 20)
    if kind == "labels":
        config["config"]["Labels"] = {f"l{i}": "x" * 60000 for i in range(72)}
    text = json.dumps(config).encode()
    if kind == "twice":
        text = text[:-1] + b',"rootfs":' + json.dumps(rootfs).encode() + b"}"
    if kind == "bytes":
        text = text.replace(b'"created_by": "x"', b'"created_by": "\xff"')
    if kind == "deep":
        text = text[:-1] + b',"x":' + b"[" * 1000 + b"]" * 1000 + b"}"
    return text


def main():
    kind, name, layer_path, out = sys.argv[1:]
    with open(layer_path, "rb") as file:
        layer = file.read()
    config = config_of(kind, layer)
    files = {}
    if kind == "oci":
        media = "application/vnd.oci.image."

        def add(content, media_type):
            files["blobs/sha256/" + digest(content)] = content
            return {"mediaType": media + media_type, "digest": "sha256:" + digest(content),
                    "size": len(content)}

        manifest = json.dumps({
            "schemaVersion": 2,
            "config": add(config, "config.v1+json"),
            "layers": [add(layer, "layer.v1.tar")],
        }).encode()
        entry = add(manifest, "manifest.v1+json")
        reference = f"{name}@{entry['digest']}"
        entry["annotations"] = {"org.opencontainers.image.ref.name": reference}
        files["oci-layout"] = b'{"imageLayoutVersion":"1.0.0"}'
        files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
        print(reference)
    else:
        config_name = digest(config) + ".json"
        files[config_name] = config
        files["layer/layer.tar"] = layer
        files["manifest.json"] = json.dumps(
            [{"Config": config_name, "RepoTags": [name], "Layers": ["layer/layer.tar"]}]).encode()
    with tarfile.open(out, "w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


main()
