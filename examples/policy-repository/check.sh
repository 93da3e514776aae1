#!/bin/sh
# Whether the policy is valid and does what cases.json says; for CI and before a commit.
set -eu
cd "$(dirname "$0")"
# Files of a checkout belong to whoever made it; on the hosts they have to be root's.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R policy.json images "$work"
chmod -R go-w "$work"
runcladctl policy lint "$work"
runcladctl policy test --config "$work" cases.json
