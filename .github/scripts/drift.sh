#!/bin/sh
# Looks at the hosts of STACK and leaves the report in all formats as REPORT/INDEX.*; its exit code goes to the output `code`, so that
# the report gets out whatever it says.
set -eu

mkdir -p "$REPORT"
code=0
# What hosts have to say may look like a command of the runner's: it takes none until it reads this word again.
word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$word"
npm run --silent drift -- "$STACK" \
  --output "$REPORT/$INDEX.md" --output "$REPORT/$INDEX.json" --output "$REPORT/$INDEX.html" \
  --output "$REPORT/$INDEX.sarif" --output "$REPORT/$INDEX.xml" || code=$?
echo "::$word::"
if [ -f "$REPORT/$INDEX.md" ]; then cat "$REPORT/$INDEX.md" >>"$GITHUB_STEP_SUMMARY"; fi
case $code in
  0 | 2 | 3 | 4) ;;
  *)
    echo "::error::npm run drift ended with exit code $code: what it said is above"
    code=1
    ;;
esac
echo "code=$code" >>"$GITHUB_OUTPUT"
