import { readdir, readFile } from "node:fs/promises";
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

  it("has a row for each notice and each alert that the database may give", async () => {
    const folder = `${ROOT}supabase/migrations/`;
    const sql = (
      await Promise.all((await readdir(folder)).map((file) => readFile(folder + file, "utf8")))
    ).join("");
    const notices = /function podbase_private\.notice\([\s\S]*?end \$\$/.exec(sql)?.[0] ?? "";
    const classes = /insert into podbase_private\.failure_classes[\s\S]*?;/.exec(sql)?.[0] ?? "";
    const said = [
      ...notices.matchAll(/when '(\w+)' then/g),
      ...sql.matchAll(/podbase_private\.alert\('(\w+)'/g),
      // The third flag of a class, after retry, counts, back-off and other endpoint.
      ...classes.matchAll(/\('(\w+)', [^\n]*?, (?:true|false), (?:true|false), \d+, (?:true|false), true,/g),
    ].map(([, code]) => code as string);
    expect(said.length).toBeGreaterThan(20);
    const docs = await text("docs/troubleshooting.md");
    expect(said.filter((code) => !docs.includes(`| \`${code}\` |`))).toEqual([]);
  });
});
