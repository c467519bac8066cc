import { describe, expect, it } from "vitest";
import { containersLimitInEffect, liftedLimits, overNewLimits, ownHigherLimits } from "../../src/effect/container-limits.ts";
import type { Container, Observation } from "../../src/observed/observation.ts";
import { known, unknown } from "../../src/observed/records.ts";
import { container, defaultHost } from "../support/observation.ts";

const gib = 1024 ** 3;
const wished = { "docker-.scope TasksMax": "512", "docker-.scope MemoryMax": "50%", "docker.service OOMScoreAdjust": "-500", "drydock-containers.slice TasksMax": "75%" };
const scope = (name: string): string => `docker-${container(name).id}.scope`;

/** A host with 2 GiB and one container with these cgroup files. */
const host = (web: Container, files: Record<string, string>): Observation => defaultHost({ memory: known(2 * gib), containers: known([web]), cgroups: { [`docker-${web.id}.scope`]: files } });

describe("a container", () => {
  it.each<[string, Partial<Container>, Record<string, string>, { tasks: string; memory: string; lifted: string[]; pending: string[] }]>([
    ["has the wished limits", {}, { "pids.max": "512", "memory.max": String(gib) }, { tasks: "512", memory: "50%", lifted: [], pending: [] }],
    ["has a lower limit of its own, which is as good", { pidsLimit: 100, memory: 64 * 1024 ** 2 }, { "pids.max": "100", "memory.max": "67108864" }, { tasks: "512", memory: "50%", lifted: [], pending: [] }],
    // Pending is not drift for ever: no apply could mend it.
    ["has a higher limit of its own, which it keeps until it is made again", { pidsLimit: 4096, memory: 1.5 * gib }, { "pids.max": "4096", "memory.max": String(1.5 * gib) }, { tasks: "512", memory: "50%", lifted: [], pending: ["TasksMax 4096", "MemoryMax 1610612736"] }],
    ["was lifted by somebody", {}, { "pids.max": "max", "memory.max": "max" }, { tasks: "max", memory: "max", lifted: ["pids.max=512", "memory.max=1073741824"], pending: [] }],
    // What a daemon-reload did with the drop-in named 50-.
    ["was lifted from its own lower limit to ours", { pidsLimit: 100, memory: 64 * 1024 ** 2 }, { "pids.max": "512", "memory.max": "1037312000" }, { tasks: "512", memory: "1037312000", lifted: ["pids.max=100", "memory.max=67108864"], pending: [] }],
    ["was lifted above its own higher limit", { pidsLimit: 4096 }, { "pids.max": "max", "memory.max": String(gib) }, { tasks: "max", memory: "50%", lifted: ["pids.max=4096"], pending: ["TasksMax 4096"] }],
    ["was lowered by somebody, which is as good", {}, { "pids.max": "10", "memory.max": "4096" }, { tasks: "512", memory: "50%", lifted: [], pending: [] }],
    ["says none by -1", { pidsLimit: -1 }, { "pids.max": "512", "memory.max": String(gib) }, { tasks: "512", memory: "50%", lifted: [], pending: [] }],
  ])("that %s", (_, own, files, { tasks, memory, lifted, pending }) => {
    const web = container("web", own);
    const observation = host(web, files);
    expect(containersLimitInEffect("TasksMax", "512", observation)).toBe(tasks);
    expect(containersLimitInEffect("MemoryMax", "50%", observation)).toBe(memory);
    expect(liftedLimits(wished, observation)).toEqual(lifted.map((text) => ({ scope: scope("web"), file: text.split("=")[0], value: text.split("=")[1] })));
    expect(ownHigherLimits(wished, web, observation)).toEqual(pending);
  });

  it.each<[string, Partial<Container>, string, { swap: string; lifted: string[]; pending: string[] }]>([
    // Docker gives it that with --memory alone.
    ["the swap that came with its memory", { memory: 64 * 1024 ** 2, memorySwap: 128 * 1024 ** 2 }, "67108864", { swap: "0", lifted: [], pending: ["MemorySwapMax 67108864"] }],
    ["swap without a limit", { memorySwap: -1 }, "max", { swap: "0", lifted: [], pending: ["MemorySwapMax infinity"] }],
    ["no swap by its own wish", { memory: 64 * 1024 ** 2, memorySwap: 64 * 1024 ** 2 }, "0", { swap: "0", lifted: [], pending: [] }],
    ["swap that it never asked for", {}, "max", { swap: "max", lifted: ["0"], pending: [] }],
  ])("that has %s", (_, own, value, { swap, lifted, pending }) => {
    const web = container("web", own);
    const noSwap = { "docker-.scope MemorySwapMax": "0" };
    const observation = host(web, { "memory.swap.max": value });
    expect(containersLimitInEffect("MemorySwapMax", "0", observation)).toBe(swap);
    expect(liftedLimits(noSwap, observation).map((limit) => limit.value)).toEqual(lifted);
    expect(ownHigherLimits(noSwap, web, observation)).toEqual(pending);
  });

  it("whose wished limit is infinity is told `max`, as the kernel has it", () => {
    const observation = host(container("web", { pidsLimit: 100 }), { "pids.max": "512" });
    expect(liftedLimits({ "docker-.scope TasksMax": "infinity" }, observation)).toEqual([{ scope: scope("web"), file: "pids.max", value: "100" }]);
    expect(liftedLimits({ "docker-.scope TasksMax": "infinity" }, host(container("web"), { "pids.max": "512" }))).toEqual([]);
  });

  it("that is stopped, or that nobody can list, is not judged", () => {
    expect(liftedLimits(wished, host(container("web", { running: false }), { "pids.max": "max" }))).toEqual([]);
    expect(liftedLimits(wished, { ...host(container("web"), { "pids.max": "max" }), containers: unknown("dockerd is stopped") })).toEqual([]);
  });

  it("is not judged by a share of what is not known", () => {
    const observation = { ...host(container("web"), { "memory.max": "max" }), memory: unknown("no") };
    expect(liftedLimits(wished, observation)).toEqual([]);
    expect(ownHigherLimits(wished, container("web", { memory: gib }), observation)).toEqual([]);
  });
});

