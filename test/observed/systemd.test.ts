import { describe, expect, it } from "vitest";
import { parseSystemdShow, parseUnitText } from "../../src/observed/systemd.ts";

describe("systemctl show", () => {
  it("is read unit by unit", () => {
    const text = "Id=docker.service\nActiveState=active\nExecStart={ path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd --a=b ; }\n\nId=docker.socket\nActiveState=inactive\n";
    expect(parseSystemdShow(text)).toEqual({
      "docker.service": { Id: "docker.service", ActiveState: "active", ExecStart: "{ path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd --a=b ; }" },
      "docker.socket": { Id: "docker.socket", ActiveState: "inactive" },
    });
  });

  it("keeps each line of a property that is printed more than once", () => {
    expect(parseSystemdShow("Id=a.service\nEnvironmentFiles=/etc/a (ignore_errors=yes)\nEnvironmentFiles=/etc/b\n")["a.service"]?.EnvironmentFiles).toBe("/etc/a (ignore_errors=yes)\n/etc/b");
  });

  it.each(["", "\n", "Failed to get properties: Connection refused\n"])("%j names no unit", (text) => {
    expect(parseSystemdShow(text)).toEqual({});
  });
});

describe("unit files", () => {
  it("are told apart by the paths that systemctl cat prints", () => {
    const text = "# /lib/systemd/system/docker.service\n[Unit]\nAfter=network.target\n\n# /etc/systemd/system/docker.service.d/a.conf\n[Service]\nExecStart=\nExecStart=/usr/bin/dockerd\n";
    expect(parseUnitText(text).slice(1)).toEqual([
      { path: "/lib/systemd/system/docker.service", entries: [["After", "network.target"]] },
      { path: "/etc/systemd/system/docker.service.d/a.conf", entries: [["ExecStart", ""], ["ExecStart", "/usr/bin/dockerd"]] },
    ]);
  });

  it("join a line that ends with a backslash with the next one", () => {
    expect(parseUnitText("ExecStart=/usr/bin/dockerd \\\n  -H fd://\n")[0]?.entries).toEqual([["ExecStart", "/usr/bin/dockerd    -H fd://"]]);
  });

  it.each([
    ["# LimitNOFILE=1", []],
    ["; LimitNOFILE=1", []],
    ["[Service]", []],
    ["LimitNOFILE = 5 ", [["LimitNOFILE", "5"]]],
    ["Environment=A=b", [["Environment", "A=b"]]],
  ])("%j", (line, entries) => {
    expect(parseUnitText(line)[0]?.entries).toEqual(entries);
  });
});
