/**
 * How one setting is declared: a zod schema and, beside it, what the reference page and the error messages say of it.
 *
 * There is no second list: `docs/reference.md`, the JSON schema for editors, `daemonKeyCost` and `daemonKeySince` are all
 * read from these declarations.
 */

import { z } from "zod";

/**
 * What changing a setting costs on a live host, from cheap to dear; each includes those before it.
 * `reload` and `restart` are of the Docker daemon; `containers made again` means that containers which exist keep the
 * old value until somebody removes and creates them; `containers stop` means that they do, and that it takes consent.
 */
export const costs = ["nothing", "reload", "restart", "containers made again", "containers stop"] as const;
export type Cost = (typeof costs)[number];

export interface About {
  /** What it means, as one or two sentences. */
  description?: string;
  /** What a value must be, in words; ends the error message "… is not allowed; allowed: …". */
  allowed?: string;
  cost?: Cost;
  /** What holds when nobody sets it. */
  initially?: string;
  /** Id in the CIS Docker Benchmark 1.6. */
  cis?: string;
  /** First engine version that knows a key of daemon.json, if later than 20.10. */
  since?: string;
  /** First engine version that refuses a key of daemon.json. */
  until?: string;
  /** Man page or page of Docker's documentation. */
  see?: string;
}

declare module "zod" {
  interface GlobalMeta extends Partial<Record<Exclude<keyof About, "cost" | "description">, string | undefined>> {
    cost?: Cost | undefined;
  }
}

/** One key of a layer: it may be left out, and `null` removes what an earlier layer said. */
export function setting<T extends z.ZodType>(schema: T, about: About & { description: string }) {
  return schema.nullable().optional().meta({ ...about });
}

export const flag = z.boolean().meta({ allowed: "true or false" });

export function count(min: number, max: number = Number.MAX_SAFE_INTEGER) {
  const allowed = max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min} on` : `a whole number from ${min} to ${max}`;
  return z.number().int().min(min).max(max).meta({ allowed });
}

/** Every text of a stack file ends up in a file or an argument on the host: no line may be smuggled in. */
const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

export function isOneLine(text: string): boolean {
  return !controlCharacters.test(text);
}

export function text(allowed: string, pattern = /./) {
  return z.string().max(4096).refine((value) => isOneLine(value) && pattern.test(value)).meta({ allowed });
}

/** More than one line, as `|` in YAML makes it; it travels over stdin and never stands on a command line. */
export const script = z
  .string()
  .max(65_536)
  .refine((value) => value.split(/[\n\t]/).every(isOneLine) && /\S/.test(value))
  .meta({ allowed: "a shell script" });

export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values).meta({ allowed: values.join(", ") });
}

export const anyText = text("one line of text");
/** Absolute, and without `..`: what it names must not depend on who reads it. */
export const hostPath = text("an absolute path on the host", /^\/(?!.*(?:^|\/)\.\.(?:\/|$)).*$/);
export const listOf = <T extends z.ZodType>(item: T, allowed: string) => z.array(item).meta({ allowed: `a list of ${allowed}` });
export const tableOf = <T extends z.ZodType>(item: T, allowed: string) =>
  z.record(anyText, item).meta({ allowed: `a table of ${allowed}` });

/** What remains of a layer's type once all layers are merged: nothing is `null` any more. */
export type Settled<T> = T extends readonly (infer Item)[]
  ? Settled<Item>[]
  : T extends object
    ? { [Key in keyof T]: Settled<Exclude<T[Key], null>> }
    : T;

/** The schema below `optional`, `nullable` and the like. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodNullable) inner = inner.unwrap();
  return inner;
}

/** What was said of a schema: of the key first, of the kind of value after it. */
export function aboutOf(schema: z.core.$ZodType): About {
  const layers: object[] = [];
  let inner: z.core.$ZodType = schema;
  for (;;) {
    const meta = z.globalRegistry.get(inner);
    if (meta) layers.unshift(meta);
    if (!(inner instanceof z.ZodOptional || inner instanceof z.ZodNullable)) break;
    inner = inner.unwrap();
  }
  return Object.assign({}, ...layers) as About;
}
