import { defineJob } from "@podbase/core";
import { createClient } from "@supabase/supabase-js";
import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";
import {
  type Artifact,
  createPodbase,
  isTerminal,
  type Job,
  type JobOf,
  type PodbaseError,
  type TerminalStatus,
} from "../src/index.ts";
import { type UseJob, usePodbase, useRequestJob } from "../src/react.ts";
import { createPodbaseServer } from "../src/server.ts";

const jobs = {
  reading: defineJob({
    kind: "reading",
    input: z.object({ name: z.string(), voice: z.enum(["alto", "bass"]).default("alto") }),
    tasks: {
      text: {
        route: "text",
        input: ({ input }) => ({ name: input.name }),
        output: z.object({ text: z.string() }),
        artifacts: { text: "text/markdown" },
      },
      audio: {
        route: "audio",
        after: ["text"],
        input: ({ text }) => ({ text: text.text }),
        output: z.object({ seconds: z.number() }),
        artifacts: { audio: "audio/wav", peaks: "application/json" },
      },
    },
  }),
  spread: defineJob({
    kind: "spread",
    input: z.object({ cards: z.array(z.string()) }),
    tasks: {
      card: {
        route: "image",
        map: { over: "input", path: ["cards"] },
        input: ({ item, index }) => ({ name: item, index }),
        output: z.object({ meaning: z.string() }),
        artifacts: { image: "image/png" },
      },
      sheet: {
        route: "pdf",
        after: ["card"],
        input: ({ card }) => ({ meanings: card.map((one) => one?.meaning) }),
        output: z.object({ pages: z.number() }),
        artifacts: { pdf: "application/pdf" },
      },
    },
  }),
  portrait: defineJob({
    kind: "portrait",
    input: z.object({ prompt: z.string() }),
    tasks: {
      image: {
        route: "image",
        input: ({ input }) => ({ prompt: input.prompt }),
        output: z.object({ seed: z.number() }),
        artifacts: { image: "image/png" },
      },
    },
  }),
};
type Jobs = typeof jobs;

/** A client whose calls are only type-checked, never run. */
const podbase = createPodbase<Jobs>(
  createClient("http://podbase.test", "sb_publishable_test", {
    realtime: { transport: class {} as never },
  }),
);
const neverRun = (_: () => unknown): void => {};

