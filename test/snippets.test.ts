import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const text = (path: string) => readFile(`${ROOT}${path}`, "utf8");

const GUIDES = [
  "README.md",
  ...["client", "local", "simulator", "worker"].map((name) => `packages/${name}/README.md`),
];

/** What the readers of the guides have already: their client, their definitions, their form, their model. */
const ALREADY = `
import type * as client from "@podbase/client";
import type * as core from "@podbase/core";
import type { SupabaseClient } from "@supabase/supabase-js";
import type * as supabaseJs from "@supabase/supabase-js";
import type { jobs as definitions } from "${ROOT}supabase/functions/_shared/jobs.ts";
import type * as zod from "zod";
declare global {
  const supabase: SupabaseClient;
  const podbase: client.Podbase<typeof definitions>;
  type jobs = typeof definitions;
  const jobs: typeof definitions;
  const { createPodbase, waitingText }: typeof client;
  const { defineJob }: typeof core;
  const { createClient }: typeof supabaseJs;
  const { z }: typeof zod;
  const url: string, key: string, secretKey: string, userId: string;
  const input: client.InputOf<typeof definitions.reading>;
  const order: { id: string };
  const model: { run(prompt: unknown, progress: (fraction: number) => Promise<void>): Promise<Uint8Array<ArrayBuffer>> };
  const job: unknown;
  const show: (...values: unknown[]) => void;
  const AppState: import("@podbase/client/react-native").AppStateLike;
  const NetInfo: import("@podbase/client/react-native").NetInfoLike;
  const AsyncStorage: client.OutboxStorage;
}
export {};`;

describe("the snippets of the guides", () => {
  it("are right for the compiler", async () => {
    await mkdir(`${ROOT}.podbase`, { recursive: true });
    const folder = await mkdtemp(`${ROOT}.podbase/snippets-`);
    const write = (name: string, content: string) => writeFile(join(folder, name), content);
    try {
      let count = 0;
      for (const guide of GUIDES) {
        for (const [, kind, code] of (await text(guide)).matchAll(/^```(tsx?)\n([\s\S]*?)^```$/gm)) {
          const imports = (code ?? "").replaceAll('"../supabase/', `"${ROOT}supabase/`);
          await write(`${guide.replaceAll("/", "-")}-${++count}.${kind}`, `${imports}\nexport {};\n`);
        }
      }
      expect(count).toBeGreaterThan(5);
      await write("already.d.ts", ALREADY);
      await write(
        "tsconfig.json",
        JSON.stringify({
          extends: "../../tsconfig.json",
          compilerOptions: { noUnusedLocals: false },
          include: ["*", `${ROOT}packages/*/src/*.d.ts`],
          exclude: [],
        }),
      );
      const compiled = promisify(execFile)("npx", ["tsc", "--noEmit", "-p", folder], { cwd: ROOT });
      expect(
        await compiled.then(
          () => "",
          ({ stdout }: { stdout: string }) => stdout,
        ),
      ).toBe("");
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
