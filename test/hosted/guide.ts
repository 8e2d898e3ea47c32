import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Sql } from "postgres";

/** One fenced block of a guide with what it is to print, if the guide says so. */
export interface GuideBlock {
  language: "sh" | "sql";
  code: string;
  prints?: string;
  /** In the guide's file. */
  line: number;
}

/** The blocks of a guide that can be run, in order. A block without a language is what the one before it prints. */
export function guideBlocks(markdown: string): GuideBlock[] {
  const blocks: GuideBlock[] = [];
  for (const match of markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)) {
    const [, language, code = ""] = match;
    const line = markdown.slice(0, match.index).split("\n").length;
    const last = blocks.at(-1);
    if (language === "sh" || language === "sql") blocks.push({ language, code, line });
    else if (language === "" && last) last.prints = code.trim();
  }
  return blocks;
}

/** Whether `printed` is what a guide says, line by line; `…` in the guide stands for anything. */
export function isAsPrinted(printed: string, expected: string): boolean {
  const pattern = expected
    .split("…")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("[^\\n]*");
  return new RegExp(`^${pattern}$`).test(printed.trim());
}

/** Runs a block of SQL as the SQL editor does; the last statement's rows, a line each. */
export async function runSql(sql: Sql, code: string): Promise<string> {
  const result = await sql.unsafe(code).simple();
  const rows = (Array.isArray(result[0]) ? (result.at(-1) as unknown) : result) as Record<string, unknown>[];
  return rows.map((row) => Object.values(row).join(" | ")).join("\n");
}

/** A shell that keeps what blocks export and define. */
export class GuideShell {
  readonly #options: { cwd: string; env: Record<string, string>; stateFile: string };

  /** `state` is a folder of its own for what one block leaves to the next. */
  constructor(options: { cwd: string; env: Record<string, string>; state: string }) {
    this.#options = { cwd: options.cwd, env: options.env, stateFile: join(options.state, "shell") };
  }

  /** What the block printed to stdout. Rejects with all of its output when it fails. */
  async run(code: string): Promise<string> {
    const { cwd, env, stateFile } = this.#options;
    const script = `
      [ -f "${stateFile}" ] && . "${stateFile}"
      npx() { "$@"; }
      set -euo pipefail
      ${code}
      { export -p; declare -f; } > "${stateFile}"`;
    const child = spawn("bash", ["-c", script], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr, exit] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise((resolve) => child.on("close", resolve)),
    ]);
    if (exit !== 0) throw new Error(`ended with ${exit}:\n${stdout}${stderr}`);
    return stdout;
  }
}
