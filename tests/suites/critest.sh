# shellcheck shell=bash
# critest of cri-tools: the kubelet's calls, against a containerd with its CRI plugin. Its images are pulled from a
# registry of our own; one that is known by its digest can only fail.

suite_runtime() { echo runc; }
suite_version() {
  printf '%s, containerd %s, runc %s' "$SUITES_GIVEN_NAME" "$(dpkg-query -W -f='${Version}' containerd)" \
    "$(dpkg-query -W -f='${Version}' runc)"
}
# Not those for Windows, SELinux and AppArmor: they are empty here.
suite_files() {
  grep -l 'framework.KubeDescribe' "$SUITES_GIVEN"/pkg/validate/*.go | sed 's,.*/,,; s/\.go$//' |
    grep -vE '^selinux|^apparmor|_windows$' | sort
}

suite_prepare() {
  local built source=$SUITES_WORK/cri-tools
  [ -f "$SUITES_GIVEN/cmd/critest/cri_test.go" ] || { echo "$SUITES_GIVEN is no source of cri-tools"; return 1; }
  [ -d "$SUITES_GIVEN/vendor" ] || { echo "$SUITES_GIVEN has no vendor: a release's tree has"; return 1; }
  built=$SUITES_GIVEN/build/bin/$(go env GOOS)/$(go env GOARCH)/critest
  if [ -x "$built" ]; then
    cp "$built" "$SUITES_WORK/critest"
  else
    cp -a "${SUITES_GIVEN%/}" "$source"
    cd "$source" || return 1
    CGO_ENABLED=0 GOFLAGS=-mod=vendor GOPROXY=off GOTOOLCHAIN=local GOCACHE=/var/cache/suites-go \
      go test -c -vet=off -o "$SUITES_WORK/critest" ./cmd/critest || return 1
  fi
  critest_rootfs && critest_registry_file && alone critest_images && critest_settings
}

# What the tests look for in their images: a web server with a PID file and "master process" on its command line, and
# a program that is root's whoever starts it.
critest_rootfs() {
  local rootfs=$SUITES_WORK/rootfs applet
  mkdir -p "$rootfs"/{bin,dev,etc,home,proc,root,run,sbin,sys,tmp,usr/bin,usr/sbin,var/tmp,var/www}
  ln -s ../run "$rootfs/var/run"
  chmod 1777 "$rootfs/tmp" "$rootfs/var/tmp"
  cp "$(command -v busybox)" "$rootfs/bin/busybox"
  for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$rootfs/bin/$applet"; done
  rm -f "$rootfs/bin/pgrep" "$rootfs/bin/brctl"  # links to busybox, if it has them
  # shellcheck disable=SC2016  # the dollar is for the script
  printf '#!/bin/sh\nexec pidof "$@"\n' >"$rootfs/bin/pgrep"
  # shellcheck disable=SC2016
  printf '#!/bin/sh\nexec ip link add "$2" type bridge\n' >"$rootfs/bin/brctl"
  chmod 755 "$rootfs/bin/pgrep" "$rootfs/bin/brctl"
  printf '%s\n' root:x:0:0:root:/root:/bin/sh www-data:x:33:33:www-data:/var/www:/bin/false \
    default-user:x:1000:1000::/home:/bin/sh nobody:x:65534:65534:nobody:/:/bin/false >"$rootfs/etc/passwd"
  printf '%s\n' root:x:0: www-data:x:33: default-user:x:1000: group-defined-in-image:x:50000:default-user \
    nogroup:x:65534: >"$rootfs/etc/group"
  gcc -static -O1 -x c -o "$rootfs/bin/nnp" - <<'C' || return 1
#include <stdio.h>
#include <unistd.h>
int main(void) { return printf("Effective uid: %d\n", (int)geteuid()) < 0; }
C
  chmod 4755 "$rootfs/bin/nnp"
  gcc -static -O1 -x c -o "$rootfs/bin/nginx" - <<'C' || return 1
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int count, char** arguments) {
  const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
  FILE* file = fopen("/var/run/nginx.pid", "w");
  int client, one = 1, server = socket(AF_INET, SOCK_STREAM, 0);
  char request[4096];
  for (int i = 1; i < count; ++i) fprintf(stderr, "%s%c", arguments[i], i + 1 < count ? ' ' : '\n');
  if (file) fprintf(file, "%d\n", getpid()), fclose(file);
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(server, (struct sockaddr*)&here, sizeof here) || listen(server, 16)) return 1;
  while ((client = accept(server, 0, 0)) >= 0) {
    if (read(client, request, sizeof request) > 0) write(client, answer, sizeof answer - 1);
    close(client);
  }
}
C
  cp "$(command -v catatonit)" "$rootfs/bin/pause"
  tar -C "$rootfs" -cf "$SUITES_WORK/rootfs.tar" .
}

