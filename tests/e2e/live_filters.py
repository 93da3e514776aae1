#!/usr/bin/env python3
"""live_filters.py PID: the bytes of each seccomp filter that the kernel holds for the process, the newest
first, in hexadecimal, one on each line (PTRACE_SECCOMP_GET_FILTER). Without what runc puts before libseccomp's
program, which answers ENOSYS to unknown numbers: its order differs from start to start of one container."""
import ctypes
import os
import sys

SEIZE, INTERRUPT, DETACH, GET_FILTER = 0x4206, 0x4207, 17, 0x420C
WALL = 0x40000000
BYTES_OF_INSTRUCTION = 8
LOAD_ARCHITECTURE = bytes([0x20, 0, 0, 0, 4, 0, 0, 0])  # how libseccomp's program begins
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_ulong, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, pid, address=0, data=None):
    result = libc.ptrace(request, pid, address, data)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


pid = int(sys.argv[1])
ptrace(SEIZE, pid)
ptrace(INTERRUPT, pid)
os.waitpid(pid, WALL)
count = 0
while True:
    try:
        length = ptrace(GET_FILTER, pid, count)
    except OSError:
        break
    program = ctypes.create_string_buffer(length * BYTES_OF_INSTRUCTION)
    ptrace(GET_FILTER, pid, count, ctypes.addressof(program))
    size = BYTES_OF_INSTRUCTION
    instructions = [program.raw[at * size : (at + 1) * size] for at in range(length)]
    first = length - 1 - instructions[::-1].index(LOAD_ARCHITECTURE)
    print(b"".join(instructions[first:]).hex())
    count += 1
ptrace(DETACH, pid)
sys.exit(0 if count > 0 else 1)
