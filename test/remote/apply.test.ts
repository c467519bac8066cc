import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { applyPlan, forgetOwner, parseTransactionOutput, removeOldData, restoreOriginal, transactionProgram, transactionScript, writeOwner } from "../../src/remote/apply.ts";
import { volumeFiles } from "../../src/desired/volumes.ts";
import { known } from "../../src/observed/records.ts";
import { onPath, ownRuntimeFolder } from "../support/fake-ssh.ts";
import { FakeRoot } from "../support/fake-root.ts";
import { container, defaultHost } from "../support/observation.ts";
import { emptyPlan, noDocker } from "../support/plan.ts";
import { runSh, sh, temporaryFolder } from "../support/shell.ts";

const connection = { host: "192.0.2.10", port: 22 };
const owner = { stack: "drydock/test", host: "web1" };

afterEach(() => void vi.unstubAllEnvs());

describe("the script of a transaction", () => {
  it.each(["apply", "restore"] as const)("to %s is one that sh takes", (command) => {
    const script = transactionScript(command, { settings: "A=1\n", writes: "", "files/1": "text\nEOF\n'\"$(id)" }, owner);
    expect(() => execFileSync(sh, ["-n"], { input: script })).not.toThrow();
  });

  it("carries any content to its file as it is", () => {
    const contents = ["", "\n", "EOF\n", "no newline", "'\"`$(id)\\\n", "é\u{1F433}\n", "x".repeat(100_000)];
    const folder = temporaryFolder();
    const script = transactionScript("apply", Object.fromEntries(contents.map((text, i) => [`files/${i + 1}`, text])), owner);
    const sending = script.slice(0, script.lastIndexOf("job=$!")).replace(/^systemd-run .*\n/m, "").replaceAll("/var/lib/drydock", folder).replace(/^if ! flock.*$/m, "");
    runSh(sending);
    expect(contents.map((_, i) => readFileSync(join(folder, `transaction/files/${i + 1}`), "utf8"))).toEqual(contents);
    expect(readFileSync(join(folder, "transaction/transaction.sh"), "utf8")).toBe(transactionProgram.replaceAll("/var/lib/drydock", folder));
  });
});

describe("what a transaction printed", () => {
  it.each([
    ["installing /etc/a\nstatus 0\n", { outcome: "done", log: ["installing /etc/a"] }],
    ["refused: why\nstatus 20\n", { outcome: "refused", log: ["refused: why"] }],
    ["status 21\n", { outcome: "went back", log: [] }],
    ["left\nstatus 22\n", { outcome: "broken", log: ["left"] }],
    ["taking back\nstatus 24\n", { outcome: "unfinished", log: ["taking back"] }],
    ["installing /etc/a\nstatus 25\n", { outcome: "cut off", log: ["installing /etc/a"] }],
    // Lists end with a blank, and a last line may lack its end.
    ["read: /etc/a \n\nstatus 20\n", { outcome: "refused", log: ["read: /etc/a"] }],
    ["owned\nstack a\nhost b\n", { outcome: "refused", log: ["kept by somebody else meanwhile: stack a, host b"] }],
    ["busy\nstack a\nhost b\n", { outcome: "busy", log: ["stack a", "host b"] }],
    // Anything else is no success, whatever it is.
    ["sh: 12: parameter not set\nstatus 1\n", { outcome: "broken", log: ["sh: 12: parameter not set", "status 1", "unexpected end of the transaction: status 1"] }],
    ["status 200\n", { outcome: "broken", log: ["status 200", "unexpected end of the transaction: status 200"] }],
    // The program's own lines come before it: a status that is not the last line is none.
    ["status 0\ninstalling /etc/a\n", { outcome: "broken", log: ["status 0", "installing /etc/a", "unexpected end of the transaction: installing /etc/a"] }],
    ["", { outcome: "broken", log: ["unexpected end of the transaction: "] }],
  ])("%j", (text, result) => {
    expect(parseTransactionOutput(text)).toEqual(result);
  });
});

