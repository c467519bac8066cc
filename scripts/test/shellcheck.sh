#!/bin/sh
# Runs shellcheck over every shell script of the project, tracked or about to be.
set -eu

cd "$(dirname "$0")/../.."
git ls-files -z --cached --others --exclude-standard -- '*.sh' .ci/run | xargs -0 --no-run-if-empty shellcheck
