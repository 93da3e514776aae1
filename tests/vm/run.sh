#!/bin/bash
# The end-to-end tests on another kernel: Debian's own, which has what this machine's may lack (AF_ALG,
# SysRq, AppArmor, a cgroup v2 and no v1). It boots in an emulator over this machine's files, which it
# cannot change.
#
#   tests/vm/run.sh                        tests/vm/kernel.sh, with runclad and (--prove) without
#   tests/vm/run.sh [--prove] TOPIC…       as tests/e2e/run.sh, on this kernel
#
# The last line is `N passed, N failed`. Installs nothing but the packages below; the kernel is only
# downloaded. Emulated: about ten times slower than the machine.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=packaging/packages.sh
. packaging/packages.sh
install_missing qemu-system-x86 cpio busybox-static apparmor || exit 1
# The modules that init loads, each after those that it needs.
MODULES="netfs fscache 9pnet virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci
  9pnet_virtio 9p overlay af_alg algif_hash vsock"
WORK=$(mktemp -d) || exit 1
trap 'rm -rf "$WORK"' EXIT

die() {
  printf 'vm: %s\n' "$1" >&2
  exit 1
}

kernel_package() { apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-/ {print $2}'; }
fetch_kernel() {
  [ -n "$(kernel_package)" ] || apt-get update -q >/dev/null
  # apt would give its own user the download, which may not write here.
  (cd "$WORK" && apt-get -o APT::Sandbox::User=root download -q "$(kernel_package)" >/dev/null) ||
    die "Debian's kernel cannot be downloaded"
  dpkg-deb -x "$WORK"/linux-image-*.deb "$WORK/kernel" || die "Debian's kernel cannot be unpacked"
}

make_initramfs() {
  local root=$WORK/initramfs module file
  mkdir -p "$root"/{bin,modules,proc,sys,dev,lower,write,new}
  cp "$(command -v busybox)" "$root/bin/busybox"
  for module in $MODULES; do
    file=$(find "$WORK/kernel/lib/modules" -name "$module.ko")
    [ -n "$file" ] || die "Debian's kernel has no module $module"
    cp "$file" "$root/modules"
  done
  sed "s|@MODULES@|$(tr '\n' ' ' <<<"$MODULES")|" tests/vm/init >"$root/init"
  chmod 755 "$root/init"
  (cd "$root" && find . | cpio --quiet -o -H newc) >"$WORK/initramfs.cpio"
}

boot() {  # COMMAND for the shell of the guest
  timeout -k 5 "${VM_SECONDS:-600}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 3072 \
    -nodefaults -no-reboot -display none -serial stdio \
    -kernel "$WORK"/kernel/boot/vmlinuz-* -initrd "$WORK/initramfs.cpio" \
    -virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
    -append "console=ttyS0 quiet panic=-1 -- $(printf '%s' "$1" | base64 -w 0)" \
    </dev/null
}

export RUNCLAD_E2E_RUNTIME=${RUNCLAD_E2E_RUNTIME:-$PWD/build/release/runclad}
[ -x "$RUNCLAD_E2E_RUNTIME" ] ||
  die "there is no runtime at $RUNCLAD_E2E_RUNTIME: build it, or name one with RUNCLAD_E2E_RUNTIME"
fetch_kernel
make_initramfs
e2e="cd $PWD; export RUNCLAD_E2E_RUNTIME=$RUNCLAD_E2E_RUNTIME; tests/e2e/run.sh"
runs=1
if [ $# -eq 0 ]; then
  runs=2
  set -- "tests/vm/kernel.sh; $e2e --prove tests/vm/kernel.sh"
fi
boot "$e2e $*" | tr -d '\r' | tee "$WORK/log"
# A guest that broke off has printed fewer summaries.
awk -v runs=$runs '$2 == "passed," && $4 == "failed" {passed += $1; failed += $3; summaries++}
  END {printf "%d passed, %d failed\n", passed, failed; exit failed || summaries != runs}' "$WORK/log"
