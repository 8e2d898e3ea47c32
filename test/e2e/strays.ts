import { readdir, readFile } from "node:fs/promises";

/** Processes that have the folder in their command line or environment. Linux only: elsewhere none. */
export async function strays(folder: string): Promise<string[]> {
  if (process.platform !== "linux") return [];
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const about = await Promise.all(
        ["cmdline", "environ"].map((name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "")),
      );
      return about.some((text) => text.includes(folder)) ? `${pid} ${about[0]?.replaceAll("\0", " ")}` : "";
    }),
  );
  return found.filter(Boolean);
}
