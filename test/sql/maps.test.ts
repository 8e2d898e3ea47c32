import { describe, expect, it } from "vitest";
import { engineOfFile, type PlanTask } from "./harness.ts";

const { engine, user } = await engineOfFile();

/** An image for each element of a list, then one sheet of them all. */
const over = (where: string, more: object = {}): PlanTask[] => [
  ...(where === "input" ? [] : [{ name: where, route: "gpu" }]),
  {
    name: "image",
    route: "gpu",
    after: where === "input" ? [] : [where],
    map: { over: where, path: ["list"] },
    ...more,
  } as PlanTask,
  { name: "sheet", route: "gpu", after: ["image"] },
];

describe("a map", () => {
  it("over the input becomes one task an element; what follows sees their outputs in order", async () => {
    const { job, claims } = await engine.submit(user, over("input"), { input: { list: ["a", "b", "c"] } });
    const sorted = claims.toSorted((one, other) => one.index! - other.index!);
    expect(sorted.map(({ task, item, index }) => [task, item, index])).toEqual([
      ["image[0]", "a", 0],
      ["image[1]", "b", 1],
      ["image[2]", "c", 2],
    ]);
    for (const claim of [sorted[2]!, sorted[0]!]) await engine.complete(claim, { of: claim.item });
    expect(await engine.job(job.id)).toMatchObject({
      status: "processing",
      progress: 0.5,
      tasks: { "image[2]": { output: { of: "c" } }, image: { status: "blocked" } },
    });
    const { claims: last } = await engine.complete(sorted[1]!, { of: "b" });
    expect(last).toMatchObject([
      { task: "sheet", upstream: { image: [{ of: "a" }, { of: "b" }, { of: "c" }] } },
    ]);
    await engine.complete(last[0]!, {});
    expect(await engine.job(job.id)).toMatchObject({ status: "completed", progress: 1 });
  });

  it("over an upstream's output opens when that is there", async () => {
    const { job, claims } = await engine.submit(user, over("script"));
    const { claims: items } = await engine.complete(claims[0]!, { list: [1, 2] });
    expect(items.map((claim) => claim.task).sort()).toEqual(["image[0]", "image[1]"]);
    expect(items[0]!.upstream).toEqual({ script: { list: [1, 2] } });
    for (const claim of items) await engine.complete(claim, {});
    expect((await engine.job(job.id)).tasks.image!.status).toBe("completed");
  });

  it("of an empty list is completed at once", async () => {
    const { job, claims } = await engine.submit(user, over("input"), { input: { list: [] } });
    expect((await engine.job(job.id)).tasks.image).toMatchObject({ status: "completed", output: [] });
    expect(claims.concat(await engine.claim())).toMatchObject([{ task: "sheet", upstream: { image: [] } }]);
  });

  it("over what is no list fails, and with it what waits for it", async () => {
    const { job } = await engine.submit(user, over("input"), { input: { list: "abc" } });
    expect(await engine.job(job.id)).toMatchObject({ status: "failed", error: { code: "invalid_output" } });
  });

  it("fails with one of its items, unless it is optional; a retry runs that item only", async () => {
    for (const optional of [false, true]) {
      const { job, claims } = await engine.submit(user, over("input", { optional }), {
        input: { list: [1, 2] },
      });
      const [bad, good] = claims;
      await engine.complete(good!, { fine: true });
      await engine.report(bad!, { status: "FAILED", class: "bad_input", error: "no" });
      const { tasks, status } = await engine.job(job.id);
      expect(tasks.image!.status).toBe(optional ? "completed" : "failed");
      if (optional) continue;
      expect(status).toBe("failed");
      await engine.as(user, (tx) => tx`select podbase.retry_job(${job.id})`);
      expect(await engine.claim()).toMatchObject([{ task: bad!.task, number: 2 }]);
    }
  });

  it.each([
    ["nothing", { map: {} }],
    ["a task that is not before it", { map: { over: "sheet", path: [] } }],
    ["no path", { map: { over: "input" } }],
  ])("over %s is refused (PB003)", async (_what, more) => {
    await expect(engine.submit(user, over("input", more))).rejects.toMatchObject({ code: "PB003" });
  });

  it.each([
    ["has no element", { list: [] }, "completed"],
    ["is none", { list: 7 }, "failed"],
  ])("whose list %s ends a canceled job's retry at once", async (_what, output, status) => {
    const [script, image] = over("script");
    const { job, claims } = await engine.submit(user, [script!, image!]);
    await engine.accepted(...claims);
    await engine.as(user, (tx) => tx`select podbase.cancel_job(${job.id})`);
    await engine.complete(claims[0]!, output);
    expect(await engine.job(job.id)).toMatchObject({ status: "canceled" });
    const [row] = await engine.as(user, (tx) => tx`select podbase.retry_job(${job.id}) as job`);
    expect(row!.job).toMatchObject({ status, phase: "done" });
    expect(await engine.job(job.id)).toMatchObject({ status, tasks: { image: { status } } });
  });
});
