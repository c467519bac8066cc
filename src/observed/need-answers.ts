/** What a host says to what a wish needs of it (observe.sh, `meet`). */

export type NeedAnswer = { met: true } | { met: false; why: string };

// no Connection refused
export function parseNeed(text: string): NeedAnswer {
  const [, word = "", why = ""] = /^(yes$|no(?= |$))(?: (.*))?$/.exec(text.trim()) ?? [];
  if (word === "") throw new Error(`neither yes nor no: ${text.slice(0, 40)}`);
  return word === "yes" ? { met: true } : { met: false, why };
}
