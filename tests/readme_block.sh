# shellcheck shell=bash
# README.md's blocks, for the tests that run them; tests/readme_blocks.py sees to it that each has one.

# The text of the one block whose first line begins with BEGINNING, without what is at all its lines' begin.
readme_block() {  # BEGINNING
  python3 "$(dirname "${BASH_SOURCE[0]}")/readme_blocks.py" "$1"
}

# What is typed of a console's block, and the comments that a shell ignores left out.
commands_of_block() { readme_block "$1" | sed -n 's/^# //p'; }
