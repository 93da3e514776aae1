#!/bin/bash
# Writes what is generated from the catalogue, with the runcladctl that is given or that of the
# release build: the policy's schemas, runclad-rules(7), a page for each rule, the checks of doctor. Tests
# compare them.
set -euo pipefail
cd "$(dirname "$0")/.."
RUNCLADCTL=${1:-build/release/runcladctl}
[ -x "$RUNCLADCTL" ] || { echo "generate.sh: there is no $RUNCLADCTL: build it, or name another" >&2; exit 1; }
for kind in policy image shared; do
  "$RUNCLADCTL" policy schema "$kind" >"profiles/schema/$kind.schema.json"
done
"$RUNCLADCTL" rules --man >packaging/man/runclad-rules.7
mkdir -p packaging/doc/rules
rm -f packaging/doc/rules/*.md
{
  printf '<!-- Generated from the catalogue by packaging/generate.sh. -->\n# Rules\n\n'
  printf '| rule | what it does | restricted | baseline | build |\n|---|---|---|---|---|\n'
  "$RUNCLADCTL" rules --json | jq -r '.[] | "| [\(.id)](\(.id).md) | \(.title) | " +
    "\(.profiles.restricted) | \(.profiles.baseline) | \(.profiles.build) |"'
} >packaging/doc/rules/README.md
for rule in $("$RUNCLADCTL" rules --json | jq -r '.[].id'); do
  "$RUNCLADCTL" explain --markdown "$rule" >"packaging/doc/rules/$rule.md"
done
# shellcheck disable=SC2016  # backquotes of Markdown
{
  printf '<!-- Generated from the catalogue of checks by packaging/generate.sh. -->\n# What `runcladctl doctor` checks\n\n'
  printf 'Each finding comes with the command that fixes it. `runcladctl doctor --only CHECK` makes a single check.\n\n'
  printf '| check | what is expected |\n|---|---|\n'
  "$RUNCLADCTL" doctor --list --json | jq -r '.[] | "| `\(.id)` | \(.expected) |"'
} >packaging/doc/checks.md
