#!/usr/bin/python3
"""Renders what packaging/kubernetes contains and holds it against Kubernetes' own API.

    tests/kubernetes/render.py              the last line is `N passed, N failed`
    tests/kubernetes/render.py --print base|chart

Helm and kustomize are not Debian 12's. The chart is rendered by a renderer of ours that knows exactly the
template actions which the chart uses, and fails at any other; the base by the machine's kustomize or trixie's
(kustomize.sh), and where neither can be had by a stand-in of ours for what its kustomization.yaml uses. Objects are held against the models of
Debian's python3-kubernetes: required members, types, and no member that the API does not have."""

import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys

import kubernetes.client
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "packaging/kubernetes"
KUSTOMIZE = ROOT / "tests/kubernetes/kustomize.sh"


def to_yaml(value):
    return yaml.safe_dump(value, sort_keys=True).rstrip("\n")


def value_of(path, values, release):
    if path == ".Release.Namespace":
        return release
    if not path.startswith(".Values."):
        raise ValueError(f"a template uses {path}, which the renderer does not know")
    value = values
    for name in path[len(".Values."):].split("."):
        value = value[name]
    return value


def action(text, values, release):
    """The text of one {{ … }}."""
    first, *pipes = [part.strip().split() for part in text.split("|")]
    if first[0] == "toYaml":
        result = to_yaml(value_of(first[1], values, release))
    elif len(first) == 1:
        result = value_of(first[0], values, release)
    else:
        raise ValueError(f"a template uses {' '.join(first)}, which the renderer does not know")
    for pipe in pipes:
        if pipe == ["quote"]:
            result = json.dumps(str(result))
        elif pipe == ["sha256sum"]:
            result = hashlib.sha256(result.encode()).hexdigest()
        elif pipe[0] == "indent":
            result = "\n".join(" " * int(pipe[1]) + line for line in result.split("\n"))
        else:
            raise ValueError(f"a template uses {' '.join(pipe)}, which the renderer does not know")
    return str(result)


def render_chart(values=None, release="runclad-system"):
    chart = HERE / "chart"
    merged = yaml.safe_load((chart / "values.yaml").read_text())
    merged.update(values or {})
    texts = []
    for template in sorted((chart / "templates").glob("*.yaml")):
        texts.append(re.sub(r"\{\{(.*?)\}\}", lambda found: action(found.group(1), merged, release),
                            template.read_text()))
    return "---\n".join(texts)


CLUSTER_WIDE = {"Namespace", "RuntimeClass", "ClusterRole", "ClusterRoleBinding"}


def stand_in_kustomize():
    base = HERE / "base"
    spec = yaml.safe_load((base / "kustomization.yaml").read_text())
    known = {"apiVersion", "kind", "namespace", "resources", "configMapGenerator", "images"}
    if set(spec) - known:
        raise ValueError(f"kustomization.yaml has {set(spec) - known}, which the stand-in does not know")
    objects = []
    for name in spec["resources"]:
        objects += [one for one in yaml.safe_load_all((base / name).read_text()) if one]
    names = {}
    for generator in spec["configMapGenerator"]:
        data = {file: (base / file).read_text() for file in generator["files"]}
        digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:10]
        names[generator["name"]] = f"{generator['name']}-{digest}"
        objects.append({"apiVersion": "v1", "kind": "ConfigMap",
                        "metadata": {"name": names[generator["name"]]}, "data": data})
    images = {image["name"]: f"{image['newName']}:{image['newTag']}" for image in spec["images"]}

    def visit(value):
        if isinstance(value, list):
            for one in value:
                visit(one)
        elif isinstance(value, dict):
            if isinstance(value.get("image"), str):
                value["image"] = images.get(value["image"], value["image"])
            if isinstance(value.get("configMap"), dict):
                value["configMap"]["name"] = names.get(value["configMap"]["name"],
                                                       value["configMap"]["name"])
            for one in value.values():
                visit(one)

    objects = json.loads(json.dumps(objects))  # YAML's anchors make two members one object
    for one in objects:
        if one["kind"] not in CLUSTER_WIDE:
            one["metadata"]["namespace"] = spec["namespace"]
        visit(one)
    return "---\n".join(yaml.safe_dump(one) for one in objects)


