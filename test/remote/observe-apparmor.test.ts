/** What observe.sh reads of AppArmor, for real: sh on a folder that plays /sys and /etc, with a stub for the parser. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { observe } from "../../src/remote/observe.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { onPath, ownRuntimeFolder } from "../support/fake-ssh.ts";
import { temporaryFolder } from "../support/shell.ts";

const sum = (text: string, kind: Kind) => createHash(kind).update(text).digest("hex");
/** That of older kernels, and that of kernel 6.8 and newer. */
type Kind = "sha1" | "sha256";

let folder: string;
const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
};

beforeEach(() => {
  ownRuntimeFolder();
  folder = temporaryFolder();
  write("/sys/module/apparmor/parameters/enabled", "Y\n");
  write("/sys/kernel/security/apparmor/profiles", "docker-default (enforce)\n");
  write("/etc/apparmor.d/abi/3.0", "");
  write("/etc/systemd/system/x", "");
});
afterEach(() => void vi.unstubAllEnvs());

/** A profile that the kernel has with this text. */
function loaded(name: string, mode: string, text: string, kind: Kind): void {
  write(`/sys/kernel/security/apparmor/policy/profiles/${name}.12/raw_${kind}`, `${sum(text, kind)}\n`);
  writeFileSync(join(folder, "/sys/kernel/security/apparmor/profiles"), `${name} (${mode})\n`, { flag: "a" });
}

async function look(): Promise<Observation> {
  const moved = ["/sys/kernel/security", "/sys/module", "/etc/apparmor.d", "/etc/systemd/system", "/var/lib/drydock"].map((path) => `s#${path}#${folder}${path}#g`).join("; ");
  onPath({
    ssh: `sed '${moved}' | sh -s`,
    systemctl: "exit 3",
    // Compiles a text to itself, and notes that it was called.
    apparmor_parser: `for file; do :; done; echo "$file" >>${folder}/compiled; cat "$file"`,
  });
  return observe({ host: "192.0.2.10", port: 22 });
}

const valueOf = ({ apparmor }: Observation) => {
  if (!apparmor.known) throw new Error(apparmor.reason);
  return apparmor.value;
};

describe("a look at AppArmor", () => {
  it.each<Kind>(["sha1", "sha256"])("tells a profile from another text under its name by its %s, and modes", async (kind) => {
    loaded("drydock-a", "enforce", "a", kind);
    write("/etc/apparmor.d/drydock-a", "a");
    loaded("drydock-b", "complain", "other", kind);
    write("/etc/apparmor.d/drydock-b", "b");
    expect(valueOf(await look()).profiles).toEqual({ "drydock-a": { mode: "enforce", asOnDisk: true }, "drydock-b": { mode: "complain", asOnDisk: false } });
  });

  it.each<Kind>(["sha1", "sha256"])("compiles no text of which the last apply noted what it was loaded as: %s", async (kind) => {
    loaded("drydock-a", "enforce", "a", kind);
    write("/etc/apparmor.d/drydock-a", "compiled to something else by a newer parser");
    write("/var/lib/drydock/applied", `keys icc\nprofile:drydock-a ${sum("a", kind)}\n`);
    expect(valueOf(await look()).profiles).toEqual({ "drydock-a": { mode: "enforce", asOnDisk: true } });
    expect(existsSync(join(folder, "/compiled"))).toBe(false);
  });

  it.each<[string, () => void, string]>([
    ["disabled", () => undefined, "disabled"],
    ["enabled", () => (mkdirSync(join(folder, "/etc/systemd/system/sysinit.target.wants")), symlinkSync("/lib/systemd/system/apparmor.service", join(folder, "/etc/systemd/system/sysinit.target.wants/apparmor.service"))), "enabled"],
    ["masked", () => symlinkSync("/dev/null", join(folder, "/etc/systemd/system/apparmor.service")), "masked"],
  ])("knows that the unit is %s", async (_, arrange, boot) => {
    arrange();
    expect(valueOf(await look())).toMatchObject({ enabled: true, tool: true, abi: true, boot });
  });

  it("finds files of ours, and links that keep profiles from being loaded, without reading what they point to", async () => {
    write("/etc/apparmor.d/drydock-a", "a");
    write("/etc/apparmor.d/other", "o");
    write("/secret", "hunter2");
    mkdirSync(join(folder, "/etc/apparmor.d/disable"));
    symlinkSync(join(folder, "/secret"), join(folder, "/etc/apparmor.d/disable/drydock-a"));
    const { strayFiles, files } = await look();
    expect(strayFiles.map((path) => path.replace(folder, ""))).toEqual(["/etc/apparmor.d/disable/drydock-a", "/etc/apparmor.d/drydock-a"]);
    expect(files[join(folder, "/etc/apparmor.d/drydock-a")]).toMatchObject({ value: { text: "a" } });
    expect(JSON.stringify(files[join(folder, "/etc/apparmor.d/disable/drydock-a")])).not.toContain("hunter2");
  });

  it("says that there is none", async () => {
    writeFileSync(join(folder, "/sys/module/apparmor/parameters/enabled"), "N\n");
    expect(valueOf(await look())).toMatchObject({ enabled: false, profiles: {}, labels: {} });
  });

  it("is unknown where the kernel's list can't be read", async () => {
    rmSync(join(folder, "/sys/kernel/security/apparmor/profiles"));
    expect((await look()).apparmor).toMatchObject({ known: false, reason: expect.stringContaining("No such file or directory") as string });
  });
});
