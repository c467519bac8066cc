import { expect, it } from "vitest";
import { checkLogOptions } from "../../src/config/log-options.ts";

const size = (value: string): string => `${JSON.stringify(value)} is not allowed; allowed: a size above 0 such as 10m; without it there is no limit`;
const jsonFile = 'with json-file compress needs max-size and a max-file of "2" or more, or no container would start';
const local = 'with local a max-file of "1" needs compress: "false", or no container would start';

/** dockerd takes each of these, or its validation does, and no container starts with what is refused here. */
it.each<[string, Record<string, string>, string[]]>([
  ["json-file", { "max-size": "10m", "max-file": "3" }, []],
  ["json-file", { "max-size": "1.5g" }, []],
  ["json-file", { "max-size": "-1" }, [size("-1")]],
  ["json-file", { "max-size": "0" }, [size("0")]],
  ["json-file", { "max-size": "0.0k" }, [size("0.0k")]],
  ["json-file", { compress: "true", "max-size": "10m", "max-file": "2" }, []],
  ["json-file", { compress: "true", "max-size": "10m" }, [jsonFile]],
  ["json-file", { compress: "true", "max-file": "3" }, [jsonFile]],
  ["json-file", { compress: "true", "max-size": "10m", "max-file": "1" }, [jsonFile]],
  ["json-file", { compress: "false" }, []],
  ["local", { "max-file": "1" }, [local]],
  ["local", { "max-file": "1", compress: "true" }, [local]],
  ["local", { "max-file": "1", compress: "false" }, []],
  ["local", { "max-file": "2" }, []],
])("%s with %j", (driver, options, texts) => {
  expect(checkLogOptions(driver, options).map(({ text }) => text)).toEqual(texts);
});
