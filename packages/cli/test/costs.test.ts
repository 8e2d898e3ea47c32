import { expect, it } from "vitest";
import { costRows, costsOf } from "../src/bench/costs.ts";

const perJob = {
  realtimeMessages: 10,
  realtimeBytes: 4000,
  restReads: 5,
  databaseCalls: 10,
  functionCalls: { requestJob: 1, webhook: 3, worker: 3, reconcile: 1 },
};

it("prices the calls of all functions, and each broadcast as sent and as heard", () => {
  expect(costsOf({ perJob })).toEqual([
    { what: "Edge Function calls", perJob: 8, jobsFree: 62_500, jobsPro: 250_000, perThousand: 0.016 },
    {
      what: "Realtime messages, one client",
      perJob: 20,
      jobsFree: 100_000,
      jobsPro: 250_000,
      perThousand: 0.05,
    },
  ]);
});

it("keeps what a thousand jobs cost readable however little it is", () => {
  expect(costRows(costsOf({ perJob })).map((row) => row.at(-1))).toEqual([
    "$ per 1,000 more",
    "0.016",
    "0.05",
  ]);
});
