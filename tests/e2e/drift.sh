#!/bin/bash
# Drift: an intruder brings programs along. Wherever the container can write, nothing that was written
# there runs. What that does not stop is shown as well.
# shellcheck disable=SC2016  # dollars are for the shell in the container
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

own_policy() {  # the "rules" of policy.json
  printf '{"log": {"target": "file:%s/own/audit.jsonl"}, "rules": {%s}}\n' "$E2E_POLICIES" "$1" \
    >"$E2E_POLICIES/own/policy.json"
}

# In every directory of every mount, and over every file that is a mount of its own: write a program
# there and run it.
TRY_EVERYWHERE='
  try() {
    "$1" ran >/tmp/said 2>/dev/null || "$1" ran >/dev/shm/said 2>/dev/null
    if grep -qs ran /tmp/said /dev/shm/said; then echo "ran in $2"; else echo "wrote to $2"; fi
    rm -f /tmp/said /dev/shm/said
  }
  find / -path /proc -prune -o -path /sys -prune -o -type d -print 2>/dev/null | while read -r d; do
    if cp /bin/probe "$d/brought" 2>/dev/null; then
      try "$d/brought" "$d"
      rm -f "$d/brought"
    fi
  done
  cut -d" " -f5 /proc/self/mountinfo | while read -r f; do
    if [ -f "$f" ] && cat /bin/probe 2>/dev/null >"$f" && chmod +x "$f"; then try "$f" "$f"; fi
  done'
PLACES="-v /anonymous -v drift-named:/named --tmpfs /scratch:exec -v $E2E_SRV/drift:/bound
  --mount type=tmpfs,dst=/typed"

mkdir -p "$E2E_SRV/drift/below" "$E2E_SRV/drift-ro/below"
chmod 1777 "$E2E_SRV/drift"
mount -t tmpfs -o mode=1777 tmpfs "$E2E_SRV/drift/below"
mount -t tmpfs -o mode=1777 tmpfs "$E2E_SRV/drift-ro/below"

covers mount-options
# shellcheck disable=SC2086  # a list of options
docker_run $PLACES box sh -c "$TRY_EVERYWHERE"
guards "root: a program that was copied in runs from no writable place" \
  test -z "$(grep '^ran in ' <<<"$OUT")"
for place in /tmp /var/tmp /run /dev /dev/shm /anonymous /named /scratch /bound /bound/below \
  /typed /etc/hosts /etc/resolv.conf; do
  holds "root can write to $place" grep -qE "(wrote to|ran in) $place\$" <<<"$OUT"
done
guards "and cannot write to the image's own directories" test -z "$(grep -E ' /(bin|usr|root|srv|home)?(/|$)' <<<"$OUT")"
# shellcheck disable=SC2086
docker_run -u 1000 $PLACES box sh -c "$TRY_EVERYWHERE"
guards "a user other than root: none runs either" test -z "$(grep '^ran in ' <<<"$OUT")"
for place in /tmp /dev/shm /scratch /bound /bound/below /typed; do
  holds "a user that is not root can write to $place" \
    grep -qE "(wrote to|ran in) $place\$" <<<"$OUT"
done
docker_run -v "$E2E_SRV/drift-ro:/ro:ro" box sh -c 'echo x >/ro/below/written && echo written'
guards "what is mounted below a read-only bind is read-only, too" out_lacks written
docker volume rm drift-named >/dev/null

# A set-user-ID program and a device that are on a volume already.
cp "$E2E_WORK/rootfs/bin/probe" "$E2E_SRV/drift/setuid-probe"
chmod 4755 "$E2E_SRV/drift/setuid-probe"
mknod -m 666 "$E2E_SRV/drift/zero" c 1 5
docker_run -v "$E2E_SRV/drift:/bound" box head -c 4 /bound/zero
guards "a device node on a volume cannot be opened" failed
docker_run --cap-add MKNOD --device-cgroup-rule 'c 1:5 rwm' -v "$E2E_SRV/drift:/bound" box \
  sh -c 'head -c 4 /dev/zero | wc -c'
