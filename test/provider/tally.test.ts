import { beforeEach, expect, it } from "vitest";
import { Tally } from "../../src/provider/tally.ts";

let tally: Tally;
beforeEach(() => {
  tally = new Tally();
});

it("says what became of each host, by name", () => {
  for (const host of ["web10", "web2", "web1", "web3", "web4", "web5", "web6"]) tally.checked(host, true);
  tally.compared("web10", false);
  tally.became("web1", "changed");
  tally.became("web2", "changed");
  tally.became("web3", "failed");
  tally.became("web4", "unreachable");
  tally.became("web5", "refused");
  tally.waits("web10", true);
  tally.waits("web1", false);
  expect(tally.render()).toBe(`hosts: 2 changed, 1 unchanged, 1 failed, 1 unreachable, 1 refused, 1 not started, 1 pending
  changed: web1, web2
  unchanged: web10
  failed: web3
  unreachable: web4
  refused: web5
  not started: web6
  pending: web10`);
});

it("of a preview says which would change", () => {
  tally.checked("web1", true);
  tally.checked("web2", false);
  tally.compared("web2", true);
  tally.checked("web3", false);
  tally.compared("web3", false);
  expect(tally.render()).toBe("hosts: 2 to change, 1 unchanged\n  to change: web1, web2\n  unchanged: web3");
});

it("of a refresh says nothing: it compares hosts, and checks none", () => {
  tally.compared("web1", true);
  expect(tally.render()).toBeUndefined();
});

it("cuts the names of those nobody has to look after, and only theirs", () => {
  for (let i = 1; i <= 45; i++) {
    tally.checked(`web${i}`, true);
    tally.became(`web${i}`, i <= 22 ? "changed" : "failed");
  }
  const text = tally.render() ?? "";
  expect(text).toContain("web20, and 2 more\n");
  expect(text).toMatch(/failed: web23, .*, web45$/);
});

it("names the hosts that left the stack, and whether they could be reached for it", () => {
  tally.checked("web1", false);
  tally.left("web2", "removed");
  tally.left("web3", "unreachable");
  expect(tally.render()).toBe("hosts: 1 removed, 1 unchanged, 1 unreachable\n  removed: web2\n  unchanged: web1\n  unreachable: web3");
});

it("of a destroy says nothing: each host has said it itself", () => {
  tally.left("web1", "removed");
  expect(tally.render()).toBeUndefined();
});
