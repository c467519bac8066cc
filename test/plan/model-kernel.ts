/** The kernel of the model: audit rules, AppArmor profiles, modules and the filter table. */

import { normalizeAuditRule } from "../../src/effect/audit-rules.ts";
import type { LoadedProfile } from "../../src/observed/apparmor.ts";
import type { Observation } from "../../src/observed/observation.ts";
import { known } from "../../src/observed/records.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { fail, type Beginning, type ModelHost } from "./model-host.ts";

const ours = "-A FORWARD -i docker0 -o docker0 -m comment --comment drydock -j DROP";
const bridgeToItself = "-A FORWARD -i docker0 -o docker0 -j";

export class ModelKernel {
  private readonly host: ModelHost;
  private readonly start: Observation;
  /** As `auditctl -l` prints them. */
  private auditRules: string[] = [];
  private auditEnabled: string;
  /** What `augenrules` has made of rules.d: the next boot loads it. */
  private compiled: string[];
  /** The text that each profile was loaded with. */
  private profiles = new Map<string, string>();
  private atBoot: string;
  private bridgeModule: boolean;
  private iptables: string[];

  constructor(start: Observation, host: ModelHost, { auditOff, apparmorDisabled, noBridgeModule, daemon }: Beginning) {
    this.start = start;
    this.host = host;
    this.compiled = this.rulesOnDisk();
    this.auditRules = this.compiled.map(listed);
    this.auditEnabled = auditOff ? "0" : "1";
    this.atBoot = apparmorDisabled ? "disabled" : "enabled";
    this.bridgeModule = !noBridgeModule || daemon?.icc === false;
    this.iptables = start.iptables.known ? start.iptables.value : [];
  }

  observe(): Pick<Observation, "auditRules" | "auditStatus" | "apparmor" | "bridgeNetfilter" | "iptables"> {
    const { apparmor, auditStatus } = this.start;
    if (!apparmor.known || !auditStatus.known) throw new Error("the recording has no AppArmor, or no audit");
    const loaded = [...this.profiles].map(([name, text]): [string, LoadedProfile] => [name, { mode: "enforce", asOnDisk: text === this.host.text(`/etc/apparmor.d/${name}`) }]);
    return {
      auditRules: known(this.auditRules),
      auditStatus: known({ ...auditStatus.value, enabled: this.auditEnabled }),
      apparmor: known({ ...apparmor.value, boot: this.atBoot, profiles: Object.fromEntries(loaded) }),
      bridgeNetfilter: this.bridgeModule,
      iptables: known(this.iptables),
    };
  }

  load(module: string): void {
    if (module === "br_netfilter") this.bridgeModule = true;
  }

  hasBridgeModule(): boolean {
    return this.bridgeModule;
  }

  /** What auditd.service does when it starts: `augenrules --load`, of which the first line is -D. */
  loadAuditFiles(): void {
    this.compiled = this.rulesOnDisk();
    this.auditRules = this.compiled.map(listed);
  }

  /** @param reloaded auditd has loaded its files a moment ago: then rules may be there, or gone, already */
  changeAuditRules({ enable, add, remove, compile }: Plan["audit"], reloaded: boolean): void {
    if (enable) this.auditEnabled = "1";
    for (const rule of reloaded ? [...remove, ...add] : remove) {
      if (!reloaded && !this.hasRule(rule)) fail(`auditctl: no rule ${rule}`);
      this.auditRules = this.auditRules.filter((present) => normalizeAuditRule(present) !== normalizeAuditRule(rule));
    }
    for (const rule of add) {
      if (this.hasRule(rule)) fail(`auditctl: Rule exists: ${rule}`);
      this.auditRules.push(listed(rule));
    }
    if (compile) this.compiled = this.rulesOnDisk();
  }

  changeProfiles({ load, unload, enable }: Plan["profiles"]): void {
    if (enable) this.atBoot = "enabled";
    for (const name of load) this.profiles.set(name, this.host.text(`/etc/apparmor.d/${name}`) ?? fail(`apparmor_parser: no file of ${name}`));
    for (const name of unload) this.profiles.delete(name);
  }

