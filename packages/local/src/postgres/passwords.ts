import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { randomText } from "../random.ts";

/** Passwords of one cluster, so that other users of the machine can't log in. */
export interface Passwords {
  /** Of `supabase_admin`. */
  superuser: string;
  /** Of `postgres`, `authenticator` and the services' login roles. */
  roles: string;
}

/** Reads `passwords.json` (mode 0600) from `dataDir`, making it on the first start. */
export async function loadPasswords(dataDir: string): Promise<Passwords> {
  const file = join(dataDir, "passwords.json");
  try {
    return JSON.parse(await readFile(file, "utf8")) as Passwords;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const passwords: Passwords = { superuser: randomText(40), roles: randomText(40) };
  await writeFile(`${file}.draft`, JSON.stringify(passwords), { mode: 0o600 });
  await rename(`${file}.draft`, file);
  return passwords;
}
