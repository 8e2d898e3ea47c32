import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { podbase } from "./command.ts";
import { clientAt, eventually, finished, INPUT, requestReading } from "./harness.ts";
import { strays } from "./strays.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "podbase-cli-"));
});
afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));

/** `podbase demo` in a process group of its own, so that strays can be found. */
const demo = (...args: string[]) =>
  podbase(["demo", "--data-dir", join(folder, "data"), ...args], { detached: true });

describe("podbase demo --once --json", () => {
  it("brings a reading from request to three files and tells every step", async () => {
    const { stdout, stderr, exited } = demo(
      "--once",
      "--json",
      "--port",
      "0",
      "--cold-start",
      "1500",
      "--out",
      join(folder, "out"),
    );
    expect(await exited, stderr.join("\n")).toBe(0);
    const report = JSON.parse(stdout.at(-1) ?? "");
    expect(report).toMatchObject({ ok: true, status: "completed", jobId: expect.any(String) });

    const { timeline } = report;
    const versions = timeline.map((entry: { version: number }) => entry.version);
    expect(versions).toEqual(versions.map((_: number, index: number) => index + 1));
    const statuses = timeline.map((entry: { status: string }) => entry.status);
    expect([...new Set(statuses)]).toEqual(["queued", "processing", "completed"]);
    expect(timeline.some((entry: { phase: string }) => entry.phase === "waiting_for_worker")).toBe(true);
    const doneAt = (task: string) =>
      timeline.findIndex(
        (entry: { task?: string; taskStatus?: string }) =>
          entry.task === task && entry.taskStatus === "completed",
      );
    expect(doneAt("text")).toBeLessThan(doneAt("audio"));
    expect(report.latencyMs).toEqual({ request: expect.any(Number), webhookToClient: expect.any(Number) });

    const byName = Object.fromEntries(
      report.artifacts.map((artifact: { name: string }) => [artifact.name, artifact]),
    );
    expect(byName).toMatchObject({
      text: { contentType: "text/markdown" },
      audio: { contentType: "audio/wav" },
      pdf: { contentType: "application/pdf" },
    });
    const wav = await readFile(byName.audio.path);
    expect([wav.toString("latin1", 0, 4), wav.toString("latin1", 8, 12), wav.readUInt32LE(4)]).toEqual([
      "RIFF",
      "WAVE",
      wav.length - 8,
    ]);
    const loudest = Math.max(
      ...Array.from({ length: 20_000 }, (_, n) => Math.abs(wav.readInt16LE(44 + n * 2))),
    );
    expect(loudest).toBeGreaterThan(1000);
    const { getDocument } = await import("pdfjs-dist/legacy/build/pdf.mjs");
    const pdf = await getDocument({ data: new Uint8Array(await readFile(byName.pdf.path)), verbosity: 0 })
      .promise;
    const { items } = await (await pdf.getPage(1)).getTextContent();
    expect(items.map((item) => ("str" in item ? item.str : "")).join(" ")).toContain("Ada Lovelace");
    await eventually(async () => (await strays(folder)).length === 0);
  }, 90_000);
});

describe("podbase demo", () => {
  it("killed with SIGKILL while a job is in flight leaves no process behind, and finishes the job when started again", async () => {
    const start = async () => {
      const running = demo("--json", "--cold-start", "4000");
      const line = await eventually(() => running.stdout.find((text) => text.startsWith("{")));
      return { ...running, ready: JSON.parse(line) as { url: string; publishableKey: string } };
    };
    const first = await start();
    const supabase = clientAt(first.ready.url, first.ready.publishableKey);
    const { data } = await supabase.auth.signUp({ email: "kill@example.com", password: "correct horse" });
    expect(data.session).not.toBeNull();
    const id = await requestReading(supabase, INPUT);
    await eventually(async () => {
      const { data: jobs } = await supabase.schema("podbase").from("jobs").select("status").eq("id", id);
      return jobs?.[0]?.status === "processing";
    });
    first.child.kill("SIGKILL");
    await first.exited;
    await eventually(async () => (await strays(folder)).length === 0);

    const second = await start();
    expect(second.ready).toEqual(
      expect.objectContaining({ url: first.ready.url, publishableKey: first.ready.publishableKey }),
    );
    expect((await finished(supabase, id)).status).toBe("completed");
    second.child.kill("SIGINT");
    expect(await second.exited).toBe(130);
    await eventually(async () => (await strays(folder)).length === 0);
  }, 150_000);

  it("says that it is already running when started twice on one folder", async () => {
    const first = demo("--json", "--port", "0");
    await eventually(() => first.stdout.find((text) => text.startsWith("{")));
    const second = demo("--port", "0");
    expect(await second.exited).toBe(1);
    expect(second.stderr.join("\n")).toContain("already running");
    first.child.kill("SIGTERM");
    expect(await first.exited).toBe(0);
  }, 60_000);

  it("says in one line that its folder can't be one", async () => {
    await writeFile(join(folder, "data"), "a file");
    const { stderr, exited } = demo("--once", "--port", "0");
    expect(await exited).toBe(1);
    expect(await eventually(() => stderr.find((line) => line.startsWith("podbase: ")))).toMatch(
      /EEXIST: .*data'$/,
    );
    expect(stderr.join("\n")).not.toContain("    at ");
  }, 60_000);
});
