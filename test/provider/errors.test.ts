import { describe, expect, it } from "vitest";
import { explain, explainFor, HalfDoneError, HostError, listed } from "../../src/provider/errors.ts";
import { RemoteScriptError, UnreachableError } from "../../src/remote/ssh.ts";

describe("a headline and its points", () => {
  it.each([
    [["one"], "web1: refused: one"],
    [["one", "two"], "web1: refused:\n  - one\n  - two"],
    [[], "web1: refused:"],
  ])("%j", (points, text) => {
    expect(listed("web1: refused", points)).toBe(text);
  });
});

describe("an error in words", () => {
  it.each([new HostError("what"), new HalfDoneError("what"), new UnreachableError("what"), new RemoteScriptError("what")])("that was expected has no stack: $name", (error) => {
    expect(explain(error)).toBe("what");
  });

  it("that was not has one", () => {
    expect(explain(new TypeError("x is undefined"))).toMatch(/^TypeError: x is undefined\n\s+at /);
  });

  it("has its causes behind it, each once", () => {
    const error = new HalfDoneError("outer", { cause: new HostError("inner", { cause: new UnreachableError("innermost") }) });
    expect(explain(error)).toBe("outer\n  because: inner\n  because: innermost");
  });

  it("that is none is still said", () => {
    expect(explain("a text")).toBe("a text");
  });

  it("says the host once", () => {
    expect(explainFor("web1", new HostError("web1: refused"))).toBe("web1: refused");
    expect(explainFor("web1", new UnreachableError("ops@192.0.2.10: refused"))).toBe("web1: ops@192.0.2.10: refused");
  });
});
