import type { AuthTransaction } from "./auth-database.ts";
import { writingUser } from "./users.ts";

/** Merges into one of the user's metadata columns; a null value removes its key. */
export async function mergeMetadata(
  tx: AuthTransaction,
  id: string,
  column: "raw_user_meta_data" | "raw_app_meta_data",
  changes: Record<string, unknown>,
): Promise<void> {
  const removed = Object.keys(changes).filter((key) => changes[key] === null);
  const set = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null));
  const update = tx`
    update auth.users
    set ${tx(column)} = (coalesce(${tx(column)}, '{}') || ${tx.json(set as never)}) - ${removed}::text[],
      updated_at = now()
    where id = ${id}`;
  await writingUser(update, "updating user");
}
