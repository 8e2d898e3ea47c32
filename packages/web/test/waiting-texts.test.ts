import { englishTexts } from "@podbase/client";
import { describe, expect, it } from "vitest";
import { failureText, requestErrorText } from "../app/texts/errors.ts";
import { waitingText } from "../app/texts/waiting.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
const waiting = (phase: string, notice: { code: string; eta?: string } | null = null) => ({
  status: "queued",
  phase,
  notice: notice && { message: "The server's own words.", ...notice },
});
const job = { kind: "reading", status: "processing", phase: "running" } as const;
const phases = Object.keys(englishTexts.phases);

describe("waitingText", () => {
  it("calms who waits for a cold worker", () => {
    expect(waitingText(waiting("waiting_for_worker"), now, { job, task: "text" }).line).toBe(
      "Waiting for a worker. Cold GPUs take a minute to wake; nothing is wrong.",
    );
  });

  it("says that the voice takes longest", () => {
    expect(waitingText(waiting("waiting_for_worker"), now, { job, task: "audio" }).line).toContain(
      "The voice takes longest",
    );
  });

  it.each(phases)("never calls the phase %s an error", (phase) => {
    for (const task of [undefined, "text", "audio", "pdf"] as const) {
      const { line } = waitingText(waiting(phase), now, task ? { job, task } : { job });
      expect(line).not.toBe("");
      expect(line).not.toMatch(/error|fail|problem/i);
    }
  });

  it("has different words for each phase", () => {
    expect(new Set(phases.map((phase) => waitingText(waiting(phase), now, { job }).line)).size).toBe(
      phases.length,
    );
  });

  it("tells what each task is doing while it runs", () => {
    const lines = (["text", "audio", "pdf"] as const).map(
      (task) => waitingText(waiting("running"), now, task ? { job, task } : { job }).line,
    );
    expect(lines).toEqual(["Writing your reading.", "Speaking it aloud.", "Setting it on a page."]);
  });

  it("adds what a notice says, with the estimate if there is one", () => {
    const busy = waiting("waiting_for_worker", { code: "no_workers" });
    expect(waitingText(busy, now, { job }).hint).toBe(
      "No machine is there for this at the moment. You keep your place in line.",
    );
    const warming = waiting("waiting_for_worker", { code: "warming_up", eta: "2026-01-01T00:00:42Z" });
    expect(waitingText(warming, now, { job }).hint).toBe(
      "A machine is starting up for this. Expected in about 50 s.",
    );
    const again = waiting("retrying", { code: "retrying", eta: "2026-01-01T00:02:30Z" });
    expect(waitingText(again, now, { job }).hint).toBe("Nothing for you to do. Expected in about 3 min.");
  });

  it("copes with phases and notices of a newer backend", () => {
    expect(waitingText(waiting("polishing", { code: "brand_new" }), now, { job })).toEqual({
      line: "Your reading is being made.",
      hint: "The server's own words.",
    });
  });

  it("has words for jobs of other kinds, and for tasks of readings that it has never heard of", () => {
    const other = { kind: "postcards", status: "processing", phase: "running" } as const;
    expect(waitingText(waiting("running"), now, { job: other }).line).toBe("Working on it.");
    expect(waitingText(waiting("running"), now, { job: other, task: "text" }).line).toBe("Working on it.");
    expect(waitingText(waiting("running"), now, { job, task: "toString" }).line).toBe("Working on it.");
  });

  it.each(["worker_starting", "throttled", "no_workers", "slower_than_usual", "still_working"])(
    "has words of its own for the notice %s",
    (code) => {
      const { hint } = waitingText(waiting("waiting_for_worker", { code }), now, { job });
      expect(hint).not.toBe("The server's own words.");
      expect(hint).not.toMatch(/error|fail|problem/i);
    },
  );

  it("does not say of parts that were never begun that somebody stopped them", () => {
    const ended = { status: "canceled", phase: "done", notice: null };
    const failed = { kind: "reading", status: "failed", phase: "done" } as const;
    expect(waitingText(ended, now, { job: failed, task: "pdf" }).line).toContain("needed what failed");
  });

  it("blames nothing while somebody's job is being stopped", () => {
    const ended = { status: "canceled", phase: "done", notice: null };
    const stopping = { ...job, phase: "canceling" } as const;
    expect(waitingText(ended, now, { job: stopping, task: "pdf" }).line).toBe("Stopped.");
  });

  it("tells the end of a task by its status, whatever its phase", () => {
    const ended = (status: string) =>
      waitingText({ status, phase: "done", notice: null }, now, {
        job: { ...job, status: "canceled" },
        task: "audio",
      }).line;
    expect(["completed", "failed", "canceled"].map(ended)).toEqual([
      "Ready to hear.",
      "This part couldn't be made.",
      "Stopped.",
    ]);
  });
});

describe("error texts", () => {
  it("read like a person wrote them, also for codes nobody has words for", () => {
    expect(failureText({ code: "out_of_memory", message: "CUDA" })).toContain("ran out of memory");
    expect(failureText({ code: "brand_new", message: "E_FOO 17" })).not.toContain("E_FOO");
    expect(requestErrorText({ code: "network", message: "TypeError: fetch failed" })).toContain(
      "can't be reached",
    );
  });
});
