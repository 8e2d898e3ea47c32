import { expect, it } from "vitest";
import { bundleSize, GOAL_BYTES } from "./support/bundle-size.ts";

it("adds at most 12 kB to an app, hooks and React Native's adapter included, besides supabase-js and React", async () => {
  const { gzipped } = await bundleSize("index", "react", "react-native");
  console.log(`client bundle: ${gzipped} bytes gzipped`);
  expect(gzipped).toBeLessThanOrEqual(GOAL_BYTES);
});