def render_base():
    """The text, and what rendered it; None: the stand-in did."""
    program = shutil.which("kustomize")
    if program is None:
        fetched = subprocess.run([str(KUSTOMIZE)], capture_output=True, text=True, check=False)
        if fetched.returncode != 0:
            return stand_in_kustomize(), None, fetched.stderr.strip()
        program = fetched.stdout.strip()
    done = subprocess.run([program, "build", str(HERE / "base")], check=True, capture_output=True, text=True)
    version = pathlib.Path(program).parents[2] / "version"  # Debian's program says "(devel)"
    return done.stdout, "kustomize " + (version.read_text().strip() if version.is_file() else ""), ""


def without_digests(text):
    """Objects by kind and name. kustomize and the stand-in make the digest in a ConfigMap's name differently."""
    objects = [one for one in yaml.safe_load_all(re.sub(r"(runclad-policy)-[0-9a-z]{10}\b", r"\1", text)) if one]
    return {(one["kind"], one["metadata"]["name"]): one for one in objects}


def faults_of(value, type_name, path, client):
    """What in `value` the API's type does not have, or lacks."""
    if value is None:
        return
    if found := re.fullmatch(r"list\[(.*)\]", type_name):
        if not isinstance(value, list):
            yield f"{path} is not a list"
            return
        for i, one in enumerate(value):
            yield from faults_of(one, found.group(1), f"{path}[{i}]", client)
    elif found := re.fullmatch(r"dict\(str, (.*)\)", type_name):
        if not isinstance(value, dict):
            yield f"{path} is not an object"
            return
        for key, one in value.items():
            yield from faults_of(one, found.group(1), f"{path}.{key}", client)
    elif type_name in ("str", "int", "bool", "float", "datetime", "object"):
        expected = {"str": str, "int": int, "bool": bool, "float": (int, float)}.get(type_name)
        if expected and (not isinstance(value, expected) or isinstance(value, bool) != (type_name == "bool")):
            yield f"{path} is {value!r}, not {type_name}"
    else:
        model = getattr(client, type_name)
        if not isinstance(value, dict):
            yield f"{path} is not an object"
            return
        members = {api: (name, model.openapi_types[name]) for name, api in model.attribute_map.items()}
        for key, one in value.items():
            if key not in members:
                yield f"{path}.{key} is not a member of {type_name}"
            else:
                yield from faults_of(one, members[key][1], f"{path}.{key}", client)
        arguments = {members[key][0]: one for key, one in value.items() if key in members}
        try:
            model(**arguments)
        except ValueError as fault:
            yield f"{path}: {fault}"


def model_of(one):
    group, _, version = one["apiVersion"].rpartition("/")
    return version.capitalize() + one["kind"]


class Checks:
    def __init__(self):
        self.passed, self.failed = 0, []

    def hold(self, what, is_so):
        print(f"{'ok' if is_so else 'not ok'} - {what}")
        if is_so:
            self.passed += 1
        else:
            self.failed.append(what)


def pod_specs(objects):
    return [one["spec"]["template"]["spec"] for one in objects if one["kind"] == "DaemonSet"]


