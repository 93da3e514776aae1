#!/bin/sh
# Whether the policy is valid and does what cases.json says; for CI and before a commit.
set -eu
cd "$(dirname "$0")"
runcladctl policy lint --ci .
runcladctl policy test --config . cases.json
