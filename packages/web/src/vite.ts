import { fileURLToPath } from "node:url";
import type { InlineConfig, Plugin } from "vite";

/** Folder of the page's sources (`index.html` and what it imports). */
const appDir = fileURLToPath(new URL("../app", import.meta.url));

/** Vite's configuration for the page; builds and the dev server add to it. */
export function viteConfig(): InlineConfig {
  return {
    configFile: false,
    root: appDir,
    logLevel: "warn",
    clearScreen: false,
    plugins: [serverCodeGuard()],
    // One React, also when a workspace brings its own copy.
    resolve: { dedupe: ["react", "react-dom"] },
    build: {
      // `light-dark()` must reach the browser as it is: lowered, it needs twice the CSS.
      target: ["chrome123", "edge123", "firefox120", "safari17.5"],
      assetsInlineLimit: 0,
      // What draws PDFs is large, and loaded only by who opens one.
      chunkSizeWarningLimit: 1_000,
      modulePreload: { polyfill: false },
      // A slow machine is no reason to talk.
      rolldownOptions: { checks: { bundlerTimings: false } },
    },
  };
}

/** Fails a build whose bundle holds the engine's code or its validators: the page needs types of them, no code. */
function serverCodeGuard(): Plugin {
  return {
    name: "podbase-server-code-guard",
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        for (const [id, module] of Object.entries(chunk.modules)) {
          if (module.renderedLength > 0 && /\/packages\/core\/|\/node_modules\/zod\//.test(id)) {
            this.error(`${id} must not be in the page's bundle; import its types only`);
          }
        }
      }
    },
  };
}
