import { expect, it } from "vitest";
import { bareScript, job, jobArgs, jobFiles } from "../../../scripts/bench/job.ts";
import { runSh, temporaryFolder } from "../../support/shell.ts";

const hosts = [{ name: "light1", connection: { host: "10.77.0.1", port: 22, user: "root" as const, hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBl0LuLnjpC1oeOfnhMGaqX+S1shj5PCH9P5WaimjC0l", identityFile: "/key" } }];

it("writes every file that the page says stands for the peers'", () => {
  const args = jobArgs(hosts);
  expect(jobFiles.filter((path) => !(path in args.files) && path !== "/etc/docker/daemon.json")).toEqual([]);
  expect(Object.keys(args.files).filter((path) => !jobFiles.includes(path))).toEqual([]);
});

it("has a line for each part of the peers' job", () => {
  expect(job.map(({ peers }) => peers)).toEqual(["daemon.json", "one audit rules file", "two AppArmor profiles", "limits.d", "a docker drop-in", "sysctl.d"]);
});

it("as a bare script changes a host once", () => {
  const root = temporaryFolder();
  const here = (step: "first" | "no-op" | "check") => bareScript(jobArgs(hosts), step).replaceAll(/(?<=[ >])\/(etc|run)\b/g, `${root}/$1`);
  const stubs = `mkdir -p ${root}/run; systemctl() { echo "systemctl $*"; }; modprobe() { :; }; augenrules() { :; }; apparmor_parser() { :; };`;
  expect(runSh(`${stubs}\n${here("first")}`).toString()).toBe("systemctl daemon-reload\nsystemctl restart docker.service\n");
  expect(runSh(`${stubs}\n${here("no-op")}`).toString()).toBe("");
  expect(runSh(`${stubs}\necho more >>${root}/etc/docker/daemon.json\n${here("check")}`).toString()).toBe(`${root}/etc/docker/daemon.json\n`);
});
