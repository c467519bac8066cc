/** The stand-ins of light hosts, run right here with a folder for /run/stand-ins: what was set must show afterwards. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { runSh, temporaryFolder } from "../../support/shell.ts";

let state: string;
beforeEach(() => {
  state = temporaryFolder();
  mkdirSync(join(state, "active"));
  for (const name of ["active/docker.service", "audit-rules", "calls"]) writeFileSync(join(state, name), "");
  writeFileSync(join(state, "audit-enabled"), "1\n");
  writeFileSync(join(state, "daemon.json"), "{}\n");
});

function call(tool: string, ...args: string[]): string {
  const text = readFileSync(`lab/hosts/root/usr/${tool}`, "utf8").replaceAll("/run/stand-ins", state).replaceAll("/sys/kernel/security", state);
  const words = args.map((arg) => `'${arg}'`).join(" ");
  return runSh(`set -- ${words}\n${text}`).toString();
}

it("note their calls", () => {
  call("sbin/auditctl", "-s");
  call("sbin/modprobe", "br_netfilter");
  expect(readFileSync(join(state, "calls"), "utf8")).toBe("auditctl -s\nmodprobe br_netfilter\n");
});

it("auditctl lists the rules that were loaded, once each, until they are taken out", () => {
  expect(call("sbin/auditctl", "-l")).toBe("No rules\n");
  writeFileSync(join(state, "rules"), "# a comment\n-w /etc/docker -p wa -k docker\n-a always,exit -F path=/usr/bin/runc -F perm=x\n");
  call("sbin/auditctl", "-R", join(state, "rules"));
  call("sbin/auditctl", "-R", join(state, "rules"));
  expect(call("sbin/auditctl", "-l")).toBe("-w /etc/docker -p wa -k docker\n-a always,exit -F path=/usr/bin/runc -F perm=x\n");
  call("sbin/auditctl", "-W", "/etc/docker", "-p", "wa", "-k", "docker");
  expect(call("sbin/auditctl", "-l")).toBe("-a always,exit -F path=/usr/bin/runc -F perm=x\n");
});

it("docker tells what dockerd has read", () => {
  expect(JSON.parse(call("bin/docker", "info", "--format", "{{json .}}"))).toMatchObject({ LoggingDriver: "json-file", LiveRestoreEnabled: false, DockerRootDir: "/var/lib/docker" });
  writeFileSync(join(state, "daemon.json"), JSON.stringify({ "icc": false, "live-restore": true, "log-driver": "syslog" }, undefined, 2));
  expect(JSON.parse(call("bin/docker", "info", "--format", "{{json .}}"))).toMatchObject({ LoggingDriver: "syslog", LiveRestoreEnabled: true });
  expect(call("bin/docker", "info", "--format", "{{.LiveRestoreEnabled}}")).toBe("true\n");
  expect(call("sbin/iptables", "-w", "5", "-t", "filter", "-S")).toContain("-A FORWARD -i docker0 -o docker0 -j DROP");
});

it("iptables keeps rules on top of FORWARD", () => {
  call("sbin/iptables", "-w", "10", "-I", "FORWARD", "-i", "docker0", "-j", "DROP");
  expect(call("sbin/iptables", "-w", "5", "-t", "filter", "-S")).toContain("-A FORWARD -i docker0 -j DROP\n-A FORWARD -o docker0 -j DOCKER");
  call("sbin/iptables", "-w", "10", "-D", "FORWARD", "-i", "docker0", "-j", "DROP");
  expect(call("sbin/iptables", "-w", "5", "-t", "filter", "-S")).not.toContain("-i docker0 -j DROP");
});

it("apparmor_parser shows what is loaded where the kernel does, until it is taken out", () => {
  const at = (path: string) => readFileSync(join(state, "apparmor", path), "utf8");
  mkdirSync(join(state, "apparmor", "policy", "profiles"), { recursive: true });
  writeFileSync(join(state, "apparmor", "profiles"), "docker-default (enforce)\n");
  const file = join(state, "drydock-web");
  writeFileSync(file, "# What a profile says.\nprofile drydock-web flags=(attach_disconnected) {\n  # its own profile\n}\n");
  expect(call("sbin/apparmor_parser", "-Q", "-K", file)).toBe("");
  expect(at("profiles")).toBe("docker-default (enforce)\n");
  for (let i = 0; i < 2; i++) call("sbin/apparmor_parser", "-r", "-K", file);
  expect(at("profiles")).toBe("docker-default (enforce)\ndrydock-web (enforce)\n");
  expect(at("policy/profiles/drydock-web.1/name")).toBe("drydock-web\n");
  const compiled = call("sbin/apparmor_parser", "-S", "-K", "-q", file);
  expect(at("policy/profiles/drydock-web.1/raw_data")).toBe(compiled);
  expect(at("policy/profiles/drydock-web.1/raw_sha1")).toBe(`${createHash("sha1").update(compiled).digest("hex")}\n`);
  writeFileSync(file, "profile drydock-web {}\n");
  call("sbin/apparmor_parser", "-R", "-K", "-q", file);
  expect(at("profiles")).toBe("docker-default (enforce)\n");
  expect(readdirSync(join(state, "apparmor", "policy", "profiles"))).toEqual([]);
  writeFileSync(file, "profile cut-off {\n");
  expect(() => call("sbin/apparmor_parser", "-Q", "-K", file)).toThrow(/no profile in/);
});

it("systemctl shows units as they were at the last daemon-reload", () => {
  call("bin/systemctl", "daemon-reload");
  writeFileSync(join(state, "units", "docker.service"), "Id='docker.service'\nTasksMax='it'\\''s'\nshown='Id=docker.service\n'\ncommand=''\n");
  expect(call("bin/systemctl", "show", "-p", "TasksMax", "--value", "docker.service")).toBe("it's\n");
  expect(call("bin/systemctl", "show", "-p", "Id,TasksMax", "docker.service", "a.mount")).toMatch(/^Id=docker.service\nActiveState=active\nSubState=running\nNeedDaemonReload=\w+\n\nId=a.mount\nLoadState=not-found\nActiveState=inactive\n/);
});

it("systemd-run runs the unit and gives back how it ended", () => {
  const log = join(state, "log");
  expect(call("bin/systemd-run", "--quiet", "--wait", "--unit=u", `--property=StandardOutput=file:${log}`, "sh", "-c", "echo done")).toBe("");
  expect(readFileSync(log, "utf8")).toBe("done\n");
});

it("systemd-run notes a timer as active, and lets it never fire", () => {
  const mark = join(state, "fired");
  call("bin/systemd-run", "--quiet", "--unit=guard", "--on-active=0", "touch", mark);
  expect(existsSync(mark)).toBe(false);
  expect(call("bin/systemctl", "is-active", "guard.timer")).toBe("active\n");
});

it.each([["bin/systemctl", "isolate"], ["bin/docker", "run"], ["sbin/auditctl", "-D"], ["sbin/apparmor_parser", "-a"], ["bin/systemd-run", "--on-calendar=daily"]])("%s refuses what it does not know: %s", (tool, verb) => {
  expect(() => call(tool, verb)).toThrow(/sh ended with 64: this stand-in for .* does not know: /);
});
