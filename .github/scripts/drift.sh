#!/bin/sh
# Looks at the hosts of STACK and leaves the report in all formats as REPORT/INDEX.*; its exit code goes to the output `code`, so that
# the report gets out whatever it says.
set -eu

mkdir -p "$REPORT"
code=0
npm run --silent drift -- "$STACK" \
  --output "$REPORT/$INDEX.md" --output "$REPORT/$INDEX.json" --output "$REPORT/$INDEX.html" \
  --output "$REPORT/$INDEX.sarif" --output "$REPORT/$INDEX.xml" || code=$?
if [ -f "$REPORT/$INDEX.md" ]; then cat "$REPORT/$INDEX.md" >>"$GITHUB_STEP_SUMMARY"; fi
case $code in
  0 | 2 | 3 | 4) ;;
  *)
    echo "::error::npm run drift ended with exit code $code: what it said is above"
    code=1
    ;;
esac
echo "code=$code" >>"$GITHUB_OUTPUT"
