# Compiles for arm64 on Debian with another architecture: g++-aarch64-linux-gnu, the libraries of dpkg's foreign
# architecture arm64, and qemu-user for the programs that the build itself runs, and for its tests. The root that
# packaging/release.sh makes has them all.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
# The C library is linked from its own package, which Debian keeps patched. The cross compiler's copy, which would be
# found first, is as old as the cross compiler.
set(CMAKE_EXE_LINKER_FLAGS_INIT -B/usr/lib/aarch64-linux-gnu/)
# By its path, without the kernel's binfmt_misc.
set(CMAKE_CROSSCOMPILING_EMULATOR /usr/bin/qemu-aarch64-static)
