#!/bin/bash
# The report's page in a real browser: a part of tests/run.sh --long. Chromium is large, so nothing else
# installs it. Pages and screenshots stay in build/report.
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=packaging/packages.sh
. packaging/packages.sh

# shellcheck disable=SC2086  # a list of words
install_missing $PACKAGES_BROWSER || exit 1
cmake --preset release -B build/report-page -DRUNCLAD_TESTS=ON >/dev/null &&
  cmake --build build/report-page -t report_tests >/dev/null || exit 1
rm -rf build/report && mkdir -p build/report || exit 1
RUNCLAD_REPORT_SAMPLES=$PWD/build/report build/report-page/tests/report_tests \
  --gtest_filter='*WritesSamples*' >/dev/null || exit 1
exec python3 tests/report/browser.py build/report
