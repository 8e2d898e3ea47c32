import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FolderInUseError, lockFolder } from "../src/processes/folder-lock.ts";
import { freePort } from "../src/processes/free-port.ts";
import { identityOf } from "../src/processes/process-identity.ts";
import { startTiedChild } from "../src/processes/tied-child.ts";

describe("the lock of a folder", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "podbase-lock-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test("has one owner until it is given back", async () => {
    const release = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toThrow(FolderInUseError);
    await expect(lockFolder(folder)).rejects.toMatchObject({ pid: process.pid });
    await release();
    await (await lockFolder(folder))();
    expect(await readdir(folder)).toEqual([]);
  });

  test("passes over an owner whose number now belongs to another process", async () => {
    const [, ...start] = ((await identityOf(process.pid)) as string).split(" ");
    await writeFile(join(folder, "owner.7"), `${process.pid} 1 ${start.slice(1).join(" ")}`);
    const release = await lockFolder(folder);
    expect(await readdir(folder)).toEqual(["owner.8"]);
    await release();
  });

  test("goes to one of many that see the same dead owner", async () => {
    await writeFile(join(folder, "owner.1"), "999999999 1 x");
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder)));
    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of tries) {
      if (result.status === "rejected") expect(result.reason).toBeInstanceOf(FolderInUseError);
    }
  });
});

describe("a child tied to this process", () => {
  const shell = (script: string) =>
    startTiedChild({
      command: "/bin/sh",
      args: ["-c", script],
      env: { PATH: process.env.PATH ?? "", GIVEN: "yes" },
      orphanSignal: "TERM",
    });

  test("has its own exit code, its own process id and only the environment it is given", async () => {
    process.env.PODBASE_TEST_LEAK = "leak";
    const child = await shell("echo $$ $GIVEN $PODBASE_TEST_LEAK; exit 7");
    delete process.env.PODBASE_TEST_LEAK;
    const chunks: Buffer[] = [];
    child.process.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(child.process, "close");
    expect(Buffer.concat(chunks).toString()).toBe(`${child.pid} yes\n`);
    expect(await child.exited).toBe(7);
    expect(child.running).toBe(false);
  });

  test("is killed when it does not obey in time", async () => {
    const child = await shell('trap "" TERM; echo deaf; while :; do sleep 0.05; done');
    await once(child.process.stdout as NodeJS.ReadableStream, "data");
    await child.stop("SIGTERM", 100);
    expect(await child.exited).toBe("SIGKILL");
  });
});

test("a free port is the preferred one unless it is busy", async () => {
  const busy = createServer().listen(0, "127.0.0.1");
  await once(busy, "listening");
  const { port } = busy.address() as { port: number };
  expect(await freePort(port)).not.toBe(port);
  busy.close();
  await once(busy, "close");
  expect(await freePort(port)).toBe(port);
});
