import { join } from "node:path";
import { build } from "vite";
import { ROOT } from "./harness.ts";
import type { Person } from "./watching-page.ts";

/** Opens a page without a face in a person's browser: the client alone, as `window.probe`. */
export async function openProbe({ context, page, network }: Person): Promise<void> {
  const script = await buildProbe();
  await context.route("**/probe.html", (route) =>
    route.fulfill({
      contentType: "text/html",
      body: '<!doctype html><script type="module" src="/probe.js"></script>',
    }),
  );
  await context.route("**/probe.js", (route) =>
    route.fulfill({ contentType: "text/javascript", body: script }),
  );
  await page.goto(`${network.url}/probe.html`);
  await page.waitForFunction(() => "probe" in window);
}

async function buildProbe(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: "warn",
    build: {
      write: false,
      rolldownOptions: { checks: { bundlerTimings: false } },
      lib: { entry: join(ROOT, "test/e2e/watching-probe.ts"), formats: ["es"] },
    },
  });
  const [output] = Array.isArray(built) ? built : [];
  const chunk = output?.output[0];
  if (chunk?.type !== "chunk") throw new Error("the probe was not built");
  return chunk.code;
}