describe("what is sent", () => {
  /** The files of the stage, as the host would get them. */
  const staged = (...args: Parameters<typeof applyPlan>): Promise<(name: string) => string> => sent(() => applyPlan(...args));

  async function sent(send: () => Promise<unknown>): Promise<(name: string) => string> {
    ownRuntimeFolder();
    const folder = onPath({ ssh: 'cat >"$(dirname "$0")/script"; echo "status 0"' });
    await send();
    const writes = readFileSync(join(folder, "script"), "utf8").split(/^(?=printf %s )/m).slice(1);
    return (name) => {
      const write = writes.find((text) => text.includes(` >/var/lib/drydock/transaction/${name}\n`));
      if (write === undefined) throw new Error(`no ${name} in the script`);
      return runSh(write.slice(0, write.indexOf(` >/var/lib/drydock/transaction/${name}\n`))).toString();
    };
  }

  it("names the containers that stop, and those that must still run after", async () => {
    const [web, db, old] = [container("web"), container("db"), container("old", { running: false })] as const;
    const observation = defaultHost({ containers: known([web, db, old]) });
    const file = await staged(connection, emptyPlan({ docker: { ...noDocker, how: "restart", stop: [web.id] } }), observation, owner);
    expect(file("stop")).toBe(`${web.id} web\n`);
    expect(file("survivors")).toBe(`${db.id} db\n`);
  });

  it("expects no container to survive in a store that is switched away", async () => {
    const observation = defaultHost({ containers: known([container("web")]) });
    const file = await staged(connection, emptyPlan({ docker: { ...noDocker, how: "restart", switchesStore: true } }), observation, owner);
    expect(file("survivors")).toBe("");
  });

  it("asks the ports that a container publishes over TCP, and of a range only as many as take no time", async () => {
    const binding = (port: number) => [{ HostIp: "0.0.0.0", HostPort: String(port) }, { HostIp: "::", HostPort: String(port) }];
    const web = container("web", { ports: { "80/tcp": binding(8080), "53/udp": binding(53), "81/tcp": null } });
    const media = container("media", { ports: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`${10_000 + i}/tcp`, binding(10_000 + i)])) });
    const file = await staged(connection, emptyPlan({ docker: { ...noDocker, how: "restart" } }), defaultHost({ containers: known([web, media]) }), owner);
    expect(file("ports").trim().split("\n")).toEqual(["web 127.0.0.1 8080", ...Array.from({ length: 16 }, (_, i) => `media 127.0.0.1 ${10_000 + i}`)]);
  });

  it("tells who applies, and who restores the originals", async () => {
    const [signature, begun] = [["by ops@desk", "commit 1a2b3c"], "2026-11-30T12:00:00.000Z"];
    const told = "stack drydock/test\nhost web1\nconfiguration -\nby ops@desk\ncommit 1a2b3c\nsince 2";
    expect((await staged(connection, emptyPlan(), defaultHost(), owner, { begun, signature }))("by")).toBe(`${told}026-11-30T12:00:00.000Z\n`);
    expect((await sent(() => restoreOriginal(connection, emptyPlan(), defaultHost(), owner, { signature })))("by")).toContain(told);
  });

  it("names every path that is wished, and the limits of containers, as the host reads them", async () => {
    const plan = emptyPlan({ declared: ["/etc/docker", "/etc/docker/daemon.json"], scopeLimits: [{ scope: "docker-1.scope", file: "pids.max", value: "512" }] });
    const file = await staged(connection, plan, defaultHost(), owner);
    expect(file("declared")).toBe("/etc/docker\n/etc/docker/daemon.json\n");
    expect(file("scope-limits")).toBe("docker-1.scope pids.max 512\n");
  });

  it("has the engine check the new daemon.json with the unit's own flags", async () => {
    const write = { text: "{}", owner: "root", group: "root", mode: "0644" };
    const plan = emptyPlan({ writes: [{ path: "/etc/a", ...write }, { path: "/etc/docker/daemon.json", ...write }], validateWith: ["/usr/bin/dockerd", "-H", "fd://"] });
    const file = await staged(connection, plan, defaultHost(), owner);
    expect(file("validate")).toBe("exec /usr/bin/dockerd --validate --config-file /var/lib/drydock/transaction/files/2 -H fd://\n");
  });

  it("has it checked without the user of userns-remap where he is made by the same change: the engine would look him up", async () => {
    const daemonJson = { path: "/etc/docker/daemon.json", text: '{"icc":false,"userns-remap":"dockremap"}\n', owner: "root", group: "root", mode: "0644" };
    const plan = emptyPlan({ writes: [daemonJson], validateWith: ["/usr/bin/dockerd"], subordinateIds: { user: "dockremap", createUser: true, uids: ["dockremap:100000:65536"], gids: [] } });
    const file = await staged(connection, plan, defaultHost(), owner);
    expect(file("validate")).toBe("exec /usr/bin/dockerd --validate --config-file /var/lib/drydock/transaction/validate.json\n");
    expect(file("validate.json")).toBe('{"icc":false}');
    expect(file("files/1")).toBe(daemonJson.text);
  });

  it("names each volume in one line, and the files that stay with it", async () => {
    const plan = emptyPlan({ volumes: [{ how: "move", mountPoint: "/var/lib/containerd", unit: "var-lib-containerd.mount", device: "/dev/vg0/c", filesystem: "xfs", options: "nodev,pquota", uuid: "0f3c", label: "drydock-ctrd", format: true, bytes: 5 }] });
    const file = await staged(connection, plan, defaultHost(), owner);
    expect(file("volumes")).toBe("move /var/lib/containerd var-lib-containerd.mount /dev/vg0/c xfs nodev,pquota 0f3c drydock-ctrd yes 5\n");
    expect(file("volume-files").split("\n")).toEqual([...volumeFiles, ""]);
    expect(file("settings")).toContain("STOP_CONTAINERD=yes\n");
  });

  it("may take as long as there is to copy or to remove, also when nobody knows how much that is", async () => {
    for (const bytes of [10 ** 12, 10 ** 15, Number.NaN]) {
      ownRuntimeFolder();
      onPath({ ssh: 'cat >/dev/null; echo "the old data are removed"; echo "status 0"' });
      expect(await removeOldData(connection, defaultHost({ oldData: [{ name: "docker", bytes, where: "aside" }] }), owner)).toEqual({ outcome: "done", log: ["the old data are removed"] });
    }
  });

  it("is told line by line while it runs", async () => {
    ownRuntimeFolder();
    onPath({ ssh: 'cat >/dev/null; echo "copying"; echo "copied"; echo "status 0"' });
    const lines: string[] = [];
    await applyPlan(connection, emptyPlan(), defaultHost(), owner, { onLine: (line) => void lines.push(line) });
    expect(lines).toEqual(["copying", "copied"]);
  });

  it("is nothing that the shell there could take for a command", async () => {
    const rule = "-a always,exit -F path=/etc/$(reboot) -F perm=wa -F key=docker";
    await expect(staged(connection, emptyPlan({ audit: { enable: false, add: [rule], remove: [], compile: false } }), defaultHost(), owner)).rejects.toThrow(`not an audit rule of plain words: ${rule}`);
  });
});

describe("the owner of a host", () => {
  it("is written without a transaction where nothing has to change, and taken away again", async () => {
    const host = new FakeRoot();
    await writeOwner(connection, { stack: "drydock/it's", host: "web 1" });
    expect(host.read("/var/lib/drydock/owner")).toBe("stack drydock/it's\nhost web 1\n");
    await forgetOwner(connection);
    expect(host.exists("/var/lib/drydock/owner")).toBe(false);
  });

  it("is not overwritten when another stack was faster", async () => {
    const host = new FakeRoot();
    await writeOwner(connection, { stack: "drydock/first", host: "web1" });
    await expect(writeOwner(connection, owner)).rejects.toThrow("taking ownership");
    expect(host.read("/var/lib/drydock/owner")).toBe("stack drydock/first\nhost web1\n");
  });
});
