/** Markdown's way to show a text as it is: between backticks, of which there are more than in any row of them in the text. */

export const ticksAround = (text: string, atLeast: number): string => "`".repeat(Math.max(atLeast, longestRun(text) + 1));

// --- Internal ---

const longestRun = (text: string) => Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
