import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import {
  type ArtifactNames,
  defineJob,
  type InputOf,
  type MapNames,
  type OutputsOf,
  planOf,
} from "../src/index.ts";

const portrait = defineJob({
  kind: "portrait",
  input: z.object({ prompt: z.string(), size: z.number().default(512) }),
  tasks: {
    plan: {
      route: "cpu",
      input: ({ input }) => ({ words: input.prompt }),
      output: z.object({ seeds: z.array(z.number()) }),
    },
    image: {
      route: "gpu",
      after: ["plan"],
      input: ({ input, plan }) => ({ size: input.size, seed: plan.seeds[0] }),
      output: z.object({}),
      artifacts: { image: "image/png", mask: "image/png" },
      submitPolicy: "at_most_once",
      maxAttempts: 1,
      optional: true,
    },
  },
});

describe("defineJob", () => {
  it("types the input that a caller gives, the outputs, and the artifacts' names", () => {
    expectTypeOf<InputOf<typeof portrait>>().toEqualTypeOf<{ prompt: string; size?: number | undefined }>();
    expectTypeOf<OutputsOf<typeof portrait>["plan"]>().toEqualTypeOf<{ seeds: number[] }>();
    expectTypeOf<ArtifactNames<typeof portrait>>().toEqualTypeOf<"image" | "mask">();
  });

  it("knows which tasks have a map: what comes after sees the list of their outputs", () => {
    const spread = defineJob({
      kind: "spread",
      input: z.object({ cards: z.array(z.string()) }),
      tasks: {
        card: {
          route: "gpu",
          map: { over: "input", path: ["cards"] },
          input: ({ item, index }) => ({ item, index }),
          output: z.object({ meaning: z.string() }),
        },
        sheet: {
          route: "cpu",
          after: ["card"],
          input: ({ card }) => {
            expectTypeOf(card).toEqualTypeOf<({ meaning: string } | null)[]>();
            return { card };
          },
          output: z.object({}),
        },
      },
    });
    expectTypeOf<MapNames<typeof spread>>().toEqualTypeOf<"card">();
    const plain = defineJob({
      kind: "plain",
      input: z.object({}),
      tasks: { one: { route: "cpu", input: () => ({}), output: z.object({}) } },
    });
    const other = defineJob({
      kind: "other",
      input: z.object({}),
      tasks: { one: { ...plain.tasks.one, confirm: true } },
    });
    expectTypeOf<MapNames<typeof other>>().toBeNever();
  });

  it("refuses unknown upstream tasks and fields at compile time", () => {
    defineJob({
      kind: "wrong",
      input: z.object({ a: z.string() }),
      tasks: {
        // @ts-expect-error there is no task "nope"
        one: { route: "r", after: ["nope"], input: () => ({}), output: z.object({}) },
        // @ts-expect-error the input has no field b
        two: { route: "r", input: ({ input }) => ({ b: input.b }), output: z.object({}) },
      },
    });
  });

  it("becomes a plan without functions, fit to be stored", () => {
    const plan = planOf(portrait);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    expect(plan.tasks).toEqual([
      {
        name: "plan",
        route: "cpu",
        after: [],
        artifacts: {},
        optional: false,
        submitPolicy: "at_least_once",
        maxAttempts: 3,
      },
      {
        name: "image",
        route: "gpu",
        after: ["plan"],
        artifacts: { image: "image/png", mask: "image/png" },
        optional: true,
        submitPolicy: "at_most_once",
        maxAttempts: 1,
      },
    ]);
  });
});