describe("a container that uses more than a new limit leaves it", () => {
  it.each<[string, Partial<Container>, Record<string, string>, string[]]>([
    ["processes", {}, { "pids.max": "max", "pids.current": "600" }, ["web uses 600 processes, and TasksMax=512 leaves it 512"]],
    ["memory", {}, { "memory.max": "max", "memory.current": String(1.25 * gib) }, ["web uses 1342177280 bytes, and MemoryMax=50% leaves it 1073741824"]],
    ["neither", {}, { "pids.current": "512", "memory.current": String(gib) }, []],
    ["no more than it asked for itself", { pidsLimit: 4096 }, { "pids.current": "600" }, []],
    ["what nobody could read", {}, { "pids.max": "max" }, []],
  ])("%s", (_, own, files, texts) => {
    expect(overNewLimits(wished, host(container("web", own), files))).toEqual(texts);
  });

  it("or all of them together, than one for their sum", () => {
    const all = { ...defaultHost(), tasks: known(1000), cgroups: { "drydock-containers.slice": { "pids.current": "800", "memory.current": String(3 * gib) } } };
    const sum = (key: string, value: string): string[] => overNewLimits({ [`drydock-containers.slice ${key}`]: value }, all);
    expect(sum("MemoryMax", "2G")).toEqual(["drydock-containers.slice, with all containers in it, uses 3221225472 bytes, and MemoryMax=2G leaves it 2147483648"]);
    expect(sum("TasksMax", "75%")).toEqual(["drydock-containers.slice, with all containers in it, uses 800 processes, and TasksMax=75% leaves it 750"]);
    expect(sum("TasksMax", "80%")).toEqual([]);
  });
});
