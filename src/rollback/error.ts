/** A rollback that can't be made, and why: printed as it is, without a stack. */
export class RollbackError extends Error {
  override name = "RollbackError";
}
