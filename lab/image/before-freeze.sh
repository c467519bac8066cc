#!/bin/sh
# Runs as root just before the machine is frozen: everything that a test should not wait for, or stumble on.
set -eu

until docker info >/dev/null 2>&1; do sleep 1; done
docker run --rm bb true
# The first CPU quota patches the running kernel. Under software emulation that hung a machine for good, with both
# CPUs spinning; done here, a hang costs a second try of the freeze and no test.
systemd-run --quiet --wait -p CPUQuota=50% true
docker run --rm --cpus 1 --memory 64m --pids-limit 64 bb true
systemctl is-system-running --wait >/dev/null || systemctl --failed --no-legend >&2
sync
