/** Keys of daemon.json for images, volumes, builds and registries. */

import { z } from "zod";

import { anyText, count, flag, hostPath, listOf, setting, tableOf, text } from "../setting.ts";

const anyJson = z.json().meta({ allowed: "any value" });
const registry = text("a registry such as registry.example or registry.example:5000", /^[\w.:[\]/-]+$/);
// A password would stand in Pulumi's state and in daemon.json, which everybody on the host can read.
const proxy = text(
  "an http:// or https:// URL without user and password (docker.service can take those from an EnvironmentFile that only root reads)",
  /^https?:\/\/[^\s@]+$/,
);

export const storageKeys = {
  "data-root": setting(hostPath, {
    description: "Where images, containers and volumes are kept. What is in the old folder is not moved: it is hidden until you go back, and running containers are stopped first.",
    initially: "/var/lib/docker",
    cost: "restart",
    cis: "1.1.1",
  }),
  "exec-root": setting(hostPath, { description: "Run-time state of the daemon.", initially: "/var/run/docker", cost: "restart" }),
  "storage-driver": setting(text("the name of a storage driver", /^[a-z0-9-]+$/), {
    description: "How layers are stored. aufs is refused. Naming overlay2 on 29 turns the containerd image store off. Images and containers of another driver are hidden until you go back, and running containers are stopped first.",
    initially: "chosen by the engine",
    cost: "restart",
    cis: "2.6",
  }),
  "storage-opts": setting(listOf(text("an option name=value", /^[\w.-]+=.+$/), "options in the form name=value"), {
    description: "Options of the storage driver, e.g. overlay2.size=20G (XFS with pquota only).",
    cost: "restart",
    cis: "2.11",
  }),
  "registry-mirrors": setting(listOf(text("an http:// or https:// URL", /^https?:\/\/[^\s?#]+$/), "URLs"), { description: "Mirrors of Docker Hub.", initially: "[]", cost: "reload" }),
  "allow-nondistributable-artifacts": setting(listOf(registry, "registries"), {
    description: "Registries that layers marked as not distributable are pushed to; engines from 28.1 on ignore it.",
    cost: "restart",
  }),
  "max-concurrent-downloads": setting(count(1, 1000), { description: "Layers a pull fetches at a time.", initially: "3", cost: "reload" }),
  "max-concurrent-uploads": setting(count(1, 1000), { description: "Layers a push sends at a time.", initially: "5", cost: "reload" }),
  "max-download-attempts": setting(count(1, 1000), { description: "How often a layer is tried.", initially: "5", cost: "reload" }),
  "http-proxy": setting(proxy, { description: "Proxy for http.", cost: "restart", since: "23.0" }),
  "https-proxy": setting(proxy, { description: "Proxy for https.", cost: "restart", since: "23.0" }),
  "no-proxy": setting(anyText, { description: "Hosts the proxies are not for, separated by commas.", cost: "restart", since: "23.0" }),
  builder: setting(tableOf(anyJson, "the builder's settings: GC, Entitlements, History"), {
    description: "Build cache and entitlements of BuildKit.",
    cost: "restart",
    see: "https://docs.docker.com/build/cache/garbage-collection/",
  }),
  features: setting(tableOf(flag, "true or false by name"), {
    description: "Features on or off, e.g. containerd-snapshotter, cdi, buildkit. The first of these hides images and containers as another storage-driver does, and restarts dockerd.",
    initially: "{}",
    cost: "reload",
  }),
  "cdi-spec-dirs": setting(listOf(hostPath, "absolute paths"), { description: "Folders with CDI device descriptions.", initially: "/etc/cdi, /var/run/cdi", cost: "restart", since: "25.0" }),
} as const;
