import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll } from "vitest";

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((path) => rm(path, { recursive: true, force: true }))));

/** Has `path` removed after the file's last test. */
export const removeAtEnd = (path: string): number => folders.push(path);

/** A temporary folder that goes after the file's last test. */
export const folder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), "podbase-postgres-"));
  removeAtEnd(made);
  return made;
};

/** Does `work` over a connection of its own. */
export const as = async <T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> => {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
};
