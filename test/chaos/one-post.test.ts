import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

it.each(["reset", "closed"])(
  "a submission is posted once, and unknown, when its kept connection is %s after it arrived",
  async (how) => {
    const posts: string[] = [];
    const lengths: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      request.resume().on("end", () => {
        posts.push(String(request.url));
        lengths.push(request.headers["content-length"]);
        if (request.url?.startsWith("/first")) response.end(JSON.stringify({ id: "1", status: "IN_QUEUE" }));
        else if (how === "reset") request.socket.resetAndDestroy();
        else request.socket.destroy();
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const { stdout } = await promisify(execFile)(
        `${ROOT}node_modules/.bin/deno`,
        [
          ["run", "--quiet", "--no-lock", "--node-modules-dir=manual", "--allow-net", "--allow-env"],
          ["--config", `${ROOT}supabase/functions/reconcile/deno.json`],
          [`${ROOT}test/chaos/deno/submit.ts`, url],
        ].flat(),
        { env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" } },
      );
      expect(JSON.parse(stdout)).toEqual(["accepted", "unknown"]);
      expect(posts).toEqual(["/first/run", "/second/run"]);
      // As RunPod has always seen them: with a length, not in chunks.
      expect(lengths.every((length) => Number(length) > 0)).toBe(true);
    } finally {
      server.close();
    }
  },
);
