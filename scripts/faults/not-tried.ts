/**
 * Rows that the table is without, as `fault, step`: whoever made it had no time for them. It says so, and `npm run faults -- --only` tries
 * them; `npm test` counts them as skipped. Never one that failed.
 */
export const notTried: string[] = [];