  dropBetweenContainers(): void {
    this.bridgeModule = true;
    this.liftDrop();
    this.iptables = inserted(ours, this.iptables);
  }

  liftDrop(): void {
    this.iptables = this.iptables.filter((rule) => rule !== ours);
  }

  /** What dockerd does when it makes docker0 anew (libnetwork, setup_ip_tables.go): ACCEPT is inserted, DROP appended. */
  buildBridge(icc: boolean): void {
    const [user, stages, established, chain, out] = forwards as [string, string, string, string, string];
    const others = this.iptables.filter((rule) => !forwards.includes(rule) && !rule.startsWith(bridgeToItself));
    const chains = ["-N DOCKER", "-N DOCKER-ISOLATION-STAGE-1", "-N DOCKER-ISOLATION-STAGE-2", "-N DOCKER-USER"].filter((rule) => !others.includes(rule));
    const rules = [...chains, ...others];
    const first = [user, stages, established, chain, out, ...(icc ? [`${bridgeToItself} ACCEPT`] : [])];
    this.iptables = [...first.reverse().reduce((all, rule) => inserted(rule, all), rules), ...(icc ? [] : [`${bridgeToItself} DROP`])];
  }

  /** What no look asks for: rules of an earlier file that are still loaded, or a DROP of ours that nobody wants. */
  hasLeftOver({ icc }: { icc: boolean }): string[] {
    const onDisk = this.rulesOnDisk().map(normalizeAuditRule);
    return [...this.auditRules.filter((rule) => !onDisk.includes(normalizeAuditRule(rule))), ...(icc && this.iptables.includes(ours) ? [ours] : [])];
  }

  boot(): void {
    this.auditRules = this.compiled.map(listed);
    if (this.compiled.length > 0) this.auditEnabled = "1";
    // systemd-modules-load.service
    const wanted = [...this.host.files].flatMap(([path, { text }]) => (path.startsWith("/etc/modules-load.d/") ? (text ?? "").split("\n") : []));
    this.bridgeModule = wanted.includes("br_netfilter");
    const onDisk = [...this.host.files].flatMap(([path, { text }]): [string, string][] => (/^\/etc\/apparmor\.d\/drydock-[^/]+$/.test(path) ? [[path.slice("/etc/apparmor.d/".length), text ?? ""]] : []));
    this.profiles = new Map(this.atBoot === "enabled" ? onDisk : []);
    this.iptables = ["-P INPUT ACCEPT", "-P FORWARD ACCEPT", "-P OUTPUT ACCEPT"];
  }

  private hasRule(rule: string): boolean {
    return this.auditRules.some((present) => normalizeAuditRule(present) === normalizeAuditRule(rule));
  }

  private rulesOnDisk(): string[] {
    const files = [...this.host.files].filter(([path]) => /^\/etc\/audit\/rules\.d\/[^/]+\.rules$/.test(path)).sort(([a], [b]) => (a < b ? -1 : 1));
    return files.flatMap(([, { text }]) => (text ?? "").split("\n").filter((line) => /^-[aw] /.test(line)));
  }
}

// --- Internal ---

const forwards = [
  "-A FORWARD -j DOCKER-USER",
  "-A FORWARD -j DOCKER-ISOLATION-STAGE-1",
  "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  "-A FORWARD -o docker0 -j DOCKER",
  "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT",
];

/** iptables -I FORWARD */
function inserted(rule: string, rules: string[]): string[] {
  const at = rules.findIndex((other) => other.startsWith("-A FORWARD"));
  return at < 0 ? [...rules, rule] : rules.toSpliced(at, 0, rule);
}

// -a always,exit -F arch=b64 -S all -F path=/usr/bin/dockerd -F perm=rwxa -F key=docker
const listed = (rule: string) => normalizeAuditRule(rule).replace(/( -F arch=\w+)/, "$1 -S all");
