import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { readFleet } from "../../src/config/fleet.ts";
import { renderHost } from "../../src/desired/render-host.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-templates-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const daemonJson = "etc/docker/daemon.json.hbs";
const rules = "etc/audit/rules.d/50-drydock.rules.hbs";
const slice = "etc/systemd/system/drydock-containers.slice.hbs";
const apparmor = "etc/apparmor.d/drydock-container.hbs";
const declared = "etc/apparmor.d/drydock-{name}.hbs";
const seccomp = "etc/docker/drydock-seccomp.json.hbs";
const modules = "etc/modules-load.d/drydock.conf.hbs";

const denyBpf = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["bpf"], action: "SCMP_ACT_ERRNO" }] };

function render(file: string, text: string) {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
  const settings = readFleet({ profile: "strict", hosts: { web1: { connection: { host: "192.0.2.10" }, apparmor: { profiles: { web: {} } }, ...(file === seccomp ? { seccomp: denyBpf } : {}) } } }).hosts.get("web1");
  if (!settings) throw new Error("no host");
  return renderHost(settings, { templates: folder, host: "web1" });
}

describe("a template of the user's own", () => {
  it("takes the place of Drydock's", () => {
    const { files } = render(slice, "[Slice]\nTasksMax={{containers.TasksMax}}\n");
    expect(files["/etc/systemd/system/drydock-containers.slice"]).toBe("[Slice]\nTasksMax=75%\n");
    expect(files["/etc/modules-load.d/drydock.conf"]).toContain("br_netfilter");
  });

  it("may add keys to daemon.json", () => {
    const { daemon } = render(daemonJson, '{ "icc": {{daemon.icc}}, "mtu": 1400, "cgroup-parent": "drydock-containers.slice" }');
    expect(daemon).toEqual({ "cgroup-parent": "drydock-containers.slice", icc: false, mtu: 1400 });
  });

  it.each<[string, string, string, string]>([
    ["asks for what is not there", slice, "[Slice]\nTasksMax={{nothing}}\n", `web1: FOLDER/${slice}, line 2: "nothing" is not defined`],
    ["is no Handlebars", slice, "{{#each}\n", `web1: FOLDER/${slice}, line 1: no Handlebars: {{#each}`],
    ["renders no JSON", daemonJson, '{\n "icc": nope }\n', `web1: FOLDER/${daemonJson}, line 2 of what it renders: no JSON: Unexpected token`],
    ["renders JSON that ends too soon", daemonJson, '{\n "icc": false,\n', `web1: FOLDER/${daemonJson}, line 3 of what it renders: no JSON: it ends too soon`],
    ["renders a list", daemonJson, "[]", `web1: FOLDER/${daemonJson}, line 1 of what it renders: not a table of keys`],
    ["renders a misspelled key", daemonJson, '{\n "iccc": false }\n', `web1: FOLDER/${daemonJson}, line 2 of what it renders: iccc: unknown setting; did you mean "icc"?`],
    ["renders a wrong value", daemonJson, '{\n\n "icc": "no" }\n', `web1: FOLDER/${daemonJson}, line 3 of what it renders: icc: "no" is not allowed; allowed: true or false`],
    ["renders null", daemonJson, '{ "icc": null }\n', `web1: FOLDER/${daemonJson}, line 1 of what it renders: icc: null is not allowed`],
    ["renders keys that contradict", daemonJson, '{ "icc": false, "iptables": false, "cgroup-parent": "drydock-containers.slice" }', `web1: FOLDER/${daemonJson}: icc: false needs iptables: true, the daemon would not start`],
    ["renders another audit command", rules, "# fine\n-D\n", `web1: FOLDER/${rules}, line 2 of what it renders: "-D" is no rule; allowed: `],
    ["renders a rule with another key", rules, "-a always,exit -F arch=b64 -F path=/x -F perm=wa -F key=other\n", `web1: FOLDER/${rules}, line 1 of what it renders: `],
    ["renders no last line end", rules, "# a\n# b", `web1: FOLDER/${rules}, line 2 of what it renders: the last line does not end`],
    ["renders another section", slice, "[Slice]\n[Service]\n", `web1: FOLDER/${slice}, line 2 of what it renders: "[Service]" is no section; allowed: Unit, Slice, Install`],
    ["renders a directive before a section", slice, "TasksMax=1\n", `web1: FOLDER/${slice}, line 1 of what it renders: "TasksMax=1" stands before the first section`],
    ["renders a continued line", slice, "[Slice]\nTasksMax=1 \\\nMemoryMax=1\n", `web1: FOLDER/${slice}, line 2 of what it renders: "TasksMax=1 \\\\" is no line Directive=value`],
    ["renders a carriage return", slice, "[Slice]\r\n", `web1: FOLDER/${slice}, line 1 of what it renders: a control character`],
    ["renders no module", modules, "br netfilter; id\n", `web1: FOLDER/${modules}, line 1 of what it renders: "br netfilter; id" is no name of a module`],
    ["renders a profile in complain mode", apparmor, "# mine\nprofile drydock-container flags=(complain) {\n}\n", `web1: FOLDER/${apparmor}, line 2 of what it renders: the flag "complain" is not allowed; allowed: `],
    ["renders a profile under another name", apparmor, "profile docker-default {\n}\n", `web1: FOLDER/${apparmor}, line 1 of what it renders: the profile is called "docker-default", and must be drydock-container as the file is`],
    ["renders no profile for each name", declared, "profile web {\n}\n", `web1: FOLDER/${declared}, line 1 of what it renders: the profile is called "web", and must be drydock-web as the file is`],
    ["renders a seccomp profile that filters nothing", seccomp, '{ "defaultAction": "SCMP_ACT_ALLOW" }\n', `web1: FOLDER/${seccomp}, line 1 of what it renders: defaultAction: SCMP_ACT_ALLOW with no rule that refuses something filters nothing`],
    ["renders a call that nobody knows", seccomp, '{ "defaultAction": "SCMP_ACT_ALLOW",\n "syscalls": [{ "names": ["mkdirs"], "action": "SCMP_ACT_ERRNO" }] }\n', `web1: FOLDER/${seccomp}, line 2 of what it renders: syscalls[0].names[0]: "mkdirs" is not allowed; allowed: the name of a system call; did you mean "mkdir"?`],
    ["renders no JSON for seccomp", seccomp, "{\n nope }\n", `web1: FOLDER/${seccomp}, line 2 of what it renders: no JSON: `],
    ["has a misspelled name", "etc/docker/deamon.json.hbs", "{}", `FOLDER/etc/docker/deamon.json.hbs: no file of Drydock's; did you mean "${daemonJson}"?`],
  ])("is refused when it %s", (_, file, text, message) => {
    let said = "";
    try {
      render(file, text);
    } catch (error) {
      said = error instanceof Error ? `${error.name} ${error.message}` : "";
    }
    expect(said.replaceAll(folder, "FOLDER").replaceAll("\n", "↵")).toContain(`TemplateError ${message}`);
  });

  it("must be in a folder that is there", () => {
    const settings = readFleet({ hosts: { web1: { connection: { host: "192.0.2.10" } } } }).hosts.get("web1");
    expect(() => settings && renderHost(settings, { templates: join(folder, "none") })).toThrow("none: no such folder (drydock:templates)");
  });
});
