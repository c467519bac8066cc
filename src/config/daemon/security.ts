/** Keys of daemon.json that decide what a container may do to the host and who may command the daemon. */

import { anyText, count, flag, hostPath, listOf, oneOf, setting, tableOf, text } from "../setting.ts";
import { z } from "zod";

const ulimit = z.strictObject({
  Name: setting(anyText, { description: "Name of the limit; the key says it already.", cost: "restart" }),
  Soft: setting(count(-1), { description: "Limit a process starts with.", cost: "restart" }),
  Hard: setting(count(-1), { description: "Limit a process may raise itself to.", cost: "restart" }),
}).meta({ allowed: "a table { Name, Soft, Hard }" });

const listener = text("unix://, fd:// or tcp://address:port", /^(?:unix:\/\/\/\S+|fd:\/\/\S*|tcp:\/\/\S+)$/);

export const securityKeys = {
  "userns-remap": setting(text("default, or the name of a user, or user:group", /^(?!\d+(?::|$))[A-Za-z0-9_][\w.-]*(?::[A-Za-z0-9_][\w.-]*)?$/), {
    description:
      "Root in a container is this user's first subordinate uid on the host. Images, containers and volumes made before are " +
      "hidden, not lost (another data root), and running containers are stopped first.",
    initially: "no remapping",
    cost: "containers made again",
    cis: "2.9",
    see: "https://docs.docker.com/engine/security/userns-remap/",
  }),
  "no-new-privileges": setting(flag, {
    description: "New containers can't gain privileges by setuid binaries; `--security-opt` of one container overrides it.",
    initially: "false",
    cost: "containers made again",
    cis: "2.14",
  }),
  "seccomp-profile": setting(text("builtin, or an absolute path on the host", /^(?:builtin|unconfined|\/.*)$/), {
    description: "Default seccomp profile of new containers.",
    initially: "builtin",
    cost: "containers made again",
    cis: "2.17",
    see: "https://docs.docker.com/engine/security/seccomp/",
  }),
  "apparmor-profile": setting(hostPath, {
    description: "Template from which the daemon makes the profile docker-default.",
    initially: "the template inside the engine",
    cost: "restart",
    since: "29.8",
    see: "https://docs.docker.com/engine/security/apparmor/",
  }),
  "selinux-enabled": setting(flag, { description: "Label containers for SELinux.", initially: "false", cost: "containers made again" }),
  "default-cgroupns-mode": setting(oneOf(["private", "host"]), {
    description: "Cgroup namespace of new containers; private hides the host's cgroup tree from them.",
    initially: "private with cgroup v2, host with v1",
    cost: "reload",
  }),
  "default-ipc-mode": setting(oneOf(["private", "shareable"]), {
    description: "IPC namespace of new containers; shareable lets other containers join it.",
    initially: "private",
    cost: "reload",
  }),
  "default-ulimits": setting(tableOf(ulimit, "limits by name, as { nofile: { Name: nofile, Soft: 1024, Hard: 65536 } }"), {
    description: "Resource limits of containers that set none, merged when a container starts.",
    initially: "those of containerd.service",
    cost: "restart",
    cis: "2.8",
    see: "getrlimit(2)",
  }),
  "cgroup-parent": setting(text("the name of a systemd slice, ending in .slice", /^[A-Za-z0-9][\w:-]*\.slice$/), {
    description: "Slice that new containers are put in. Set to drydock-containers.slice when `limits.total` is.",
    initially: "system.slice",
    cost: "containers made again",
    cis: "2.10",
    see: "systemd.slice(5)",
  }),
  "authorization-plugins": setting(listOf(anyText, "plugin names"), {
    description:
      "Plugins that allow or refuse each call of the API. The only way to stop members of the group docker from becoming root. " +
      "A plugin that is missing ends the daemon on reload.",
    initially: "none",
    cost: "reload",
    cis: "2.12",
  }),
  hosts: setting(listOf(listener, "sockets such as unix:///run/docker.sock or tcp://192.0.2.10:2376"), {
    description: "Where the daemon listens. tcp:// needs tlsverify and its three files. Conflicts with -H in docker.service.",
    initially: "what docker.service says, fd://",
    cost: "restart",
    cis: "2.7",
    see: "https://docs.docker.com/engine/security/protect-access/",
  }),
  group: setting(text("a group name", /^[A-Za-z0-9_][\w.-]*$/), {
    description: "Group of docker.sock. Its members are root on the host.",
    initially: "docker",
    cost: "restart",
    cis: "1.1.2",
  }),
  tls: setting(flag, { description: "TLS without checking clients; tlsverify implies it.", initially: "false", cost: "restart", cis: "2.7" }),
  tlsverify: setting(flag, { description: "TLS, and only clients with a certificate of tlscacert.", initially: "false", cost: "restart", cis: "2.7" }),
  tlscacert: setting(hostPath, { description: "CA of the clients, by its path on the host.", cost: "restart", cis: "2.7" }),
  tlscert: setting(hostPath, { description: "Certificate of the daemon, by its path on the host.", cost: "restart", cis: "2.7" }),
  tlskey: setting(hostPath, { description: "Key of the daemon, by its path on the host; it is checked, never carried.", cost: "restart", cis: "2.7" }),
  "insecure-registries": setting(listOf(anyText, "registries"), {
    description: "Registries that may be spoken to without TLS or with any certificate.",
    initially: "[]",
    cost: "reload",
    cis: "2.5",
  }),
  experimental: setting(flag, { description: "Features that may change or vanish.", initially: "false", cost: "restart", cis: "2.18" }),
  rootless: setting(flag, { description: "Set by RootlessKit; Drydock does not harden rootless daemons.", initially: "false", cost: "restart" }),
} as const;
