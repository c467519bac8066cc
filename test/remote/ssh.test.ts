import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Connection } from "../../src/config/connection.ts";
import { describe as name, explainFailure, RemoteScriptError, runAsRoot, sshArguments, UnreachableError } from "../../src/remote/ssh.ts";
import { localSsh, onPath, ownRuntimeFolder } from "../support/fake-ssh.ts";
import { temporaryFolder } from "../support/shell.ts";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBl0LuLnjpC1oeOfnhMGaqX+S1shj5PCH9P5WaimjC0l";
const otherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICTK9GFWlKPpKgOeTJxbC9bvduxl4CQuDCRo2RwMBsQD";
const connection: Connection = { host: "192.0.2.10", port: 22, user: "ops", hostKey };

beforeEach(() => void ownRuntimeFolder());
afterEach(() => void vi.unstubAllEnvs());

/** The value of the last `-o NAME=…`, as ssh would take the first one: so there must be one only. */
function option(args: string[], wanted: string): string | undefined {
  const found = args.flatMap((argument, i) => (args[i - 1] === "-o" && argument.startsWith(`${wanted}=`) ? [argument.slice(wanted.length + 1)] : []));
  expect(found.length, wanted).toBeLessThan(2);
  return found[0];
}

describe("the arguments of ssh", () => {
  it("never trust a host on first use, and never ask", () => {
    const args = sshArguments({ host: "web1", port: 22 }, false);
    expect(option(args, "StrictHostKeyChecking")).toBe("yes");
    expect(option(args, "BatchMode")).toBe("yes");
    expect(option(args, "UserKnownHostsFile")).toBeUndefined();
  });

  it("look for a pinned key in a file that holds nothing else and is ours alone", () => {
    const args = sshArguments(connection, false);
    const file = option(args, "UserKnownHostsFile") ?? "";
    expect(readFileSync(file, "utf8")).toBe(`drydock-pinned ${hostKey}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(option(args, "HostKeyAlias")).toBe("drydock-pinned");
    expect(option(args, "GlobalKnownHostsFile")).toBe("none");
  });

  it("put the host behind --, so that nothing in it is an option", () => {
    expect(sshArguments({ host: "-oProxyCommand=id", port: 22, user: "-oProxyCommand=id" }, false).slice(-2)).toEqual(["--", "-oProxyCommand=id"]);
    const args = sshArguments({ host: "web1", port: 22, user: "-oProxyCommand=id" }, false);
    expect(args[args.indexOf("-oProxyCommand=id") - 1]).toBe("-l");
  });

  it("expand ~ in a key's path, and offer no other key then", () => {
    const args = sshArguments({ ...connection, identityFile: "~/.ssh/id" }, false);
    expect(args[args.indexOf("-i") + 1]).toBe(join(homedir(), ".ssh/id"));
    expect(option(args, "IdentitiesOnly")).toBe("yes");
    expect(option(sshArguments(connection, false), "IdentitiesOnly")).toBeUndefined();
  });

  it("share one connection, or none for a confirmation", () => {
    expect(option(sshArguments(connection, false), "ControlMaster")).toBe("auto");
    expect(option(sshArguments(connection, true), "ControlMaster")).toBe("no");
    expect(option(sshArguments(connection, true), "ControlPath")).toBe("none");
  });

  it.each<[string, Partial<Connection>]>([
    ["host", { host: "192.0.2.11" }],
    ["port", { port: 2222 }],
    ["user", { user: "root" }],
    ["hostKey", { hostKey: otherKey }],
    ["identityFile", { identityFile: "~/.ssh/other" }],
    ["connectTimeout", { connectTimeout: 3 }],
    ["proxy", { proxy: { host: "bastion", port: 22 } }],
  ])("do not ride on an older connection when %s changed", (_, change) => {
    const before = option(sshArguments(connection, false), "ControlPath");
    expect(option(sshArguments({ ...connection, ...change }, false), "ControlPath")).not.toBe(before);
    expect(option(sshArguments(connection, false), "ControlPath")).toBe(before);
  });

  it("are refused when somebody else made the folder for sockets", () => {
    const folder = ownRuntimeFolder();
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, join(folder, `drydock-${userInfo().uid}`));
    expect(() => sshArguments(connection, false)).toThrow(/drydock-\d+ belongs to somebody else; remove it, or set XDG_RUNTIME_DIR to a folder of your own$/);
  });

  it("keep the folder for sockets closed to others, also one that was open", () => {
    const folder = join(ownRuntimeFolder(), `drydock-${userInfo().uid}`);
    mkdirSync(folder, { mode: 0o755 });
    sshArguments(connection, false);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });
});

describe("a jump host", () => {
  // ssh expands % and hands the command to a shell: only ssh itself can tell whether the words survive both.
  const realSsh = ["/usr/bin/ssh", "/bin/ssh", "/usr/local/bin/ssh"].find((path) => existsSync(path)) ?? "ssh";
  const wordsOfInnerSsh = (changed: Partial<Connection>): string[] => {
    const folder = onPath({ ssh: 'printf "%s\\n" "$@" >"$(dirname "$0")/words"' });
    const { stderr } = spawnSync(realSsh, ["-F", "none", ...sshArguments({ ...connection, ...changed }, true)], { encoding: "utf8" });
    expect(existsSync(join(folder, "words")), stderr).toBe(true);
    return readFileSync(join(folder, "words"), "utf8").trimEnd().split("\n");
  };

  it("gets the words as they stand, blanks, quotes and percent signs included", () => {
    const words = wordsOfInnerSsh({ proxy: { host: "bastion.example", port: 2200, user: "jump", hostKey: otherKey, identityFile: "/keys/my %h key's" } });
    expect(words[words.indexOf("-i") + 1]).toBe("/keys/my %h key's");
    expect(words[words.indexOf("-p") + 1]).toBe("2200");
    expect(words[words.indexOf("-l") + 1]).toBe("jump");
    expect(words.slice(-4)).toEqual(["-W", "[192.0.2.10]:22", "--", "bastion.example"]);
  });

  it("is held to its own host key and takes part in no shared connection", () => {
    const words = wordsOfInnerSsh({ proxy: { host: "bastion", port: 22, hostKey: otherKey } });
    expect(readFileSync(option(words, "UserKnownHostsFile") ?? "", "utf8")).toBe(`drydock-pinned ${otherKey}\n`);
    expect(option(words, "StrictHostKeyChecking")).toBe("yes");
    expect(option(words, "ControlPath")).toBe("none");
  });

  it("is passed an IPv6 address in brackets", () => {
    expect(wordsOfInnerSsh({ host: "2001:db8::1", proxy: { host: "bastion", port: 22 } })).toContain("[2001:db8::1]:22");
  });
});

describe("why there is no session", () => {
  it.each<[string, number, string | undefined]>([
    ["", 98, "this user is not root and may not use sudo without a password; allow it with a line such as `ops ALL=(root) NOPASSWD: ALL` in /etc/sudoers.d"],
    ["sudo: a password is required", 1, "this user is not root and may not use sudo without a password; allow it with a line such as `ops ALL=(root) NOPASSWD: ALL` in /etc/sudoers.d"],
    ["", 97, "this user is not root and there is no sudo; install sudo or connect as root"],
    [
      "@@@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@@@\nHost key verification failed.",
      255,
      "the host key is not the pinned one; if the host was made again, pin its new key in the stack file (connection.hostKey), else somebody may be in between",
    ],
    ["No ED25519 host key is known for web1 and you have requested strict checking.\r\nHost key verification failed.\r\n", 255, "the host key is not known; pin it in the stack file (connection.hostKey) or add it to known_hosts"],
    ["ops@web1: Permission denied (publickey,password).\r\n", 255, "no key of ours was accepted (Permission denied (publickey,password))"],
    ["ssh: connect to host 192.0.2.10 port 22: Connection refused\r\n", 255, "connect to host 192.0.2.10 port 22: Connection refused"],
    ["Warning: something\nssh: Could not resolve hostname web1: Name or service not known", 255, "Could not resolve hostname web1: Name or service not known"],
    ["", 255, "ssh ended without a word (exit status 255)"],
    ["sh: 3: nonsense: not found", 127, undefined],
    ["iptables: Permission denied", 4, undefined],
  ])("%j with status %i", (stderr, exitCode, reason) => {
    expect(explainFailure(stderr, exitCode)).toBe(reason);
  });
});

describe("a script", () => {
  const options = { step: "observing", timeout: 20 };
  const asRoot = { ssh: localSsh, id: "echo 0" };

  it("is run whole, and what it starts can't swallow the rest of it", async () => {
    onPath(asRoot);
    expect(await runAsRoot(connection, "cat\necho 'after $cat'", options)).toBe("after $cat\n");
  });

  it.each<[string, Record<string, string>, Partial<Connection>]>([
    ["who is root", asRoot, {}],
    ["who logs in as root, without a question", { ...asRoot, id: "exit 1", sudo: "exit 1" }, { user: "root" }],
  ])("runs in a fixed environment for %s", async (_, programs, who) => {
    onPath(programs);
    vi.stubEnv("LC_ALL", "de_DE.UTF-8");
    expect(await runAsRoot({ ...connection, ...who }, 'echo "$LC_ALL $PATH"', options)).toBe("C /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
  });

  it("of another user goes through sudo -n", async () => {
    onPath({ ssh: localSsh, id: "echo 1000", sudo: 'test "$1" = -n && shift && SUDO=yes exec "$@"' });
    expect(await runAsRoot(connection, 'echo "$SUDO"', options)).toBe("yes\n");
  });

  it.each(["192.0.2.7 50000 192.0.2.10 22", "it's $(id) \"x\" *", ""])("knows where the connection comes from, which sudo keeps to itself: %j", async (from) => {
    vi.stubEnv("SSH_CONNECTION", from);
    onPath({ ssh: localSsh, id: "echo 1000", sudo: 'shift; unset SSH_CONNECTION; exec "$@"' });
    expect(await runAsRoot(connection, 'printf "<%s>" "$SSH_CONNECTION"', options)).toBe(`<${from}>`);
  });

  it.each([
    ["sudo wants a password", "echo 'sudo: a password is required' >&2; exit 1", /^ops@192\.0\.2\.10: this user is not root and may not use sudo without a password; /],
    ["sudo is not for this user", "echo 'ops is not in the sudoers file.' >&2; exit 1", /^ops@192\.0\.2\.10: this user is not root and may not use sudo without a password; /],
  ])("is not run when %s", async (_, sudo, message) => {
    onPath({ ssh: localSsh, id: "echo 1000", sudo });
    const run = runAsRoot(connection, "echo ran", options);
    await expect(run).rejects.toThrow(message);
    await expect(run).rejects.toBeInstanceOf(UnreachableError);
  });

  it("that fails is told by its step, its host, its status and its last words", async () => {
    onPath(asRoot);
    const run = runAsRoot(connection, "for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 3", options);
    await expect(run).rejects.toThrow(/^observing on ops@192\.0\.2\.10 failed with exit status 3: line 3; line 4; line 5; line 6; line 7$/);
    await expect(run).rejects.toBeInstanceOf(RemoteScriptError);
  });

  it("is never in an error, since it may hold secrets", async () => {
    onPath(asRoot);
    const error: unknown = await runAsRoot(connection, "secret=hunter2\nexit 3", options).catch((caught: unknown) => caught);
    expect(String(error)).not.toContain("hunter2");
  });

  it("that nobody reads to its end is told by the exit status, however long it is", async () => {
    onPath({ ssh: "echo 'ssh: connect to host 192.0.2.10 port 22: Connection refused' >&2; exit 255" });
    await expect(runAsRoot(connection, `: ${"x".repeat(1_000_000)}`, options)).rejects.toThrow(/^ops@192\.0\.2\.10: connect to host 192\.0\.2\.10 port 22: Connection refused$/);
  });

  it("that does not end is given up", async () => {
    onPath({ ssh: "exec sleep 30" });
    await expect(runAsRoot(connection, ":", { step: "observing", timeout: 1 })).rejects.toThrow("observing on ops@192.0.2.10 did not end within 1 s");
  });
});

describe("the name of a connection", () => {
  it.each<[Partial<Connection>, string]>([
    [{}, "ops@192.0.2.10"],
    [{ port: 2222 }, "ops@192.0.2.10:2222"],
    [{ host: "2001:db8::1", port: 2222 }, "ops@[2001:db8::1]:2222"],
    [{ user: undefined }, "192.0.2.10"],
  ])("%j is %s", (change, text) => {
    expect(name({ ...connection, ...change })).toBe(text);
  });
});

it("the ssh here takes every option as it is written", () => {
  // A typo in an option would only show on a real host.
  const args = sshArguments({ ...connection, proxy: { host: "bastion", port: 22, hostKey: otherKey } }, false);
  expect(execFileSync("ssh", ["-F", "none", "-G", ...args], { encoding: "utf8" })).toMatch(/^stricthostkeychecking true$/m);
});

it("says so when there is no ssh here", async () => {
  vi.stubEnv("PATH", temporaryFolder());
  await expect(runAsRoot(connection, ":", { step: "observing", timeout: 1 })).rejects.toThrow("ssh can't be started on this machine; install the OpenSSH client");
});
