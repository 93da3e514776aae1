#!/usr/bin/env python3
"""Does what `runcladctl why` says, as somebody who copies it: saves the file of the image that its text shows, at
the path that it names.

    runcladctl why CONTAINER | follow_why.py

Prints the path. Status 1 if there is nothing to save.
"""

import os
import re
import sys

text = sys.stdin.read()
# "save this … as PATH:", which may go on behind a line's end, and the block of four spaces below it
match = re.search(r"[Ss]ave\s+this\b[^{]*?\s(/\S+\.json)[.:][^{]*?\n    \{\n(.*?)\n    \}\n", text, re.DOTALL)
if not match:
    sys.exit(1)
path, lines = match.groups()
os.makedirs(os.path.dirname(path), exist_ok=True)
with open(path, "w", encoding="utf-8") as file:
    file.write("{\n" + lines + "\n}\n")
print(path)