holds "the devices of /dev are" out_is 4
docker_run -v "$E2E_SRV/drift:/bound" -u 1000 box /bound/setuid-probe
guards "a set-user-ID program on a volume does not run" failed

docker_run -v "$E2E_SRV/drift:/bound:ro" box head -c 4 /bound/zero
guards "a device node on a read-only volume cannot be opened" failed
docker_run -v "$E2E_SRV/drift:/bound:ro" box sh -c 'grep " /bound" /proc/self/mountinfo'
for option in nosuid nodev; do
  guards "a read-only bind and what is mounted below it are $option" \
    test "$(grep -c "[ ,]${option}[ ,]" <<<"$OUT")" = 2
done
docker_run -v "$E2E_SRV/drift:/bound:ro" box /bound/setuid-probe ran
holds "a program on a directory of the host that is only read runs" succeeded

# --- what is writable in one place and read-only in another ---
# Each case mounts the same files twice: writable at /w, and at /r for reading only.
mkdir -p "$E2E_SRV/twice/sub" "$E2E_SRV/twice/other" "$E2E_SRV/alias"
mount --bind "$E2E_SRV/twice" "$E2E_SRV/alias"
COPY_AND_RUN='for w in /w /w/sub; do cp /bin/probe $w/brought 2>/dev/null; done
  for r in /r /r/sub /r/below; do [ ! -x $r/brought ] || $r/brought ran; done'
podman_run() {
  capture podman --cgroup-manager cgroupfs --events-backend file --runtime "$E2E_RUNTIME" run --rm \
    --network none --cgroup-parent "$E2E_CGROUP" --ulimit nofile=1024:2048 \
    --ulimit nproc=1000:2000 "$@"
}
tar -C "$E2E_WORK/rootfs" -c . | podman import -q -c 'CMD ["sh"]' - box >/dev/null
for engine in docker podman; do
  "${engine}_run" -v twice:/w -v twice:/r:ro box sh -c "$COPY_AND_RUN"
  guards "$engine: nothing runs from a volume that is mounted a second time, read-only" out_lacks ran
  "${engine}_run" -v twice:/r:ro box sh -c '[ -e /r/brought ] && echo there; /r/brought ran'
  holds "$engine: the next container has what the last one wrote" out_has there
  guards "$engine: and does not run it" out_lacks ran
  "${engine}_run" -v "$E2E_SRV/twice:/w" -v "$E2E_SRV/twice:/r:ro" box sh -c "$COPY_AND_RUN"
  guards "$engine: nor from a directory of the host" out_lacks ran
  "${engine}_run" -v "$E2E_SRV/twice/sub:/w" -v "$E2E_SRV/twice:/r:ro" box sh -c "$COPY_AND_RUN"
  guards "$engine: nor from what is around it" out_lacks ran
  "${engine}_run" -v "$E2E_SRV/twice:/w" -v "$E2E_SRV/twice/sub:/r:ro" box sh -c "$COPY_AND_RUN"
  guards "$engine: nor from a part of it" out_lacks ran
  "${engine}_run" -v "$E2E_SRV/twice:/w" -v "$E2E_SRV/alias/sub:/r:ro" box sh -c "$COPY_AND_RUN"
  guards "$engine: nor by a bind mount of the host" out_lacks ran
  "${engine}_run" -v "$E2E_SRV/drift/below:/w" -v "$E2E_SRV/drift:/r:ro" box sh -c "$COPY_AND_RUN"
  guards "$engine: nor from a file system that comes along below a bind" out_lacks ran
