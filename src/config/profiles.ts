/** The two profiles: the layer below everything a stack file says. Why each value is as it is: docs/decisions/0011-profiles.md. */

import type { Layer } from "./layer.ts";

export const profileNames = ["baseline", "strict"] as const;
export type ProfileName = (typeof profileNames)[number];

/** What cannot break a workload that runs today. */
const baseline: Layer = {
  daemon: {
    "insecure-registries": [],
    "iptables": true,
    "live-restore": true,
    "log-level": "info",
  },
  audit: { enabled: true, perm: "rwxa", dataPerm: "wa", abi32: true },
  // The slice caps nothing: containers are only counted together, and a cap set later holds for those that run.
  limits: { total: {} },
};

const strict: Layer = {
  daemon: {
    "default-cgroupns-mode": "private",
    "default-ulimits": {
      core: { Name: "core", Soft: 0, Hard: 0 },
      nofile: { Name: "nofile", Soft: 1024, Hard: 65536 },
    },
    "icc": false,
    "insecure-registries": [],
    "iptables": true,
    "live-restore": true,
    "log-driver": "syslog",
    "log-level": "info",
    "log-opts": {
      // A local socket: with tcp a collector that is down keeps containers from starting.
      "syslog-address": "unixgram:///dev/log",
      "syslog-facility": "daemon",
      "tag": "docker/{{.Name}}",
      // A logger that is stuck must not stop the application.
      "mode": "non-blocking",
      "max-buffer-size": "4m",
    },
    "no-new-privileges": true,
    "userland-proxy": false,
    "userns-remap": "dockremap",
  },
  audit: { enabled: true, perm: "rwxa", dataPerm: "wa", abi32: true },
  limits: {
    tasksMax: 512,
    memoryMax: "50%",
    total: { tasksMax: "75%", memoryMax: "85%" },
    services: {
      docker: { nofile: 1048576, oomScoreAdjust: -500 },
      // Containers inherit the soft limit of containerd: a large one makes programs loop over every possible file.
      containerd: { nofile: "1024:1048576", oomScoreAdjust: -999 },
    },
  },
  // Loaded and ready; no container gets it unless somebody asks for it.
  apparmor: { container: true },
};

export const profiles: Readonly<Record<ProfileName, Layer>> = { baseline, strict };
