/** Keys of daemon.json for the daemon as a service: its life, its runtimes, containerd, swarm. */

import { z } from "zod";

import { anyText, count, flag, hostPath, listOf, setting, tableOf, text } from "../setting.ts";

const anyJson = z.json().meta({ allowed: "any value" });
const runtime = z.strictObject({
  path: setting(anyText, { description: "Binary of the runtime.", cost: "reload" }),
  runtimeArgs: setting(listOf(anyText, "arguments"), { description: "Arguments of the binary.", cost: "reload" }),
  runtimeType: setting(anyText, { description: "Name or path of a containerd shim, instead of a binary.", cost: "reload" }),
  options: setting(tableOf(anyJson, "options"), { description: "Options of the shim.", cost: "reload" }),
}).meta({ allowed: "a table { path, runtimeArgs } or { runtimeType, options }" });
const nri = z.strictObject({
  enable: setting(flag, { description: "Switch NRI on.", cost: "reload" }),
  "plugin-path": setting(hostPath, { description: "Folder of plugins.", cost: "reload" }),
  "plugin-config-path": setting(hostPath, { description: "Folder of their settings.", cost: "reload" }),
  "socket-path": setting(hostPath, { description: "Socket for plugins from outside.", cost: "reload" }),
});

export const serviceKeys = {
  "live-restore": setting(flag, {
    description: "Containers go on while the daemon is down. Drydock switches it on first, by reload. Excludes swarm mode.",
    initially: "false",
    cost: "reload",
    cis: "2.15",
    see: "https://docs.docker.com/engine/daemon/live-restore/",
  }),
  "shutdown-timeout": setting(count(-1, 86400), { description: "How long the daemon waits for containers when it ends, in seconds; -1 for ever.", initially: "15", cost: "reload" }),
  "default-stop-timeout": setting(count(0, 86400), { description: "How long docker stop waits, in seconds.", initially: "10", cost: "reload", since: "29.8" }),
  "default-shm-size": setting(text("a size such as 64M", /^\d+(?:\.\d+)?[bkmgtBKMGT]?(?:i?[bB])?$/), { description: "/dev/shm of new containers.", initially: "64M", cost: "reload" }),
  "default-runtime": setting(text("the name of a runtime", /^[A-Za-z0-9][\w.-]*$/), { description: "Runtime of new containers.", initially: "runc", cost: "reload" }),
  runtimes: setting(tableOf(runtime, "runtimes by name"), { description: "Runtimes beside runc. Those in the file that the stack file does not name stay.", cost: "reload" }),
  "exec-opts": setting(listOf(text("an option native.cgroupdriver=systemd or =cgroupfs", /^native\.cgroupdriver=(?:systemd|cgroupfs)$/), "options in the form name=value"), {
    description: "Cgroup driver. Drydock's limits need systemd, the default with cgroup v2.",
    initially: "systemd with cgroup v2, cgroupfs with v1",
    cost: "restart",
  }),
  init: setting(flag, { description: "Run an init in each container that does not choose.", initially: "false", cost: "restart" }),
  "init-path": setting(anyText, { description: "The docker-init binary.", initially: "docker-init", cost: "restart" }),
  labels: setting(listOf(text("a label key=value", /^[^=\s]+=.*$/), "labels in the form key=value"), { description: "Labels of the daemon.", initially: "[]", cost: "reload" }),
  "metrics-addr": setting(text("address:port", /^\S+:\d{1,5}$/), {
    description: "Where metrics are served, in clear and to everybody who can reach it.",
    initially: "not served",
    cost: "restart",
  }),
  pidfile: setting(hostPath, { description: "Where the daemon writes its pid.", initially: "/var/run/docker.pid", cost: "restart" }),
  containerd: setting(text("the path of a socket", /^(?:unix:\/\/)?\/\S+$/), { description: "containerd's socket. Conflicts with --containerd in docker.service.", cost: "restart" }),
  "containerd-namespace": setting(anyText, { description: "Namespace of containers in containerd.", initially: "moby", cost: "restart" }),
  "containerd-plugins-namespace": setting(anyText, { description: "Namespace of plugins in containerd.", initially: "plugins.moby", cost: "restart" }),
  "cri-containerd": setting(flag, { description: "Start containerd with its CRI plugin.", initially: "false", cost: "restart" }),
  "nri-opts": setting(nri, { description: "Node Resource Interface: plugins that may change every container.", cost: "reload", since: "29.2" }),
  "extension-dirs": setting(listOf(hostPath, "absolute paths"), { description: "Folders of daemon extensions.", cost: "restart", since: "29.8" }),
  "extension-config": setting(tableOf(tableOf(anyJson, "settings"), "settings by extension"), { description: "Settings of daemon extensions.", cost: "restart", since: "29.8" }),
  "min-api-version": setting(text("a version such as 1.44", /^1\.\d+$/), { description: "Oldest API version that is served.", initially: "1.44, from 29.3 on 1.40", cost: "restart", since: "29.0" }),
  "cpu-rt-period": setting(count(0), { description: "CPU real-time period, in microseconds; cgroup v1 only.", initially: "0", cost: "restart" }),
  "cpu-rt-runtime": setting(count(0), { description: "CPU real-time share of the period, in microseconds; cgroup v1 only.", initially: "0", cost: "restart" }),
  "node-generic-resources": setting(listOf(text("a resource name=value", /^[^=\s]+=[^=\s]+$/), "resources in the form name=value"), { description: "Resources for the swarm scheduler.", cost: "restart" }),
  "swarm-default-advertise-addr": setting(anyText, { description: "Address or interface a swarm node gives out.", cost: "restart" }),
  "api-cors-header": setting(anyText, { description: "CORS header of the API; a browser could then command the daemon.", cost: "restart", until: "28.0" }),
} as const;