done
docker_start writer -v twice:/w
docker_run --volumes-from writer:ro box sh -c '/w/brought ran'
guards "docker: nor from the volumes of another container, read-only" out_lacks ran
docker_remove writer
docker_start shm-owner --ipc shareable
docker exec shm-owner sh -c 'cp /bin/probe /dev/shm/brought'
docker_run --ipc container:shm-owner box /dev/shm/brought ran
holds "docker: nor from memory that another container shares" out_lacks ran
docker_run --ipc container:shm-owner \
  -v "/var/lib/docker/containers/$(docker inspect -f '{{.Id}}' shm-owner)/mounts/shm:/r:ro" box \
  /r/brought ran
guards "docker: nor from a second mount of that memory" out_lacks ran
docker_remove shm-owner
podman_run -v "$E2E_SRV/twice:/w" -v "$E2E_SRV/twice:/r:O" box sh -c "$COPY_AND_RUN"
guards "podman: nor from an overlay on it" out_lacks ran
cp "$E2E_WORK/rootfs/bin/probe" "$E2E_SRV/twice/other/brought"
docker_run -v "$E2E_SRV/twice/sub:/w" -v "$E2E_SRV/twice/other:/r:ro" box sh -c "$COPY_AND_RUN"
holds "a directory beside the writable one keeps its programs" out_is ran
RUNTIME=baseline docker_run -v twice:/w -v twice:/r:ro box sh -c "$COPY_AND_RUN"
holds "baseline: they run" out_is ran
own_policy '"mount-options": {"exec-paths": ["/r"]}'
RUNTIME=own docker_run -v twice:/w -v twice:/r:ro box sh -c "$COPY_AND_RUN"
holds "exec-paths: they run where the policy says so" out_is ran
own_policy ''
docker volume rm twice >/dev/null
podman volume rm twice >/dev/null
podman rmi box >/dev/null
umount "$E2E_SRV/alias"
rm -rf "$E2E_SRV/twice" "$E2E_SRV/alias"

# --- the dynamic loader runs programs that exec would not ---
loader=$(mktemp -d "$E2E_WORK/loader.XXXXXX")
cp -a "$E2E_WORK/rootfs/." "$loader"
mkdir -p "$loader/lib64"
cp -L /lib64/ld-linux-x86-64.so.2 /lib/x86_64-linux-gnu/libc.so.6 "$loader/lib64"
cp /usr/bin/printf "$loader/bin/dynamic"
tar -C "$loader" -c . | docker import -c 'ENV LD_LIBRARY_PATH=/lib64' - box-loader >/dev/null
docker_run box-loader /bin/dynamic 'ran\n'
holds "a dynamic program of the image runs" out_is ran
docker_run box-loader \
  sh -c 'cp /bin/dynamic /tmp/brought && /lib64/ld-linux-x86-64.so.2 /tmp/brought "ran\n"'
guards "the loader maps no program of /tmp" out_lacks ran
docker_run box-loader sh -c 'cp /lib64/libc.so.6 /tmp && LD_PRELOAD=/tmp/libc.so.6 /bin/dynamic x'
guards "and no library" err_has "cannot be preloaded"
docker rmi box-loader >/dev/null

# --- what it does not stop: the image's interpreters, and memory ---
docker_run box sh -c 'echo "echo ran" >/tmp/s && chmod +x /tmp/s && sh /tmp/s'
holds "a script is run by an interpreter of the image" out_is ran
docker_run box sh -c 'printf "#!/bin/sh\necho ran\n" >/tmp/s && chmod +x /tmp/s && /tmp/s'
guards "but not by its own name" out_lacks ran
docker_run box probe memfd
holds "a program in memory (memfd_create) runs" out_is ran
own_policy '"seccomp": {"deny": ["memfd_create"]}'
RUNTIME=own docker_run box probe memfd
guards "unless the policy denies memfd_create" out_is EPERM

# --- where an image needs it ---
own_policy '"mount-options": {"exec-paths": ["/run", "/bound"]}'
# shellcheck disable=SC2086
RUNTIME=own docker_run $PLACES box sh -c "$TRY_EVERYWHERE"
holds "exec-paths: programs run there" \
  test "$(grep -cxE 'ran in (/run|/bound|/bound/below)' <<<"$OUT")" = 3
