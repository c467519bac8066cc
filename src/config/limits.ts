/** What a stack file may say under `limits`: how much of the host containers, and all of them together, may use. */

import { z } from "zod";

import { count, setting, text, type Settled } from "./setting.ts";

const size = text("a size such as 512M, a share such as 50%, or infinity", /^(?:[1-9]\d*[KMGT]?|(?:100|[1-9]\d?)%|infinity)$/);
const tasks = z
  .union([z.number().int().min(1), z.string().regex(/^(?:(?:100|[1-9]\d?)%|infinity)$/)])
  .meta({ allowed: "a whole number from 1 on, a share such as 75%, or infinity" });
const files = z
  .union([z.number().int().min(1024), z.string().regex(/^(?:\d{4,10}:\d{4,10}|infinity)$/)])
  .meta({ allowed: 'a whole number from 1024 on, "soft:hard", or infinity' });
const manual = "systemd.resource-control(5)";

const total = z.strictObject({
  tasksMax: setting(tasks, { description: "Processes and threads of all containers together; a share is of what the kernel allows.", cost: "nothing", see: manual }),
  memoryMax: setting(size, { description: "Memory of all containers together; a share is of the host's.", cost: "nothing", see: manual }),
  memorySwapMax: setting(size, { description: "Swap of all containers together.", cost: "nothing", see: manual }),
  cpuQuota: setting(text("a share such as 350%", /^[1-9]\d{0,5}%$/), { description: "CPU time of all containers together; 100% is one CPU.", cost: "nothing", see: manual }),
  cpuWeight: setting(count(1, 10000), { description: "Share of CPU against system.slice, when both want it.", initially: "100", cost: "nothing", see: manual }),
  ioWeight: setting(count(1, 10000), { description: "Share of disk time against system.slice.", initially: "100", cost: "nothing", see: manual }),
}).meta({ allowed: "a table with tasksMax, memoryMax, memorySwapMax, cpuQuota, cpuWeight, ioWeight" });

const service = z.strictObject({
  nofile: setting(files, {
    description: "LimitNOFILE of the service, in open files. Containers without a limit of their own inherit containerd's.",
    initially: "what the unit says",
    cost: "restart",
    see: "systemd.exec(5)",
  }),
  oomScoreAdjust: setting(count(-1000, 1000), {
    description: "How willingly the kernel kills the service when memory is short; lower is later.",
    initially: "what the unit says",
    cost: "restart",
    see: "systemd.exec(5)",
  }),
});

export const limitsSchema = z
  .strictObject({
    tasksMax: setting(tasks, {
      description: "Processes and threads of each container, running ones too, unless it asks for a number of its own.",
      cost: "nothing",
      cis: "5.29",
      see: manual,
    }),
    memoryMax: setting(size, { description: "Memory of each container, running ones too, unless it asks for an amount of its own; a share is of the host's.", cost: "nothing", cis: "5.11", see: manual }),
    memorySwapMax: setting(size, { description: "Swap of each container, running ones too, unless it asks for an amount of its own.", cost: "nothing", see: manual }),
    total: setting(total, {
      description:
        "Puts new containers into drydock-containers.slice (daemon key cgroup-parent) and limits their sum. {} caps nothing, " +
        "null leaves containers in system.slice.",
      cost: "containers made again",
      see: "systemd.slice(5)",
    }),
    services: setting(
      z.strictObject({
        docker: setting(service, { description: "Drop-in of docker.service.", cost: "restart" }),
        containerd: setting(service, { description: "Drop-in of containerd.service.", cost: "restart" }),
      }),
      { description: "Limits of the services themselves.", cost: "restart" },
    ),
  })
  .meta({ allowed: "a table with tasksMax, memoryMax, memorySwapMax, total, services" });

export type LimitsSettings = Settled<z.infer<typeof limitsSchema>>;