def check_objects(what, text, checks):
    objects = [one for one in yaml.safe_load_all(text) if one]
    for one in objects:
        name = f"{what}: {one['kind']} {one['metadata']['name']}"
        faults = list(faults_of(one, model_of(one), one["kind"], kubernetes.client))
        for fault in faults:
            print(f"#   {fault}")
        checks.hold(f"{name} is as the API wants it", not faults)
    by_kind = {}
    for one in objects:
        by_kind.setdefault(one["kind"], []).append(one)
    checks.hold(f"{what}: every kind is there", set(by_kind) >= {
        "RuntimeClass", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding",
        "DaemonSet", "ConfigMap"})
    (spec,) = pod_specs(objects)
    containers = spec["initContainers"] + spec["containers"]
    checks.hold(f"{what}: no container is privileged, and each has two capabilities", all(
        not one["securityContext"].get("privileged")
        and one["securityContext"]["allowPrivilegeEscalation"] is False
        and one["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["SYS_CHROOT", "SYS_PTRACE"]}
        for one in containers))
    checks.hold(f"{what}: the images have a tag", all(":" in one["image"].rsplit("/", 1)[-1]
                                                      for one in containers))
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    checks.hold(f"{what}: every mount has its volume", all(
        mount["name"] in volumes for one in containers for mount in one["volumeMounts"]))
    maps = [one["metadata"]["name"] for one in by_kind["ConfigMap"]]
    checks.hold(f"{what}: the policy's volume is the ConfigMap",
                volumes["policy"]["configMap"]["name"] in maps)
    accounts = {(one["metadata"]["namespace"], one["metadata"]["name"]) for one in by_kind["ServiceAccount"]}
    bindings = by_kind["ClusterRoleBinding"] + by_kind["RoleBinding"]
    checks.hold(f"{what}: the bindings name the account and roles that are there", all(
        (subject["namespace"], subject["name"]) in accounts for one in bindings for subject in one["subjects"]
    ) and {(one["roleRef"]["kind"], one["roleRef"]["name"]) for one in bindings} <=
        {(one["kind"], one["metadata"]["name"]) for one in by_kind["ClusterRole"] + by_kind["Role"]})
    verbs = {(resource, verb) for one in by_kind["ClusterRole"] + by_kind["Role"] for rule in one["rules"]
             for resource in rule["resources"] for verb in rule["verbs"]}
    checks.hold(f"{what}: the account may do what the script does and nothing else", verbs == {
        ("nodes", "patch"), ("pods", "get"), ("pods", "create"), ("pods", "delete"), ("daemonsets", "get")})
    data = by_kind["ConfigMap"][0]["data"]
    checks.hold(f"{what}: the keys of the policy are such as a ConfigMap can have",
                all(re.fullmatch(r"[-._a-zA-Z0-9]+", key) for key in data))
    checks.hold(f"{what}: the files of the policy are JSON", all(json.loads(text) for text in data.values()))
    return objects


def main():
    base, program, fault = render_base()
    if sys.argv[1:2] == ["--print"]:
        print(base if sys.argv[2] == "base" else render_chart())
        return 0
    checks = Checks()
    if program is None:
        print(f"# LEFT OUT: kustomize did not render the base, a stand-in of ours did ({fault})")
    else:
        print(f"# the base, rendered by {program}")
        checks.hold("base: the stand-in renders what kustomize does",
                    without_digests(base) == without_digests(stand_in_kustomize()))
    of_base = check_objects("base", base, checks)
    print("# the chart, rendered by a renderer of ours")
    of_chart = check_objects("chart", render_chart(), checks)
    strict = render_chart({"nodeSelector": {"pool": "shop", "kubernetes.io/os": "linux"}}, "elsewhere")
    others = [one for one in yaml.safe_load_all(strict) if one]
    checks.hold("chart: values reach the pods", pod_specs(others)[0]["nodeSelector"]["pool"] == "shop")
    checks.hold("chart: the release's namespace is everywhere", all(
        one["metadata"].get("namespace", "elsewhere") == "elsewhere" for one in others))

    def roles(objects):
        return sorted(json.dumps(one["rules"], sort_keys=True) for one in objects
                      if one["kind"] in ("Role", "ClusterRole"))
    checks.hold("base and chart give the same rights", roles(of_base) == roles(of_chart))
    probe = json.loads((HERE / "installer/probe.json").read_text())
    checks.hold("the probe pod is as the API wants it",
                not list(faults_of(probe, "V1Pod", "Pod", kubernetes.client)))
    broken = {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"container": [], "hostPID": "yes"}}
    checks.hold("a pod that the API would refuse is found",
                len(list(faults_of(broken, "V1Pod", "Pod", kubernetes.client))) == 3)
    print(f"{checks.passed} passed, {len(checks.failed)} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
