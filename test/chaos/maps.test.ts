import { afterEach, expect, it } from "vitest";
import { databaseOfFile } from "./database.ts";
import { World } from "./world.ts";

const database = await databaseOfFile();
let world: World;
afterEach(() => world.close());

/** The worker: a caption of a word, scenes of words, a picture of a scene, the count of all. One word is too hard for it. */
function work(input: Record<string, unknown>): Record<string, unknown> {
  if (input.word === "unspeakable") throw new Error("invalid input: no caption for that");
  if (typeof input.word === "string") return { caption: `about ${input.word}` };
  if (Array.isArray(input.words)) return { scenes: input.words.map((word) => `scene of ${word}`) };
  if (typeof input.scene === "string") return { of: `${input.place}: ${input.scene}` };
  const { captions, images } = input as { captions: unknown[]; images: unknown[] };
  return { captions: captions.filter((caption) => caption !== null).length, images: images.length };
}

interface Snapshot {
  status: string;
  tasks: Record<string, { status: string; output: unknown }>;
  files: string[];
}

/** The job as its owner's app reads it. */
async function read(job: string): Promise<Snapshot> {
  const [row] = await database.query<{ status: string; tasks: Snapshot["tasks"]; files: string[] }>(
    `select j.status, (select jsonb_object_agg(name, to_jsonb(t)) from podbase.tasks t where t.job_id = j.id) as tasks,
       array(select task from podbase.artifacts where job_id = j.id order by task) as files
     from podbase.jobs j where j.id = $1`,
    job,
  );
  return row as Snapshot;
}

it("maps over the input and over an upstream's output run to the end, an optional item failing, their results visible as they come", async () => {
  world = await World.open({ database, work });
  const job = await world.request("gallery", { words: ["tea", "unspeakable", "rain"] });
  const seen: Snapshot[] = [];
  for (let second = 0; (seen.at(-1)?.status ?? "queued") !== "completed"; second++) {
    expect(second, "seconds until all is done").toBeLessThan(600);
    await world.wait(1000);
    if (second % 10 === 9) await world.pass();
    seen.push(await read(job));
  }

  const { tasks, files } = seen.at(-1)!;
  expect(Object.keys(tasks).sort()).toEqual(
    ["caption", "caption[0]", "caption[1]", "caption[2]", "image", "image[0]", "image[1]", "image[2]"].concat(
      "script",
      "sheet",
    ),
  );
  expect(tasks).toMatchObject({
    caption: { status: "completed", output: [{ caption: "about tea" }, null, { caption: "about rain" }] },
    "caption[1]": { status: "failed", error: { code: "bad_input" } },
    image: {
      output: [{ of: "0: scene of tea" }, { of: "1: scene of unspeakable" }, { of: "2: scene of rain" }],
    },
    sheet: { status: "completed", output: { captions: 2, images: 3 } },
  });
  expect(files).toEqual(["image[0]", "image[1]", "image[2]"]);

  const partly = seen.filter(
    (each) => each.status === "processing" && each.tasks["caption[0]"]?.output && !each.tasks.sheet?.output,
  );
  expect(partly.length, "moments with some results and not all").toBeGreaterThan(0);
  const oneImage = seen.find((each) => each.files.length > 0 && each.tasks.sheet?.status !== "completed");
  expect(oneImage?.status, "a picture's file is there before the job is done").toBe("processing");
  // Each item was worked on once, save the one that failed for good.
  expect(world.executions.map(({ task }) => task).sort()).toEqual(
    Object.keys(tasks)
      .filter((name) => name !== "caption" && name !== "image")
      .sort(),
  );
});
