import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toJob } from "../src/from-row.ts";
import { createJobStore } from "../src/job-store.ts";
import type { JobMessage } from "../src/message.ts";
import { createFakeDatabase, type JobChange } from "./support/fake-database.ts";
import { artifactRow, jobId, jobRow, taskRow } from "./support/rows.ts";

const ID = jobId(1);

/** A store that has read the job once, and the database it was read from. */
const readOnce = (changes: Parameters<typeof jobRow>[1] = {}) => {
  const database = createFakeDatabase();
  database.insert(jobRow(1, changes));
  const store = createJobStore();
  store.add(ID);
  const read = () => {
    const row = database.rows.get(ID);
    return row ? store.applyRow(toJob(row)) : false;
  };
  read();
  return { store, database, read, hear: (messages: JobMessage[]) => messages.map(store.applyMessage) };
};

describe("the job store", () => {
  it("ignores jobs that are not in view", () => {
    const store = createJobStore();
    expect(store.applyRow(toJob(jobRow(1)))).toBe(false);
    expect(store.get(ID)).toBeNull();
    expect(store.stale()).toEqual([]);
  });

  it("wants a job read that was never read", () => {
    const store = createJobStore();
    store.add(ID);
    expect(store.stale()).toEqual([ID]);
  });

  it("shows progress at once and needs no reading for it", () => {
    const { store, database, hear } = readOnce({ status: "processing", phase: "running" });
    const messages = database.change(ID, { progress: 0.25, tasks: [{ name: "text", progress: 0.5 }] });
    expect(hear(messages)).toEqual([true]);
    expect(store.get(ID)).toMatchObject({
      version: 2,
      progress: 0.25,
      tasks: { text: { progress: 0.5, version: 2 } },
    });
    expect(store.stale()).toEqual([]);
  });

  it("shows a new phase at once and has the row read, as a notice may have come with it", () => {
    const { store, database, hear } = readOnce();
    hear(database.change(ID, { phase: "waiting_for_worker" }));
    expect(store.get(ID)?.phase).toBe("waiting_for_worker");
    expect(store.stale()).toEqual([ID]);
  });

  it("has the row read when a message shows no difference, as something unseen changed", () => {
    const { store, database, hear, read } = readOnce();
    const notice = { code: "warming_up", message: "A worker starts", since: "now" };
    hear(database.change(ID, { notice }));
    expect(store.stale()).toEqual([ID]);
    expect(read()).toBe(true);
    expect(store.get(ID)?.notice).toEqual(notice);
    expect(store.stale()).toEqual([]);
  });

  it("keeps the end of a job back until its row was read", () => {
    const { store, database, hear, read } = readOnce({ status: "processing", phase: "running" });
    const done = { name: "text", status: "completed", phase: "done", output: { text: "Once" } } as const;
    const messages = database.change(ID, { status: "completed", phase: "done", tasks: [done] });
    expect(hear(messages)).toEqual([false]);
    expect(store.get(ID)?.status).toBe("processing");
    expect(store.stale()).toEqual([ID]);
    read();
    expect(store.get(ID)?.tasks.text?.output).toEqual({ text: "Once" });
  });

  it("keeps a completed task back until its artifacts are known", () => {
    const { store, database, hear, read } = readOnce({ status: "processing", phase: "running" });
    const change: JobChange = {
      artifacts: [artifactRow("text", "text")],
      tasks: [{ name: "text", status: "completed", phase: "done", output: {} }],
    };
    hear(database.change(ID, change));
    expect(store.get(ID)?.tasks.text?.status).toBe("queued");
    read();
    expect(store.get(ID)?.tasks.text).toMatchObject({
      status: "completed",
      artifacts: { text: { name: "text" } },
    });
  });

  it("keeps the return of a failed job back until its row was read, as its error is over", () => {
    const error = { code: "bad_input", message: "no" };
    const failed = { status: "failed", phase: "done", error } as const;
    const { store, database, hear, read } = readOnce({ ...failed, tasks: [taskRow("text", failed)] });
    const open = { status: "queued", phase: "queued", error: null } as const;
    hear(database.change(ID, { ...open, tasks: [{ name: "text", ...open }] }));
    expect(store.get(ID)).toMatchObject(failed);
    expect(store.stale()).toEqual([ID]);
    read();
    expect(store.get(ID)).toMatchObject({ ...open, tasks: { text: open } });
  });

  it("shows what it can after a gap and has the row read", () => {
    const { store, database, hear } = readOnce();
    database.change(ID, { phase: "submitting" });
    hear(database.change(ID, { status: "processing", phase: "running" }));
    expect(store.get(ID)).toMatchObject({ version: 3, phase: "running" });
    expect(store.stale()).toEqual([ID]);
  });

  it("is not content with a row older than what it heard of", () => {
    const { store, database, hear } = readOnce();
    const old = toJob(jobRow(1));
    hear(database.change(ID, { phase: "submitting" }));
    expect(store.applyRow(old)).toBe(false);
    expect(store.get(ID)?.phase).toBe("submitting");
    expect(store.stale()).toEqual([ID]);
  });

  it("tells nothing new about a row it knows", () => {
    const { store, read } = readOnce();
    const shown = store.get(ID);
    expect(read()).toBe(false);
    expect(store.get(ID)).toBe(shown);
  });

  it("forgets the jobs that nobody looks at", () => {
    const { store } = readOnce();
    store.keepOnly(new Set());
    expect(store.get(ID)).toBeNull();
  });
});

