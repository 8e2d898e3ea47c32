import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HandlerName, handlerCommand } from "../src/index.ts";
import { decodeWav } from "../src/wav.ts";
import { FakePodbase } from "./support/fake-podbase.ts";

let podbase: FakePodbase;
beforeEach(async () => {
  podbase = await FakePodbase.start();
});
afterEach(() => podbase.stop());

async function command(name: string, stdin: string) {
  const [program, ...args] = handlerCommand(name as HandlerName);
  const child = spawn(program, args, { cwd: tmpdir(), env: { PATH: process.env.PATH }, stdio: "pipe" });
  child.stdin.end(stdin);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  return { code: code as number, stdout, stderr, result: last === "" ? null : JSON.parse(last) };
}

const reading = { name: "Zoë", birthDate: "1996-02-29", question: "Will I travel?", voice: "alto" };

describe("the worker's command", { timeout: 60_000 }, () => {
  it("makes text, sound and PDF of one reading from any directory", async () => {
    const written = await command("text", JSON.stringify(podbase.job(reading, "text", "text/markdown")));
    expect(written.code).toBe(0);
    expect(written.result.text).toContain("read on 22 November 2026");
    const stored = podbase.to("PUT /storage/text?token=first")[0]?.body as Buffer;
    expect(stored.toString()).toBe(written.result.text);
    expect(written.result.podbase.artifacts.text.bytes).toBe(stored.length);

    const short = `${written.result.text.split("\n\n").slice(0, 4).join("\n\n")}\n`;
    const audio = { text: short, voice: "bass" };
    const heard = await command("audio", JSON.stringify(podbase.job(audio, "audio", "audio/wav")));
    expect(heard.result).toMatchObject({ podbase: { artifacts: { audio: { bytes: expect.any(Number) } } } });
    const sound = decodeWav(podbase.to("PUT /storage/audio?token=first")[0]?.body as Buffer);
    expect(sound.samples.length / sound.sampleRate).toBeCloseTo(heard.result.seconds, 1);

    const pdf = { markdown: written.result.text };
    const printed = await command("pdf", JSON.stringify(podbase.job(pdf, "pdf", "application/pdf")));
    expect(printed.result).toMatchObject({ pages: 2 });
    const [document] = podbase.to("PUT /storage/pdf?token=first");
    expect(document?.headers["content-type"]).toBe("application/pdf");
    expect(String(document?.body).slice(0, 5)).toBe("%PDF-");

    for (const { stdout, stderr } of [written, heard, printed]) {
      expect(stdout.trimEnd().split("\n")).toHaveLength(1);
      expect(stderr).toBe("");
    }
  });

  it("answers a job that is not JSON with an error as its result", async () => {
    const { code, result } = await command("text", "{ not json");
    expect(result).toEqual({ error: "invalid input: the job is not JSON" });
    expect(code).toBe(0);
  });

  it("answers bad input with an error that names the field, without a trace", async () => {
    const job = (input: object) =>
      JSON.stringify(podbase.job({ ...reading, ...input }, "text", "text/markdown"));
    expect((await command("text", job({ birthDate: "1997-02-29" }))).result).toEqual({
      error: "invalid input: birthDate: Invalid ISO date",
    });
    expect((await command("text", job({ birthDate: "2026-11-23" }))).result).toEqual({
      error: "invalid input: birthDate 2026-11-23 lies in the future (today is 2026-11-22)",
    });
    expect(podbase.seen.some((seen) => seen.method === "PUT")).toBe(false);
  });

  it("takes the day of the reading from the input, if it is there", async () => {
    const job = podbase.job({ ...reading, today: "2030-05-06" }, "text", "text/markdown");
    expect((await command("text", JSON.stringify(job))).result.text).toContain("read on 6 May 2030");
  });

  it("says how it is used when the handler is not one of its own", async () => {
    for (const name of ["video", "constructor"]) {
      const { code, stdout, stderr } = await command(name, "{}");
      expect(code).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).toContain("usage: main.ts <text|audio|pdf>");
    }
  });
});
