/**
 * Rows that the table is without, as `fault, step`, each with the reason beside it. The table says so, `npm run faults -- --only` tries them, and
 * `npm test` counts them as skipped.
 */
export const withoutRow: string[] = [];