/** What happens to a client, in the order in which it happens. */
type Step =
  | { do: "change"; change: JobChange }
  | { do: "deliver"; pick: number; keep: boolean }
  | { do: "startRead" }
  | { do: "finishRead"; pick: number };

const phases = fc.constantFrom(
  "queued",
  "submitting",
  "waiting_for_worker",
  "running",
  "retrying",
) as fc.Arbitrary<NonNullable<JobChange["phase"]>>;
const progress = fc.constantFrom(null, 0.25, 0.5);
const taskName = fc.constantFrom("text", "audio");
const atMostOneATask = { selector: ({ name }: { name: string }) => name, maxLength: 2 };

// The contract of podbase_private.take_progress: what moves progress moves nothing that messages don't carry.
const progressChange: fc.Arbitrary<JobChange> = fc.record({
  progress,
  tasks: fc.uniqueArray(fc.record({ name: taskName, progress }), atMostOneATask),
});
const stateChange = fc.record(
  {
    status: fc.constantFrom("queued", "processing", "failed", "completed"),
    phase: phases,
    notice: fc.constantFrom(null, { code: "warming_up", message: "", since: "" }),
    tasks: fc.uniqueArray(
      fc.record(
        {
          name: taskName,
          status: fc.constantFrom("queued", "processing", "completed", "failed"),
          phase: phases,
          output: fc.constantFrom(null, { text: "a" }),
        },
        { requiredKeys: ["name"] },
      ),
      atMostOneATask,
    ),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<JobChange>;
const change = fc.oneof(progressChange, stateChange);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("change" as const), change }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("deliver" as const), pick: fc.nat(), keep: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("startRead" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("finishRead" as const), pick: fc.nat() }) },
);

describe("the job store under any interleaving", () => {
  // Messages are delivered in any order, doubled (kept) or never; readings overlap and answer late.
  const play = (steps: Step[], look: (version: number) => void) => {
    const { store, database } = readOnce();
    const inFlight: JobMessage[] = [];
    const readings: ReturnType<typeof jobRow>[] = [];
    const latest = () => {
      const row = database.rows.get(ID);
      if (!row) throw new Error("the job is gone");
      return row;
    };
    for (const step of steps) {
      if (step.do === "change") inFlight.push(...database.change(ID, step.change));
      if (step.do === "startRead") readings.push(latest());
      if (step.do === "deliver" && inFlight.length > 0) {
        const at = step.pick % inFlight.length;
        const message = inFlight[at];
        if (!step.keep) inFlight.splice(at, 1);
        if (message) store.applyMessage(message);
      }
      if (step.do === "finishRead" && readings.length > 0) {
        const [row] = readings.splice(step.pick % readings.length, 1);
        if (row) store.applyRow(toJob(row));
      }
      look(store.get(ID)?.version ?? 0);
    }
    return { store, inFlight, latest };
  };

  it("never goes back in versions", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let highest = 0;
        play(steps, (version) => {
          expect(version).toBeGreaterThanOrEqual(highest);
          highest = version;
        });
      }),
      { numRuns: 500 },
    );
  });

  it("equals the database as soon as nothing is stale and the last message arrived", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { store, inFlight, latest } = play(steps, () => {});
        const last = inFlight.find(({ version }) => version === latest().version);
        if (last) store.applyMessage(last);
        if (store.stale().length > 0) store.applyRow(toJob(latest()));
        expect(store.stale()).toEqual([]);
        expect(store.get(ID)).toEqual(toJob(latest()));
      }),
      { numRuns: 2_000 },
    );
  });

  it("equals the database after a reading, whatever was lost", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { store, latest } = play(steps, () => {});
        store.applyRow(toJob(latest()));
        expect(store.get(ID)).toEqual(toJob(latest()));
        expect(store.stale()).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
