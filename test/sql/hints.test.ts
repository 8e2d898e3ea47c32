import type { Claim, HintResult, Poll } from "@podbase/core";
import { describe, expect, it } from "vitest";
import { engineOfFile, ONE, reportOf } from "./harness.ts";

const { engine, user } = await engineOfFile();

const polls = async () => (await engine.sql`select podbase.claim_polls() as polls`)[0]!.polls as Poll[];

describe("a webhook that is a hint", () => {
  const hint = async (claim: Claim, report: object) =>
    (await engine.sql`select podbase.record_hint(${engine.sql.json(reportOf(claim, report))}) as result`)[0]!
      .result as HintResult;

  it("changes nothing, but gives what to look up and has it looked up soon", async () => {
    const { id, claim } = await engine.inQueue(user);
    const result = await hint(claim, { status: "COMPLETED", output: { forged: true }, providerId: "other" });
    expect(result).toMatchObject({
      verdict: "unchanged",
      poll: {
        attempt: claim.attempt,
        providerId: `${claim.attempt}-u1`,
        endpoint: { name: "one", providerId: "ep-one" },
        kind: "reading",
        task: "text",
      },
    });
    expect((await engine.job(id)).status).toBe("processing");
    await engine.clock(16);
    expect(await polls()).toHaveLength(1);
    await engine.report(claim, { source: "poll", status: "COMPLETED", output: {} });
    expect((await engine.job(id)).status).toBe("completed");
    expect(await hint(claim, { status: "COMPLETED" })).not.toHaveProperty("poll");
  });

  it("answers for a POST that had no answer", async () => {
    const { claims } = await engine.submit(user, ONE);
    const claim = claims[0]!;
    await engine.submission(claim, { outcome: "unknown" });
    const { poll } = await hint(claim, { status: "COMPLETED", providerId: "rp-9" });
    expect(poll).toMatchObject({ providerId: "rp-9" });
    expect(await engine.attempt(claim)).toMatchObject({ state: "in_queue", provider_id: "rp-9" });
  });

  it("with a wrong token is nothing at all", async () => {
    const { claim } = await engine.inQueue(user);
    expect(await hint(claim, { status: "COMPLETED", token: "x" })).toEqual({
      verdict: "unauthorized",
      proceed: false,
      claims: [],
    });
  });
});
