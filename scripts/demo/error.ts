/** Something the user can mend: printed as it is, without a stack. */
export class DemoError extends Error {
  override name = "DemoError";
}

export const describeError = (error: unknown) => (error instanceof Error ? error.message : String(error));
