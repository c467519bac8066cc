import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { isQemuRunning, kernelArguments, qemuArguments, type QemuOptions } from "../../lab/qemu.ts";

const OPTIONS: QemuOptions = {
  folder: "/run/lab", kernel: "/image/vmlinuz", initrd: "/image/initrd.img", port: 22_001, memory: 2048, cpus: 2, accelerator: "tcg",
  rootDisk: { path: "/run/lab/root.qcow2", format: "qcow2" },
  dataDisk: { path: "/run/lab/data.qcow2", format: "qcow2" },
};

function devices(args: string[]): string[] {
  return args.filter((_, index) => args[index - 1] === "-device");
}

it("offers sshd on the loopback address only", () => {
  expect(qemuArguments(OPTIONS)).toContain("user,id=net,hostfwd=tcp:127.0.0.1:22001-:22");
});

it("boots with AppArmor and audit", () => {
  const args = qemuArguments(OPTIONS);
  expect(args[args.indexOf("-append") + 1]).toContain("apparmor=1 security=apparmor audit=1");
});

it("puts programs at the same addresses in each process where they are translated, and only there", () => {
  expect(kernelArguments("tcg").split(" ")).toContain("norandmaps");
  expect(kernelArguments("kvm").split(" ")).not.toContain("norandmaps");
});

it("has the same devices for a machine that boots, is frozen or resumes", () => {
  const memoryFile = { path: "/frozen/ram", shared: true };
  const booted = devices(qemuArguments(OPTIONS));
  expect(devices(qemuArguments({ ...OPTIONS, memoryFile }))).toEqual(booted);
  expect(devices(qemuArguments({ ...OPTIONS, memoryFile: { ...memoryFile, shared: false }, incoming: true }))).toEqual(booted);
});

it("never writes to the memory of the frozen machine when it resumes", () => {
  const args = qemuArguments({ ...OPTIONS, memoryFile: { path: "/frozen/ram", shared: false }, incoming: true });
  expect(args).toContain("memory-backend-file,id=ram,size=2048M,mem-path=/frozen/ram,share=off");
});

it("does not take another process for the QEMU of a folder", () => {
  expect(isQemuRunning(process.pid, process.cwd())).toBe(false);
  expect(isQemuRunning(0, mkdtempSync(join(tmpdir(), "drydock-")))).toBe(false);
});
