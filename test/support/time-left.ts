import type { TestContext } from "vitest";

/**
 * Skips a test that would begin too late for the limit of the whole run: emulated machines are several times slower on some processors than on
 * others. Only for tests that are many of a kind.
 *
 * DRYDOCK_TEST_UNTIL is the time, in milliseconds since 1970; without it there is none.
 *
 * @param otherwise how it is run by itself
 */
export function skipWithoutTime({ skip }: Pick<TestContext, "skip">, otherwise: string): void {
  const until = process.env.DRYDOCK_TEST_UNTIL ?? "";
  if (until !== "" && Date.now() > Number(until)) skip(`no time is left for it on this machine: ${otherwise}`);
}
