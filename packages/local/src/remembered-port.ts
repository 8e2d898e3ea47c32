import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The Supabase CLI's port for the API. */
const DEFAULT_PORT = 54321;

/** The port of the last start on `dataDir`, so that URLs that others hold stay good; 54321 on the first. */
export async function rememberedPort(dataDir: string): Promise<number> {
  const text = await readFile(join(dataDir, "port"), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return Number.parseInt(text, 10) || DEFAULT_PORT;
}

/** Keeps the port for the next start. */
export async function rememberPort(dataDir: string, port: number): Promise<void> {
  await writeFile(join(dataDir, "port"), `${port}\n`);
}
