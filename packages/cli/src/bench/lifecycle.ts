import type { Sql } from "postgres";
import { engine } from "./engine-calls.ts";
import { userId } from "./payload.ts";

/** Takes `count` jobs of one task from submission to completion, one after another on one connection. */
export async function runLifecycles(sql: Sql, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const { claims } = await engine.submit(sql, userId(n));
    for (const claim of claims) {
      await engine.accept(sql, [claim]);
      claims.push(...(await engine.complete(sql, claim)));
    }
  }
}
