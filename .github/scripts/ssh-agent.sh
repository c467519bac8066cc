#!/bin/sh
# Gives the key of DRYDOCK_SSH_KEY to an agent for the steps that follow. It never touches the disk, and the agent ends with the job.
# Without a key the runner has its own way to the hosts.
set -eu

if [ -z "${DRYDOCK_SSH_KEY:-}" ]; then
  echo "No DRYDOCK_SSH_KEY: the runner's own keys are used."
  exit 0
fi
# The socket is shorter than the 108 bytes that the kernel allows, whatever RUNNER_TEMP is.
folder=$(mktemp -d /tmp/drydock-agent.XXXXXX)
eval "$(ssh-agent -a "$folder/socket")"
printf '%s\n' "$DRYDOCK_SSH_KEY" | ssh-add -
printf 'SSH_AUTH_SOCK=%s\nSSH_AGENT_PID=%s\n' "$SSH_AUTH_SOCK" "$SSH_AGENT_PID" >>"$GITHUB_ENV"
