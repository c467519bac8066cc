import { describe, expect, it } from "vitest";
import type { HostInputs } from "../../src/desired/host-inputs.ts";
import { readPreview } from "../../src/rollback/preview.ts";
import { urnOf } from "../support/history.ts";
import { declared, wishFor } from "../support/wish.ts";

const wish = (level: string, files: Record<string, string> = {}): HostInputs => wishFor(declared({ daemon: { "log-level": level, icc: false }, files }));
const step = (op: string, name: string, before?: HostInputs, after?: HostInputs) => ({ resourcePreEvent: { metadata: { op, urn: urnOf(name), type: "drydock:index:Host", old: before ? { inputs: before } : null, new: after ? { inputs: after } : null } } });
const say = (severity: string, message: string, name?: string) => ({ diagnosticEvent: { ...(name ? { urn: urnOf(name) } : {}), message, color: "never", severity } });
const stream = (...events: object[]) => ["Previewing…", ...events.map((event) => JSON.stringify(event)), ""].join("\n");

describe("the preview of a rollback", () => {
  it("shows each host that would change, as diffs of what is there now, with its cost and what would be refused", () => {
    const { hosts, notes } = readPreview(
      stream(
        say("debug", "Registering resource"),
        step("refresh", "web1", wish("warn"), wish("error")),
        step("same", "web3", wish("warn"), wish("warn")),
        say("info", "web2: first update, this is what would change there\n", "web2"),
        step("create", "web2", undefined, wish("info")),
        say("info", "web1: what the update costs there: dockerd restarts (log-level)\n", "web1"),
        say("error", "web1: this would be refused: no\n", "web1"),
        step("update", "web1", wish("error", { "/etc/a": "1\n", "/etc/b": "1\n" }), wish("info", { "/etc/b": "2\n", "/etc/c": "3\n" })),
        say("warning", "web3: pending: a reboot\n", "web3"),
        say("error", "update failed\n"),
      ),
    );
    expect(hosts.map(({ name }) => name)).toEqual(["web1", "web2"]);
    expect(hosts[0]?.change).toMatchInlineSnapshot(`
      "--- /etc/docker/daemon.json
      +++ /etc/docker/daemon.json
      @@ -1,4 +1,4 @@
       {
         "icc": false,
      -  "log-level": "error"
      +  "log-level": "info"
       }
      --- /etc/a
      +++ /etc/a	removed
      @@ -1,1 +0,0 @@
      -1
      --- /etc/b
      +++ /etc/b
      @@ -1,1 +1,1 @@
      -1
      +2
      --- /etc/c	new file
      +++ /etc/c
      @@ -0,0 +1,1 @@
      +3"
    `);
    expect(hosts[0]?.said).toEqual([{ level: "info", text: "web1: what the update costs there: dockerd restarts (log-level)" }, { level: "error", text: "web1: this would be refused: no" }]);
    expect(hosts[1]).toEqual({ name: "web2", change: "", said: [{ level: "info", text: "web2: first update, this is what would change there" }] });
    expect(notes).toEqual(["web3: pending: a reboot", "update failed"]);
  });

  it("shows what is not in effect where the files are right, and that a host could not be read", () => {
    const [right, off] = [wish("info"), wish("info")];
    off.inEffect = { ...off.inEffect, services: { ...off.inEffect.services, "docker.service": "failed" }, daemon: { ...off.inEffect.daemon, icc: true } };
    off.reachable = "no: timed out";
    expect(readPreview(stream(step("update", "web1", off, right))).hosts[0]?.change).toBe(`reachable: no: timed out\ninEffect.services.docker.service: "failed" => "active"\ninEffect.daemon.icc: true => false`);
  });
});
