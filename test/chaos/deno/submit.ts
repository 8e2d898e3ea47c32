/** Run by Deno: submits twice over one kept connection to the address it is given, and prints both outcomes. */
import { RunPod } from "@podbase/core";

declare const Deno: { args: string[] };

const runpod = new RunPod({ apiKey: "key", baseUrl: Deno.args[0] as string });
const request = { input: { n: 1 }, webhook: "http://h/", policy: { executionTimeout: 5000, ttl: 10_000 } };
const first = await runpod.run("first", request);
const second = await runpod.run("second", request);
console.log(JSON.stringify([first.outcome, second.outcome]));