guards "exec-paths: and nowhere else" \
  test -z "$(grep '^ran in ' <<<"$OUT" | grep -vxE 'ran in (/run|/bound|/bound/below)')"
docker volume rm drift-named >/dev/null
RUNTIME=own docker_run -u 1000 -v "$E2E_SRV/drift:/bound" box /bound/setuid-probe
guards "exec-paths: a set-user-ID program there gives nothing" out_is 1000

# s6-overlay, by what it does first: write programs to /run and run them.
s6=$(mktemp -d "$E2E_WORK/s6.XXXXXX")
cp -a "$E2E_WORK/rootfs/." "$s6"
mkdir -p "$s6/package/admin/s6-overlay-3.2.0.0"
ln -s s6-overlay-3.2.0.0 "$s6/package/admin/s6-overlay"
printf '#!/bin/sh\ncp /bin/probe /run/service && exec /run/service ran\n' >"$s6/init"
chmod 755 "$s6/init"
tar -C "$s6" -c . | docker import -c 'ENTRYPOINT ["/init"]' - box-s6 >/dev/null
docker_run box-s6
guards "s6-overlay: a refusal says that its programs in /run cannot run" \
  refused mount-options /process/args/0 /init
guards "s6-overlay: with the way out" err_has "mount-options.exec-paths"
RUNTIME=own docker_run box-s6
holds "s6-overlay: with /run among the exec-paths it runs" out_is ran
RUNTIME=baseline docker_run box-s6
holds "s6-overlay: under baseline it runs without settings" out_is ran
docker rmi box-s6 >/dev/null
own_policy ''

# --- the host's directories that are only ever read ---
covers read-only-mounts
mkdir -p "$E2E_SRV/shared/deep"
mkdir -p "$E2E_SRV/holder/inside"
mount --bind "$E2E_SRV/shared" "$E2E_SRV/holder/inside"
ln -s shared/deep "$E2E_SRV/shared-link"
own_policy "\"read-only-mounts\": {\"paths\": [\"$E2E_SRV/shared\"]},
  \"host-mounts\": {\"allow\": [\"$E2E_SRV\"]}"
export RUNTIME=own
# Each container writes a word of its own, wherever it can; mountinfo says what it had at /x.
word_is_in_shared() { grep -rqxF "$1" "$E2E_SRV/shared"; }
for source in shared shared/deep shared-link holder holder/inside; do
  docker_run -v "$E2E_SRV/$source:/x" box sh -c "grep ' /x ' /proc/self/mountinfo
    for d in /x /x/deep /x/inside; do echo through-$source >\$d/\$\$; done; ls -lR /x"
  guards "read-only: nothing is written through $source" not word_is_in_shared "through-$source"
done
docker volume create --driver local -o type=none -o o=bind -o "device=$E2E_SRV/shared" drift-shared \
  >/dev/null
docker_run -v drift-shared:/x box sh -c 'echo through-volume >/x/volume'
guards "read-only: nor through a volume that is it" not word_is_in_shared through-volume
docker volume rm drift-shared >/dev/null
docker_run -v "$E2E_SRV/drift:/x" box sh -c 'echo x >/x/a'
holds "read-only: another directory is written to" test -f "$E2E_SRV/drift/a"
docker_run -v "$E2E_SRV/shared:/x" box test -d /x/deep
holds "read-only: it is read" succeeded
unset RUNTIME
umount "$E2E_SRV/holder/inside"
own_policy ''

# --- what the image has already, and does not need ---
covers hidden-paths
tools=$(mktemp -d "$E2E_WORK/tools.XXXXXX")
cp -a "$E2E_WORK/rootfs/." "$tools"
mkdir -p "$tools"/{usr/local/bin,opt/kit,usr/share/doc/kit,var/lib/dpkg/info,etc/keys,etc/alternatives}
for program in usr/local/bin/fetch.real opt/kit/run bin/kit-hard; do
  cp "$tools/bin/probe" "$tools/$program"