describe("the types of a client", () => {
  it("take the input of the kind, with defaults left out, and nothing else", () => {
    neverRun(() => podbase.jobs.request("reading", { name: "Ada" }));
    neverRun(() => podbase.jobs.request("portrait", { prompt: "A tree" }));
    // @ts-expect-error no such kind
    neverRun(() => podbase.jobs.request("raeding", { name: "Ada" }));
    // @ts-expect-error input of another kind
    neverRun(() => podbase.jobs.request("reading", { prompt: "A tree" }));
    // @ts-expect-error wrong type of a field
    neverRun(() => podbase.jobs.request("reading", { name: 7 }));
    // @ts-expect-error no such voice
    neverRun(() => podbase.jobs.request("reading", { name: "Ada", voice: "tenor" }));
    // @ts-expect-error no such field
    neverRun(() => podbase.jobs.request("reading", { name: "Ada", nmae: "Ada" }));
  });

  it("give the result of a request as data or error", () => {
    neverRun(async () => {
      const { data, error } = await podbase.jobs.request("reading", { name: "Ada" });
      if (error) {
        expectTypeOf(error).toEqualTypeOf<PodbaseError>();
        expectTypeOf(data).toBeNull();
      } else {
        expectTypeOf(data).toEqualTypeOf<Job<Jobs["reading"]>>();
        expectTypeOf(data.input).toEqualTypeOf<{ name: string; voice: "alto" | "bass" }>();
      }
    });
  });

  it("know tasks and artifacts by name, and outputs of what is completed", () => {
    neverRun(() => {
      const job = {} as Job<Jobs["reading"]>;
      const { audio } = job.tasks;
      expectTypeOf(audio.artifacts.audio).toEqualTypeOf<Artifact<"audio"> | undefined>();
      // @ts-expect-error no such task
      job.tasks.adio;
      // @ts-expect-error no such artifact
      audio.artifacts.adio;
      // @ts-expect-error the output is not there before the task is completed
      audio.output.seconds;
      if (audio.status === "completed") {
        expectTypeOf(audio.output).toEqualTypeOf<{ seconds: number }>();
      }
      if (audio.artifacts.audio) podbase.artifacts.url(audio.artifacts.audio);
      // @ts-expect-error an artifact that may not be there yet
      podbase.artifacts.url(job.tasks.text.artifacts.text);
    });
  });

  it("know the items of a map, which may not be there, beside its own row, which has their outputs", () => {
    neverRun(() => {
      const { tasks } = {} as Job<Jobs["spread"]>;
      const first = tasks["card[0]"];
      // @ts-expect-error the list may be shorter
      first.status;
      if (first?.status === "completed") {
        expectTypeOf(first.output).toEqualTypeOf<{ meaning: string }>();
        expectTypeOf(first.artifacts.image).toEqualTypeOf<Artifact<"image"> | undefined>();
        // @ts-expect-error no such artifact
        first.artifacts.pdf;
      }
      for (let n = 0; n < 3; n++) expectTypeOf(tasks[`card[${n}]`]).toEqualTypeOf(first);
      // @ts-expect-error the files are the items'
      tasks.card.artifacts.image;
      if (tasks.card.status === "completed")
        expectTypeOf(tasks.card.output).toEqualTypeOf<({ meaning: string } | null)[]>();
      if (tasks.sheet.status === "completed")
        expectTypeOf(tasks.sheet.output).toEqualTypeOf<{ pages: number }>();
      // @ts-expect-error only a map has items
      tasks["sheet[0]"];
      const { tasks: others } = {} as Job<Jobs["portrait"]>;
      // @ts-expect-error only a map has items
      others["image[0]"];
    });
  });

  it("tell kinds apart by kind", () => {
    neverRun(async () => {
      const job = await podbase.jobs.awaitResult("id");
      expectTypeOf(job).toEqualTypeOf<JobOf<Jobs>>();
      expectTypeOf(job.kind).toEqualTypeOf<"reading" | "spread" | "portrait">();
      if (job.kind === "portrait") expectTypeOf(job.tasks.image.name).toEqualTypeOf<"image">();
      // @ts-expect-error only portraits have an image
      else job.tasks.image;
      if (isTerminal(job)) expectTypeOf(job.status).toEqualTypeOf<TerminalStatus>();
    });
  });

  it("hold for each of many requests", () => {
    neverRun(async () => {
      const { data } = await podbase.jobs.requestMany([
        { kind: "reading", input: { name: "Ada" } },
        { kind: "portrait", input: { prompt: "A tree" }, idempotencyKey: "k" },
      ]);
      expectTypeOf(data).toEqualTypeOf<{ id: string; created: boolean }[] | null>();
      // @ts-expect-error input of another kind
      podbase.jobs.requestMany([{ kind: "portrait", input: { name: "Ada" } }]);
      // @ts-expect-error no such kind
      podbase.jobs.requestMany([{ kind: "raeding", input: { name: "Ada" } }]);
      createPodbase(createClient("", "")).jobs.requestMany([{ kind: "anything", input: 7 }]);
    });
  });

  it("are the same for watches, lists and hooks", () => {
    neverRun(async () => {
      for await (const job of podbase.jobs.watch("id")) expectTypeOf(job).toEqualTypeOf<JobOf<Jobs>>();
      podbase.jobs.watch("id", (job) => expectTypeOf(job).toEqualTypeOf<JobOf<Jobs>>());
      podbase.jobs.watch({}, ({ jobs: all }) => expectTypeOf(all).toEqualTypeOf<JobOf<Jobs>[]>());
      for await (const { jobs: open, error } of podbase.jobs.watch({ status: "processing", limit: 3 })) {
        expectTypeOf(open).toEqualTypeOf<JobOf<Jobs>[]>();
        expectTypeOf(error).toEqualTypeOf<PodbaseError | null>();
      }
      // @ts-expect-error no such status
      podbase.jobs.watch({ status: "done" });
      expectTypeOf((await podbase.jobs.list()).data).toEqualTypeOf<JobOf<Jobs>[] | null>();
      expectTypeOf<UseJob<Jobs>["job"]>().toEqualTypeOf<JobOf<Jobs> | null>();
      // @ts-expect-error no such status
      podbase.jobs.list({ status: "done" });
    });
  });

  it("hold for queued requests, hooks and servers", () => {
    neverRun(async () => {
      await podbase.outbox.add("portrait", { prompt: "A tree" });
      // @ts-expect-error input of another kind
      await podbase.outbox.add("portrait", { name: "Ada" });
      podbase.outbox.onDelivery(({ job }) => expectTypeOf(job).toExtend<JobOf<Jobs> | null>());
      const { request } = useRequestJob(podbase, "reading");
      expectTypeOf((await request({ name: "Ada" })).data).toEqualTypeOf<Job<Jobs["reading"]> | null>();
      // @ts-expect-error no such voice
      await request({ name: "Ada", voice: "tenor" });
      // @ts-expect-error no such kind
      useRequestJob(podbase, "raeding");
      expectTypeOf(usePodbase<Jobs>()).toEqualTypeOf<typeof podbase>();
      const server = createPodbaseServer(createClient("", ""), { jobs });
      await server.submit("portrait", { prompt: "A tree" }, { userId: "ada" });
      // @ts-expect-error whose job it is has to be said
      await server.submit("portrait", { prompt: "A tree" }, {});
      // @ts-expect-error input of another kind
      await server.submit("portrait", { name: "Ada" }, { userId: "ada" });
    });
  });

  it("take clients with a generated Database type, and work without definitions", () => {
    interface Database {
      public: { Tables: Record<never, never>; Views: Record<never, never>; Functions: Record<never, never> };
    }
    neverRun(async () => {
      createPodbase<Jobs>(createClient<Database>("", ""));
      const untyped = createPodbase(createClient("", ""));
      const { data } = await untyped.jobs.request("anything", { at: "all" });
      expectTypeOf(data?.tasks.some?.artifacts.file).toEqualTypeOf<Artifact<string> | undefined>();
    });
  });
});
