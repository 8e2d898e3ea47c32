import { deflateSync } from "node:zlib";
import type { Page } from "playwright-core";
import { clientAt } from "./harness.ts";
import type { Person } from "./watching-page.ts";
import { userOf } from "./watching-session.ts";
import type { WatchingStack } from "./watching-stack.ts";

/** What each picture shows; the last has no words of its own. */
const SHOWN: Record<string, string> = {
  "garden-at-dusk": "A garden at dusk, with one lit window",
  "garden-in-rain": "The same garden in rain",
};
const NAMES = [...Object.keys(SHOWN), "first_sketch"];

/**
 * A job of a kind that the page does not know, with three pictures, a sheet of words and a task that goes on; as another app on
 * the same project could leave it. Resolves with its id.
 */
export async function insertPictures({ stack }: WatchingStack, person: Person): Promise<string> {
  const [user, id] = [await userOf(person.page), crypto.randomUUID()];
  const service = clientAt(stack.url, stack.secretKeys.default ?? "");
  const files = [
    ...NAMES.map((name, at) => ({ name, type: "image/png", body: png(640, 480 + 160 * at, at) })),
    { name: "notes", type: "text/plain", body: Buffer.from("Drawn by hand.") },
  ].map((file) => ({ ...file, path: `${user}/${id}/paint/1/${file.name}` }));
  for (const { path, type, body } of files) {
    const { error } = await service.storage.from("podbase").upload(path, body, { contentType: type });
    if (error) throw error;
  }
  await stack.sql`
    insert into podbase.jobs (id, user_id, kind, input, status, phase, version, started_at)
    values (${id}, ${user}, 'garden_postcards', '{"prompt": "My garden, in the evening"}', 'processing', 'running', 3, now())`;
  const [task] = await stack.sql`
    insert into podbase.tasks (job_id, user_id, name, status, phase, output, started_at, finished_at)
    values (${id}, ${user}, 'paint', 'completed', 'done', ${stack.sql.json({ alt: SHOWN })}, now(), now()) returning id`;
  await stack.sql`
    insert into podbase.tasks (job_id, user_id, name, status, phase, started_at)
    values (${id}, ${user}, 'largeFormat', 'processing', 'running', now())`;
  for (const { name, type, body, path } of files)
    await stack.sql`
      insert into podbase.artifacts (job_id, task_id, user_id, task, name, path, content_type, bytes)
      values (${id}, ${task?.id}, ${user}, 'paint', ${name}, ${path}, ${type}, ${body.length})`;
  return id;
}

/** Resolves once so many pictures are on the page, in full. */
export const picturesShown = (page: Page, count: number) =>
  page.waitForFunction(
    (count) => document.querySelectorAll('.gallery [data-shown="true"] img').length === count,
    count,
  );

/** A PNG: a sky with a moon over a hill, each `kind` with its own light. */
function png(width: number, height: number, kind: number): Buffer {
  const [red, green, blue] = [
    [40, 44, 84],
    [30, 60, 70],
    [96, 60, 48],
  ][kind % 3] as [number, number, number];
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const moon = Math.hypot(x - width * 0.7, y - height * 0.28) < height * 0.12;
      const hill = y > height * (0.72 + 0.08 * Math.sin((x / width) * 5 + kind));
      const glow = 1 + (y / height) * 0.9;
      const pixel = moon ? [240, 212, 141] : hill ? [18, 26, 32] : [red * glow, green * glow, blue * glow];
      rows.set(pixel.map(Math.round), y * (1 + width * 3) + 1 + x * 3);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** CRC-32 as PNG wants it (w3.org/TR/png, annex D); Node 20.19's zlib may lack its own. */
function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
