import { describe, expect, it } from "vitest";
import { limitInEffect, limitsWished } from "../../src/effect/limits.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { container, defaultHost } from "../support/observation.ts";

describe("the limits that files ask for", () => {
  it("are named by unit and property", () => {
    expect(
      limitsWished({
        "/etc/systemd/system/docker.service.d/50-drydock.conf": "# Written by Drydock.\n[Service]\nLimitNOFILE=1048576\nOOMScoreAdjust=-500\n",
        "/etc/systemd/system/docker-.scope.d/10-drydock.conf": "[Scope]\nMemoryMax=4G\n",
        "/etc/systemd/system/drydock-containers.slice": "[Unit]\nDescription=Docker containers\n\n[Slice]\nTasksMax=75%\nCPUWeight=500\n",
        "/etc/docker/daemon.json": "TasksMax=1\n",
        "/etc/systemd/system/docker.service.d/readme.txt": "TasksMax=1\n",
      }),
    ).toEqual({ "docker.service LimitNOFILE": "1048576", "docker.service OOMScoreAdjust": "-500", "docker-.scope MemoryMax": "4G", "drydock-containers.slice TasksMax": "75%" });
  });
});

describe("a limit of the slice", () => {
  const gib = 1024 ** 3;
  const onHost = { memory: known(16 * gib), tasks: known(32_768) };
  const slice = (file: string, value: string): Observation => defaultHost({ ...onHost, cgroups: { "drydock-containers.slice": { [file]: value } } });

  it.each([
    ["TasksMax", "4096", "pids.max", "4096", "4096"],
    ["TasksMax", "4096", "pids.max", "4095", "4095"],
    ["TasksMax", "4096", "pids.max", "4099", "4099"],
    ["TasksMax", "4096", "pids.max", "max", "max"],
    ["TasksMax", "75%", "pids.max", "24576", "75%"],
    ["TasksMax", "75%", "pids.max", "16384", "16384"],
    ["TasksMax", "infinity", "pids.max", "max", "infinity"],
    ["TasksMax", "infinity", "pids.max", "512", "512"],
    ["MemoryMax", "4G", "memory.max", String(4 * gib), "4G"],
    ["MemoryMax", "4G", "memory.max", String(5 * gib), String(5 * gib)],
    ["MemoryMax", "512M", "memory.max", "536870912", "512M"],
    ["MemoryMax", "64K", "memory.max", "65536", "64K"],
    ["MemoryMax", "1T", "memory.max", String(1024 * gib), "1T"],
    ["MemoryMax", "1.5G", "memory.max", String(1.5 * gib), "1.5G"],
    ["MemoryMax", "1000000", "memory.max", "999424", "1000000"],
    ["MemoryMax", "50%", "memory.max", String(8 * gib), "50%"],
    ["MemoryMax", "50%", "memory.max", String(8 * gib - 4096), "50%"],
    ["MemoryMax", "50%", "memory.max", String(9 * gib), String(9 * gib)],
    ["MemoryMax", "infinity", "memory.max", "max", "infinity"],
    ["MemoryMax", "infinity", "memory.max", String(4 * gib), String(4 * gib)],
    ["MemorySwapMax", "0", "memory.swap.max", "0", "0"],
    ["MemorySwapMax", "0", "memory.swap.max", "max", "max"],
  ])("%s=%s with %s at %s shows as %s", (key, wished, file, value, shown) => {
    expect(limitInEffect(`drydock-containers.slice ${key}`, wished, slice(file, value))).toBe(shown);
  });

  it("that is a share of what is not known shows as it is", () => {
    expect(limitInEffect("drydock-containers.slice MemoryMax", "50%", { ...slice("memory.max", "123"), memory: unknown("no") })).toBe("123");
  });

  it("is nothing to ask for before there is a slice", () => {
    expect(limitInEffect("drydock-containers.slice TasksMax", "75%", defaultHost())).toBeUndefined();
  });
});

describe("a limit of each container", () => {
  const [web, db, old] = [container("web"), container("db"), container("old", { running: false })] as const;
  const scopes = (limits: Record<string, Record<string, string>>, containers = [web, db, old]): Observation =>
    defaultHost({ containers: known(containers), cgroups: Object.fromEntries(Object.entries(limits).map(([id, files]) => [`docker-${id}.scope`, files])) });

  it.each([
    ["holds for all", { [web.id]: { "pids.max": "512" }, [db.id]: { "pids.max": "512" } }, "512"],
    ["may be lower by the container's own wish", { [web.id]: { "pids.max": "100" }, [db.id]: { "pids.max": "512" } }, "512"],
    ["is missed by one of them", { [web.id]: { "pids.max": "512" }, [db.id]: { "pids.max": "max" } }, "max"],
    ["of a scope without a running container is nobody's", { [web.id]: { "pids.max": "512" }, [old.id]: { "pids.max": "max" } }, "512"],
    ["of one container that can't be read hides no other", { [web.id]: {}, [db.id]: { "pids.max": "max" } }, "max"],
  ])("%s", (_, limits, shown) => {
    expect(limitInEffect("docker-.scope TasksMax", "512", scopes(limits as Record<string, Record<string, string>>))).toBe(shown);
  });

  it.each([
    ["no container runs", scopes({ [old.id]: { "pids.max": "max" } }, [old])],
    ["nobody knows which ones run", { ...scopes({ [web.id]: { "pids.max": "max" } }), containers: unknown("dockerd is stopped") }],
  ])("is nothing to ask for when %s", (_, observation) => {
    expect(limitInEffect("docker-.scope TasksMax", "512", observation)).toBeUndefined();
  });
});

describe("a limit of a service", () => {
  it.each([
    ["docker.service LimitNOFILE", "1048576"],
    ["docker.service OOMScoreAdjust", "-500"],
    ["containerd.service LimitNOFILE", undefined],
  ])("%s is what the process has: %s", (name, value) => {
    expect(limitInEffect(name, "1", defaultHost())).toBe(value);
  });

  const withOpenFiles = (openFiles: string, openFilesMax: Observation["openFilesMax"] = known(1_048_576)): Observation => {
    const { docker } = defaultHost().processes;
    return defaultHost({ openFilesMax, processes: docker ? { docker: { ...docker, openFiles } } : {} });
  };

  it.each([
    ["infinity", withOpenFiles("1048576"), "infinity"],
    ["1024:infinity", withOpenFiles("1024:1048576"), "1024:infinity"],
    ["infinity", withOpenFiles("524288"), "524288"],
    // Another host, another number.
    ["infinity", withOpenFiles("1073741816", known(1_073_741_816)), "infinity"],
    ["infinity", withOpenFiles("1048576", unknown("no")), "1048576"],
  ])("LimitNOFILE=%s is as many as fs.nr_open allows, and not for ever drift", (wished, observation, shown) => {
    expect(limitInEffect("docker.service LimitNOFILE", wished, observation)).toBe(shown);
  });

  it.each([
    ["1024:4096", "4096", "1024:4096"],
    ["1024:4096", "4095:4096", "1024:4096"],
    ["1024:infinity", "1048575:1048576", "1024:infinity"],
    ["1024:4096", "2048:4096", "2048:4096"],
    ["4096", "1024:4096", "1024:4096"],
  ])("LimitNOFILE=%s of a program that Go has raised to %s is %s", (wished, openFiles, shown) => {
    expect(limitInEffect("docker.service LimitNOFILE", wished, withOpenFiles(openFiles))).toBe(shown);
  });
});
