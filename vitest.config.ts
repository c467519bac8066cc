import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const MINUTE = 60_000;

// The trials with faults have Drydock's own (test/e2e/faults/host.ts).
const env = { DRYDOCK_SETTLE_SECONDS: "0" };

const named = (names: string[]): string[] => names.map((name) => `/${name}.e2e.test.ts`);
/** Minutes each, on a machine of the lab; the others take two together. */
const longest = named(["volume", "apparmor", "harden", "tour", "refusals"]);
/** In two halves, so that no worker waits for the other. On a slow machine there may be no time for all of them (test/support/time-left.ts). */
const last = named(["faults", "faults-other-half"]);

/** What takes longest begins first, or one worker would wait for the other in the end. By itself Vitest goes by the size of a file. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      if (last.some((name) => moduleId.endsWith(name))) return longest.length + 1;
      const at = longest.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**"],
          env,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.e2e.test.ts"],
          // A machine under software emulation keeps little more than one core busy, and a test waits for it most of the time.
          // With a third one on two cores time limits strike.
          maxWorkers: 2,
          env,
          // Emulated, with another machine beside it: an update alone has taken three minutes.
          testTimeout: 20 * MINUTE,
          hookTimeout: 20 * MINUTE,
        },
      },
    ],
  },
});
