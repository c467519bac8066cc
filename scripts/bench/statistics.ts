/** Figures of several runs as one. */

/** The middle one; between the two middle ones of an even number. */
export function median(values: number[]): number {
  if (values.length === 0) throw new Error("no values to take a median of");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/** Two digits that mean something: 0.27, 5.3, 42. */
export function seconds(value: number): string {
  return value < 1 ? value.toFixed(2) : value < 20 ? value.toFixed(1) : value.toFixed(0);
}

export const mebibytes = (kibibytes: number) => String(Math.round(kibibytes / 1024));