done
ln -s ../../../etc/alternatives/fetch "$tools/usr/local/bin/fetch"
ln -s /usr/local/bin/fetch.real "$tools/etc/alternatives/fetch"
ln "$tools/bin/kit-hard" "$tools/bin/kit-other"
printf 'about the kit\n' >"$tools/usr/share/doc/kit/README"
printf '/.\n/opt\n/opt/kit\n/opt/kit/run\n/usr/share/doc/kit/README\n' \
  >"$tools/var/lib/dpkg/info/kit:amd64.list"
printf 'secret\n' >"$tools/etc/keys/a.pem"
tar -C "$tools" -c . | docker import -c 'CMD ["sh"]' - box-tools >/dev/null
docker_run box-tools sh -c 'fetch ran && /opt/kit/run ran && kit-hard ran && cat /etc/keys/a.pem'
holds "nothing is hidden by default" out_is $'ran\nran\nran\nsecret'
own_policy '"hidden-paths": {"programs": ["fetch", "wget", "kit-hard"], "packages": ["kit"],
  "paths": ["/etc/keys/*.pem", "/run/secrets"]}'
export RUNTIME=own
docker_run box-tools sh -c 'fetch ran; fetch.real ran; cp /usr/local/bin/fetch /tmp/x; sh /tmp/x ran'
guards "hidden: a program, by its alternative and by its own name" out_lacks ran
docker_run box-tools sh -c '/opt/kit/run ran'
guards "hidden: a program of a package" out_lacks ran
docker_run box-tools cat /usr/share/doc/kit/README
holds "hidden: not the package's documentation" out_is "about the kit"
docker_run box-tools sh -c 'kit-hard ran'
guards "hidden: one name of a file that has two" out_lacks ran
docker_run box-tools sh -c 'cat /etc/keys/a.pem; echo done'
guards "hidden: a file by a pattern" out_lacks secret
docker volume create secrets >/dev/null
printf 'secret\n' >"$(docker volume inspect -f '{{.Mountpoint}}' secrets)/token"
docker_run -v secrets:/run/secrets box-tools sh -c 'cat /run/secrets/token; echo done'
guards "hidden: what is mounted on a path that the image does not have" out_is "done"
docker volume rm secrets >/dev/null
# Below the mask nobody can see which directory was mounted, and others could exchange this one.
mkdir -p "$E2E_SRV/secrets" && printf 'secret\n' >"$E2E_SRV/secrets/token"
docker_run -v "$E2E_SRV/secrets:/run/secrets" box-tools sh -c 'cat /run/secrets/token; echo done'
guards "hidden: not below a directory that others could exchange" out_lacks secret
docker_run box-tools sh -c 'wget --help 2>&1 | head -n 1; echo shell'
holds "busybox: the shell works" out_has shell
guards "busybox: that wget is the shell's file is in the log" log_has own \
  '[.findings[]? | select(.rule == "hidden-paths" and .before == "/bin/wget") | .why]
   == ["stays usable: it is the same file as /bin/sh, which must not be hidden"]'
capture docker run -d --name hidden --network none --runtime own box-tools sleep 600
capture docker exec hidden sh -c 'fetch ran; /opt/kit/run ran; echo done'
guards "hidden: from exec as well" out_is "done"
docker_remove hidden

