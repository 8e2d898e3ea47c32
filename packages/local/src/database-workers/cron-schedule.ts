import { Cron } from "croner";

/** When a job of `cron.job` runs: every so many seconds, at certain minutes in GMT, or once after each start. */
export type Schedule =
  | { kind: "seconds"; seconds: number }
  | { kind: "minutes"; isDue: (minute: Date) => boolean }
  | { kind: "reboot" };

const NICKNAMES: Record<string, string> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** Reads a schedule as pg_cron does: `10 seconds` (1–59), a crontab line in GMT, or a nickname. Throws on others. */
export function parseSchedule(text: string): Schedule {
  const trimmed = text.trim();
  const seconds = /^([1-9]|[1-5]\d) +seconds?$/i.exec(trimmed)?.[1];
  if (seconds !== undefined) return { kind: "seconds", seconds: Number(seconds) };
  if (trimmed.toLowerCase() === "@reboot") return { kind: "reboot" };
  const line = NICKNAMES[trimmed.toLowerCase()] ?? trimmed;
  const fields = line.split(/\s+/);
  // pg_cron writes the last day of the month as `$`, croner as `L`.
  if (fields[2] === "$") fields[2] = "L";
  const pattern = new Cron(fields.join(" "), { mode: "5-part", timezone: "UTC", paused: true });
  return { kind: "minutes", isDue: (minute) => pattern.match(minute) };
}
