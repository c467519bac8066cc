import { expect, it } from "vitest";
import { renderUpdates, shownUpdates } from "../../src/rollback/updates-table.ts";
import { historyOf, type LeftHost } from "../support/history.ts";

const at = (level: string, more: Partial<LeftHost> = {}): LeftHost => ({ args: { daemon: { "log-level": level } }, ...more });

it("lists the updates, newest first, with what each changed and what it only saw", async () => {
  const history = historyOf(
    { update: { author: "Ann", commit: "974b3ef0501801c80bf4ea037a3f603c2c61b7dd" }, hosts: { web1: at("info"), web2: at("info") } },
    { update: { message: "a message that goes on for much longer than the column\n\nand says why", dirty: true, commit: "de39e80" }, hosts: { web1: at("warn"), web2: { args: { files: { "/etc/x": "x" } } } } },
    { update: { kind: "refresh" }, hosts: { web1: at("tampered", { asApplied: false }), web2: { args: { files: { "/etc/x": "x" } } } } },
    { update: { succeeded: false, partial: true }, hosts: { web2: { args: { files: { "/etc/x": "x" } } }, web3: at("info") } },
    { hosts: { web2: { args: { files: { "/etc/x": "x" } } }, web3: at("info") } },
  );
  expect(await renderUpdates(history)).toMatchInlineSnapshot(`
    "┌───┬──────────────────┬──────────────────┬─────┬──────────────────────────────────┬────────────────────────┬─────────────────────────┐
    │ n │ time (UTC)       │ commit           │ by  │ message                          │ changed on hosts       │ result                  │
    ├───┼──────────────────┼──────────────────┼─────┼──────────────────────────────────┼────────────────────────┼─────────────────────────┤
    │ 5 │ 2026-11-23 12:04 │                  │     │ number 5                         │ nothing                │ succeeded               │
    │ 4 │ 2026-11-23 12:03 │                  │     │ number 4                         │ 1 added; 1 removed     │ failed, some hosts only │
    │ 3 │ 2026-11-23 12:02 │                  │     │ number 3                         │ 1 seen otherwise       │ refresh, succeeded      │
    │ 2 │ 2026-11-23 12:01 │ de39e80 and more │     │ a message that goes on for much… │ 2 hosts: daemon, files │ succeeded               │
    │ 1 │ 2026-11-23 12:00 │ 974b3ef          │ Ann │ number 1                         │ 2 added                │ succeeded               │
    └───┴──────────────────┴──────────────────┴─────┴──────────────────────────────────┴────────────────────────┴─────────────────────────┘"
  `);
});

it("counts what was left for a host's window where it went through", async () => {
  const later = { asApplied: false, deferred: true };
  const history = historyOf(
    { hosts: { web1: at("info"), web2: at("info", later) } },
    { hosts: { web1: at("warn", later), web2: at("info", later) } },
    { hosts: { web1: at("warn"), web2: at("info") } },
  );
  const rows = (await renderUpdates(history)).split("\n").filter((line) => line.includes("number"));
  expect(rows.map((row) => row.split("│")[6]?.trim())).toEqual(["1 host: daemon; 1 added", "2 left for later", "1 added; 1 left for later"]);
});

it("leaves out the oldest when there are many", async () => {
  const history = historyOf(...Array.from({ length: shownUpdates + 3 }, () => ({ hosts: {} })));
  const table = await renderUpdates(history);
  expect(table).toMatch(/and 3 older ones$/);
  expect(table).toContain("number 4");
  expect(table).not.toContain("number 3 ");
});
