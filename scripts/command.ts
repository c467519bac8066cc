/** What the commands of `npm run` have in common: how their words are read, how their mistakes are said, and that each ends at one place. */

/**
 * Runs a command and sets the exit code. What somebody can mend prints its message; anything else is a mistake of ours and keeps its stack.
 *
 * @param name stands before the message
 * @param expected kinds of errors that somebody can mend
 */
export async function runCommand(name: string, expected: readonly (abstract new (...args: never[]) => Error)[], main: (args: string[]) => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!expected.some((kind) => error instanceof kind)) throw error;
    console.error(`${name}: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

/**
 * What `parseArgs` of Node finds wrong comes with how the command is used.
 *
 * @param mistake makes the error of the command's own kind
 */
export function parseWords<T>(parse: () => T, usage: string, mistake: (text: string, options: ErrorOptions) => Error): T {
  try {
    return parse();
  } catch (cause) {
    throw mistake(`${cause instanceof Error ? cause.message : String(cause)}\n\n${usage}`, { cause });
  }
}
