import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const text = (path: string) => readFile(`${ROOT}${path}`, "utf8");

/** The words of a union of string literals in a source file. */
async function unionIn(path: string, name: string): Promise<string[]> {
  const source = await text(path);
  const union = new RegExp(`type ${name} =([\\s\\S]*?";)`).exec(source)?.[1] ?? "";
  return [...union.matchAll(/"([a-z_]+)"/g)].map(([, word]) => word as string);
}

describe("docs/troubleshooting.md", () => {
  it.each([
    ["packages/core/src/errors.ts", "ErrorCode"],
    ["packages/client/src/errors.ts", "PodbaseErrorCode"],
  ])("has an entry for each code in %s", async (path, name) => {
    const codes = await unionIn(path, name);
    expect(codes.length).toBeGreaterThan(5);
    const entries = [...(await text("docs/troubleshooting.md")).matchAll(/^### (\w+)$/gm)].map(
      ([, word]) => word,
    );
    expect(codes.filter((code) => !entries.includes(code))).toEqual([]);
  });
});
