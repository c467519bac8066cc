/** What somebody might do to a hardened host: three deeds, one for each place where a setting can be lost. */

export interface Tampering {
  /** Where: what a scanner that looks only elsewhere would miss. */
  place: "on disk" | "in the kernel" | "in the running daemon";
  what: string;
  /** POSIX sh, run as root. */
  script: string;
}

export const tamperings: Tampering[] = [
  {
    place: "in the running daemon",
    what: "live-restore is switched off by a reload, and daemon.json put back as it was: the file looks right",
    script: `cp -p /etc/docker/daemon.json /etc/docker/daemon.json.saved
sed -i 's/"live-restore": true/"live-restore": false/' /etc/docker/daemon.json
systemctl reload docker
for i in $(seq 60); do [ "$(docker info --format '{{.LiveRestoreEnabled}}')" = false ] && break; sleep 0.5; done
mv /etc/docker/daemon.json.saved /etc/docker/daemon.json`,
  },
  {
    place: "on disk",
    what: 'daemon.json gets "userland-proxy": true: nothing happens now, everything at the next restart',
    script: `sed -i 's/"userland-proxy": false/"userland-proxy": true/' /etc/docker/daemon.json`,
  },
  {
    place: "in the kernel",
    what: "the audit rules for /etc/docker are deleted: no file changed, and nobody is recorded any more",
    script: `auditctl -l | grep -E '(dir=|path=|-w )/etc/docker( |$)' | sed 's/^-a/-d/; s/^-w/-W/' | while IFS= read -r rule; do
  # shellcheck disable=SC2086 # the rule's words
  auditctl $rule
done`,
  },
];
