import { expect, it } from "vitest";
import { readSettings } from "../../lab/settings.ts";

it("has defaults for a machine without KVM", () => {
  expect(readSettings({ XDG_CACHE_HOME: "/cache" })).toEqual({
    release: "bookworm", memory: 2048, cpus: 1, dataDisk: "3G", bootTimeout: 300, commandTimeout: 300, accelerator: "auto", folder: "/cache/drydock/lab",
  });
});

it("takes each setting from the environment", () => {
  const settings = readSettings({ DRYDOCK_LAB_MEMORY: "4096", DRYDOCK_LAB_BOOT_TIMEOUT: "60", DRYDOCK_LAB_ACCELERATOR: "tcg", DRYDOCK_LAB_DATA_DISK: "500M", DRYDOCK_LAB_RELEASE: "trixie" });
  expect(settings).toMatchObject({ memory: 4096, bootTimeout: 60, accelerator: "tcg", dataDisk: "500M", release: "trixie" });
});

it("takes an empty XDG_CACHE_HOME for an unset one", () => {
  expect(readSettings({ XDG_CACHE_HOME: "" }).folder).toMatch(/\/\.cache\/drydock\/lab$/);
});

it.each([
  [{ DRYDOCK_LAB_MEMORY: "2G" }, 'DRYDOCK_LAB_MEMORY is "2G": allowed is a whole number above 0'],
  [{ DRYDOCK_LAB_CPUS: "0" }, 'DRYDOCK_LAB_CPUS is "0": allowed is a whole number above 0'],
  [{ DRYDOCK_LAB_RELEASE: "sid" }, 'DRYDOCK_LAB_RELEASE is "sid": allowed are bookworm, trixie'],
  [{ DRYDOCK_LAB_ACCELERATOR: "xen" }, 'DRYDOCK_LAB_ACCELERATOR is "xen": allowed are auto, kvm and tcg'],
  [{ DRYDOCK_LAB_DATA_DISK: "3 GB" }, 'DRYDOCK_LAB_DATA_DISK is "3 GB": allowed is a size such as 500M or 3G'],
])("refuses %o", (env, message) => {
  expect(() => readSettings(env)).toThrow(message);
});
