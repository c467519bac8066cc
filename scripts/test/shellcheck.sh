#!/bin/sh
# Runs shellcheck over every shell script of the project, tracked or about to be.
set -eu

cd "$(dirname "$0")/../.."
git ls-files -z --cached --others --exclude-standard -- '*.sh' .ci/run lab/hosts/root/usr/bin lab/hosts/root/usr/sbin lab/hosts/root/usr/lib/systemd/systemd | xargs -0 --no-run-if-empty shellcheck
