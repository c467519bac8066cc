/** From the settings of a host to what the stack file declares for it: pure, but for reading the templates. */

import { crossCheck } from "../config/cross-checks.ts";
import type { HostSettings } from "../config/layer.ts";
import { declaredProfiles, profileFolder } from "./apparmor-profiles.ts";
import { renderAuditRules } from "./audit-rules.ts";
import { checkFile, parseDaemonJson, type Refusal } from "./check-rendered.ts";
import type { DeclaredVolume, HostArgs, JsonObject } from "./host-inputs.ts";
import { sortKeys } from "./json.ts";
import { limitDirectives, type UnitDirectives } from "./limits.ts";
import { containerdData, declaredVolumes, dockerData, mountDirectives } from "./volumes.ts";
import { readTemplates, type RenderedPath, type Template, TemplateError } from "./templates.ts";

export { TemplateError } from "./templates.ts";

export interface RenderOptions {
  /** Folder with the user's own templates. */
  templates?: string;
  /** The host's name, for messages. */
  host?: string;
}

const daemonJson = "/etc/docker/daemon.json";

/** @throws TemplateError naming host, template and line; it only happens with templates of the user's own */
export function renderHost(settings: HostSettings, options: RenderOptions = {}): HostArgs {
  const name = options.host ?? settings.connection.host;
  const templates = readTemplates(options.templates);
  const units = limitDirectives(settings.limits);
  const profiles = declaredProfiles(settings.apparmor);
  const volumes = declaredVolumes(settings.volume);
  const context = { ...settings, ...units, volumes: mountDirectives(volumes), auditRules: renderAuditRules(settings.audit), modules: ["br_netfilter"] };
  const render = (path: RenderedPath): string => renderOne(name, templates.get(path), context);

  const daemon = checkDaemon(name, settings, templates.get(daemonJson), render(daemonJson));
  const checked = (path: string, template: Template | undefined, text: string): [string, string] => {
    const refusal = checkFile(path, text);
    if (refusal) throw refuse(name, template, refusal);
    return [path, text];
  };
  const files = [
    ...wantedFiles(settings, units, volumes).map((path) => checked(path, templates.get(path), render(path))),
    ...profiles.map((profile) => {
      const template = templates.get("/etc/apparmor.d/drydock-{name}");
      return checked(`${profileFolder}/drydock-${profile.name}`, template, renderOne(name, template, { ...context, profile }));
    }),
  ].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    connection: sortKeys(settings.connection),
    allow: settings.allow,
    ...(settings.window === undefined ? {} : { window: settings.window }),
    daemon,
    files: Object.fromEntries(files),
    modes: modesOf(files.map(([path]) => path)),
    ...(Object.keys(volumes).length === 0 ? {} : { volumes }),
  };
}

// --- Internal ---

/** In the order of their paths. */
function wantedFiles({ apparmor, audit, daemon, seccomp }: HostSettings, units: UnitDirectives, volumes: Record<string, DeclaredVolume>): RenderedPath[] {
  const some = (directives: object | undefined): boolean => directives !== undefined && Object.keys(directives).length > 0;
  const wanted: [RenderedPath, boolean][] = [
    ["/etc/apparmor.d/drydock-container", apparmor.container],
    ["/etc/audit/rules.d/50-drydock.rules", audit.enabled],
    ["/etc/docker/drydock-seccomp.json", seccomp !== undefined],
    ["/etc/modules-load.d/drydock.conf", daemon.icc === false || daemon["userland-proxy"] === false],
    ["/etc/systemd/system/containerd.service.d/40-drydock-volume.conf", some(volumes)],
    ["/etc/systemd/system/containerd.service.d/50-drydock.conf", some(units.containerdService)],
    ["/etc/systemd/system/docker-.scope.d/10-drydock.conf", some(units.container)],
    ["/etc/systemd/system/docker.service.d/40-drydock-volume.conf", some(volumes)],
    ["/etc/systemd/system/docker.service.d/50-drydock.conf", some(units.dockerService)],
    ["/etc/systemd/system/drydock-containers.slice", units.containers !== undefined],
    ["/etc/systemd/system/var-lib-containerd.mount", volumes[containerdData] !== undefined],
    ["/etc/systemd/system/var-lib-docker.mount", volumes[dockerData] !== undefined],
    ["/etc/tmpfiles.d/drydock.conf", audit.enabled],
  ];
  return wanted.flatMap(([path, wish]) => (wish ? [path] : []));
}

/** Docker wants /etc/docker and daemon.json readable by its clients; audit rules tell an intruder what is not watched. */
function modesOf(paths: readonly string[]): Record<string, string> {
  const modes: [string, string][] = [
    ["/etc/docker", "root:root 0755"],
    [daemonJson, "root:root 0644"],
    ...paths.map((path): [string, string] => [path, path.startsWith("/etc/audit/") ? "root:root 0640" : "root:root 0644"]),
  ];
  return Object.fromEntries(modes.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function renderOne(host: string, template: Template | undefined, context: object): string {
  if (!template) throw new Error("a rendered path without a template");
  try {
    return template.render(context);
  } catch (cause) {
    throw cause instanceof TemplateError ? new TemplateError(`${host}: ${cause.message}`, { cause: cause.cause }) : cause;
  }
}

/** A template of the user's own may change keys, so what it renders is checked like a stack file. */
function checkDaemon(host: string, settings: HostSettings, template: Template | undefined, text: string): JsonObject {
  const parsed = parseDaemonJson(text);
  if (Array.isArray(parsed)) throw refuse(host, template, parsed[0] ?? { line: 0, text: "refused" });
  const finding = crossCheck({ ...settings, daemon: parsed })[0];
  if (finding) throw refuse(host, template, { line: 0, text: finding.text });
  return sortKeys(parsed) as unknown as JsonObject;
}

function refuse(host: string, template: Template | undefined, { line, text }: Refusal): TemplateError {
  const where = line > 0 ? `, line ${line} of what it renders` : "";
  return new TemplateError(`${host}: ${template?.file ?? "template"}${where}: ${text}`);
}