critest_registry_file() {
  printf '%s\n' 'version: 0.1' 'log: {level: error}' "storage: {filesystem: {rootdirectory: $SUITES_WORK/registry}}" \
    'http: {addr: "127.0.0.1:5000"}' >"$SUITES_WORK/registry.yml"
}
critest_registry() {
  docker-registry serve "$SUITES_WORK/registry.yml" >"$SUITES_WORK/registry.log" 2>&1 &
  local deadline=$((SECONDS + 20))
  until printf '' 2>/dev/null >/dev/tcp/127.0.0.1/5000; do
    [ "$SECONDS" -lt "$deadline" ] || { cat "$SUITES_WORK/registry.log"; return 1; }
    sleep 0.1
  done
}

# Every name is another image unless it is another tag of one.
critest_images() {
  local own=k8s-staging-cri-tools base=localhost/rootfs number=0 name
  critest_registry || return 1
  mkdir "$SUITES_WORK/images" && cd "$SUITES_WORK/images" || return 1
  mv "$SUITES_WORK/rootfs.tar" .
  critest_image rootfs 'FROM scratch' 'ADD rootfs.tar /' 'CMD ["sh"]' || return 1
  critest_push rootfs e2e-test-images/busybox:1.29-2 || return 1
  critest_image pause "FROM $base" 'ENTRYPOINT ["/bin/pause", "-P"]' && critest_push pause pause:3.6
  critest_image web "FROM $base" 'ENV PORT=80' 'CMD ["/bin/nginx", "nginx: master process"]' &&
    critest_push web e2e-test-images/nginx:1.14-2
  critest_image httpd "FROM $base" 'ENV PORT=80' 'CMD ["/bin/nginx", "httpd -D FOREGROUND"]' &&
    critest_push httpd e2e-test-images/httpd:2.4.39-4
  critest_image hostnet "FROM $base" 'ENV PORT=12003' 'CMD ["/bin/nginx", "nginx: master process"]' &&
    critest_push hostnet "$own/hostnet-nginx-$(go env GOARCH):latest"
  critest_image nnp "FROM $base" 'CMD ["/bin/nnp"]' && critest_push nnp e2e-test-images/nonewprivs:1.3
  for name in latest:latest tag:test tag:all 1:latest 2:latest 3:latest; do
    number=$((number + 1))
    critest_image "image$number" "FROM $base" "ENV NUMBER=$number" && critest_push "image$number" "$own/test-image-$name"
  done
  for number in 1 2 3; do critest_push image1 "$own/test-image-tags:$number"; done
  critest_image uid "FROM $base" 'USER 1002' && critest_push uid "$own/test-image-user-uid:latest"
  critest_image name "FROM $base" 'USER www-data' && critest_push name "$own/test-image-user-username:latest"
  critest_image uidgroup "FROM $base" 'USER 1003:users' && critest_push uidgroup "$own/test-image-user-uid-group:latest"
  critest_image namegroup "FROM $base" 'USER www-data:100' &&
    critest_push namegroup "$own/test-image-user-username-group:latest"
  critest_image predefined "FROM $base" 'USER 1000' && critest_push predefined "$own/test-image-predefined-group:latest"
}
critest_image() {  # NAME LINE…
  printf '%s\n' "${@:2}" >Containerfile
  podman build -q -t "localhost/$1" -f Containerfile . >/dev/null
}
critest_push() { podman push -q --tls-verify=false "localhost/$1" "docker://127.0.0.1:5000/$2"; }  # IMAGE NAME

critest_settings() {
  local who
  mkdir -p /etc/containerd/certs.d/_default /etc/cni/net.d
  printf '[host."http://127.0.0.1:5000"]\n  capabilities = ["pull", "resolve"]\n' \
    >/etc/containerd/certs.d/_default/hosts.toml
  cat >/etc/cni/net.d/pods.conflist <<'JSON'
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
JSON
  for who in plain audit; do
    cat >"$SUITES_WORK/$who/containerd.toml" <<TOML
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.6"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  BinaryName = "$SUITES_WORK/$who/runc"
TOML
  done
}

suite_run() {  # RUNTIME FILE
  alone critest_run "${1%/*}" "$2"
  remove_cgroups k8s.io
}
critest_run() {  # DIRECTORY FILE
  local deadline=$((SECONDS + 20))
  critest_registry || return 1
  containerd --config "$1/containerd.toml" >"$SUITES_WORK/containerd.log" 2>&1 &
  until ctr version >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || { cat "$SUITES_WORK/containerd.log" >&2; return 1; }
    sleep 0.2
  done
  cd "$SUITES_WORK" || return 1
  timeout -k 10 1200 ./critest -runtime-endpoint unix:///run/containerd/containerd.sock -ginkgo.seed 1 \
    -ginkgo.no-color -ginkgo.focus-file "/$2\\.go" -ginkgo.junit-report "$SUITES_WORK/report.xml" >&2
  python3 "$PLACE/tree/tests/suites/compare.py" tap "$SUITES_WORK/report.xml"
  rm -f "$SUITES_WORK/report.xml"
}
