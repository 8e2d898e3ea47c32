import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Constants } from "../src/database-types.ts";
import { englishTexts, waitingText } from "../src/index.ts";

const state = (phase: string, notice: { code: string; message: string; eta?: string } | null = null) => ({
  status: phase === "done" ? "completed" : "processing",
  phase,
  notice,
});

describe("the words for waiting", () => {
  it("exist for each phase and end, and are overridable", () => {
    for (const phase of Constants.podbase.Enums.phase)
      expect(waitingText(state(phase)).line).toMatch(/^[A-Z].*\.$/);
    const texts = { ...englishTexts, phases: { ...englishTexts.phases, running: "Es läuft." } };
    expect(waitingText(state("running"), { texts }).line).toBe("Es läuft.");
  });

  it("exist for each notice that the database says while something waits", () => {
    const sql = readFileSync(
      new URL("../../../supabase/migrations/20260101000700_settle.sql", import.meta.url),
      "utf8",
    );
    const words = /function podbase_private\.notice.*?end\);/s.exec(sql)?.[0] ?? "";
    const codes = [...words.matchAll(/when '(\w+)' then/g)].map(([, code]) => code ?? "");
    expect(codes.length).toBeGreaterThan(5);
    for (const code of codes) {
      // What waits for nothing any more is told by its status.
      if (code !== "upstream_failed") expect(englishTexts.notices).toHaveProperty(code);
      const texts = { ...englishTexts, notices: { ...englishTexts.notices, [code]: "Geduld." } };
      expect(waitingText(state("running", { code, message: "x" }), { texts }).hint).toBe("Geduld.");
    }
  });

  it("never sound like an error while something is only waiting", () => {
    for (const line of [...Object.values(englishTexts.phases), ...Object.values(englishTexts.notices)]) {
      expect(line).not.toMatch(/error|fail|timed? ?out/i);
    }
  });

  it("add the notice, with its estimate, in the server's words if it is unknown", () => {
    const notice = { code: "no_workers", message: "x", eta: "2026-01-01T00:03:00Z" };
    const now = Date.parse("2026-01-01T00:00:00Z");
    expect(waitingText(state("waiting_for_worker", notice), { now }).hint).toBe(
      "No machine is there for this at the moment. You keep your place in line. Expected in about 3 min.",
    );
    expect(waitingText(state("running", { code: "new", message: "Polishing." })).hint).toBe("Polishing.");
    expect(waitingText(state("canceling", notice))).toEqual({ line: englishTexts.phases.canceling });
  });

  it("take a phase of a newer server for work", () => {
    expect(waitingText(state("dreaming")).line).toBe(englishTexts.phases.running);
  });

  it("tell a place in the queue", () => {
    expect(englishTexts.queued(0, false)).toBe("Next in line.");
    expect(englishTexts.queued(1000, true)).toBe("1000 or more before this one.");
  });
});