# --- what is kept of an image, and who may say what an image has ---
hides_kit='"hidden-paths": {"packages": ["kit"]}, "read-only-rootfs": {"action": "off"}'
kept=/var/lib/runclad/hidden
list=/var/lib/dpkg/info/kit:amd64.list
own_policy "$hides_kit"
rm -rf "$kept"
: >"$E2E_WORK/nothing"
docker create --name evil --network none --runtime own box-tools sleep 600 >/dev/null
docker cp "$E2E_WORK/nothing" "evil:$list" >/dev/null 2>&1
docker start evil >/dev/null
capture docker exec evil /opt/kit/run ran
holds "kept: a container that others copied files into has what they say" out_is ran
holds "kept: and no list is stored for its image" test ! -e "$kept"
docker_remove evil
docker_run box-tools /opt/kit/run ran
guards "kept: the next container of the image is not fooled by it" out_lacks ran
guards "kept: it is looked up once for the image" test "$(find "$kept" -type f 2>/dev/null | wc -l)" = 1
capture docker run -d --name evil --network none --runtime own box-tools sleep 600
docker exec evil sh -c ": >$list; ln -s /opt/kit/run /usr/local/bin/kit"
docker restart -t 0 evil >/dev/null
capture docker exec evil sh -c "cat $list; readlink /usr/local/bin/kit"
holds "kept: a container that runs again keeps its own changes" out_is /opt/kit/run
capture docker exec evil sh -c '/opt/kit/run ran; kit ran'
guards "kept: what was hidden stays so in a container that changed the lists" out_lacks ran
docker_run box-tools /opt/kit/run ran
guards "kept: and in others of the image" out_lacks ran
docker_remove evil
# Behind everybody's back, for nobody reads it any more.
find /var/lib/docker -path "*/diff$list" -exec truncate -s 0 {} +
docker_run box-tools sh -c "cat $list; /opt/kit/run ran"
guards "kept: the package's list is not read again" out_lacks ran
# podman puts places for its mounts into every container, and that is no change of the image.
podman_fetch() {
  capture podman --cgroup-manager cgroupfs --events-backend file --runtime \
    "$E2E_WORK/runtimes/own/runclad" run --rm --network none --cgroup-parent "$E2E_CGROUP" \
    --ulimit nofile=1024:2048 --ulimit nproc=1000:2000 box-tools "$@"
}
rm -rf "$kept"
tar -C "$tools" -c . | podman import -q -c 'CMD ["sh"]' - box-tools >/dev/null
podman_fetch /opt/kit/run ran
guards "kept: with podman as well" test "$(find "$kept" -type f 2>/dev/null | wc -l)" = 1
podman_fetch sh -c '/opt/kit/run ran; echo done'
guards "kept: and is hidden there" out_is "done"
podman rmi box-tools >/dev/null
docker rmi box-tools >/dev/null

# --- packages of rpm, in the three formats of its database ---
own_policy '"hidden-paths": {"packages": ["rpm-kit"]}'
install -D "$tools/bin/probe" "$tools/opt/rpm-kit/bin/run"
install -D "$tools/bin/probe" "$tools/opt/rpm-other/run"
databases=$E2E_DIR/../data/rpm
for database in var/lib/rpm/rpmdb.sqlite var/lib/rpm/Packages usr/lib/sysimage/rpm/Packages.db; do
  install -D -m 644 "$databases/${database##*/}" "$tools/$database"
  tar -C "$tools" -c . | docker import - box-rpm >/dev/null
  docker_run box-rpm /opt/rpm-kit/bin/run ran
  guards "rpm: a program of a package in ${database##*/} does not run" out_lacks ran
  docker_run box-rpm /opt/rpm-other/run ran
  holds "rpm: a program of another package in ${database##*/} does" out_is ran
  rm "$tools/$database"
  docker rmi box-rpm >/dev/null
done
head -c 20000 "$databases/Packages" >"$tools/var/lib/rpm/Packages"
tar -C "$tools" -c . | docker import - box-rpm >/dev/null
docker_run box-rpm /opt/rpm-other/run ran
holds "rpm: a container with a damaged database runs" out_is ran
guards "rpm: the log says that its packages are unknown" log_has own \
  '[.findings[]? | select(.rule == "hidden-paths" and .before == "/var/lib/rpm/Packages") | .why]
   == ["stays usable: it is a package database that cannot be read: a part of it is damaged"]'
unset RUNTIME
docker rmi box-rpm >/dev/null
own_policy ''

umount "$E2E_SRV/drift/below" "$E2E_SRV/drift-ro/below"
