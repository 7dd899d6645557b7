#!/bin/sh
# Let the packaged QEMU do what it sends events for, and check them; keep the recordings and a report for each scenario.
set -eu
exec /opt/qmpcheck/bin/qmpcheck gate --qemu /usr/bin/qemu-system-x86_64 --save "$TMT_TEST_DATA/recordings" \
  --report "junit=$TMT_TEST_DATA/qmpcheck.xml"
