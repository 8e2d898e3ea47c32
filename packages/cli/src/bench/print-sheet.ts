import type { Budget } from "./budgets.ts";
import type { Sheet } from "./sheet.ts";
import type { Spread } from "./statistics.ts";
import { number, table } from "./table.ts";

/** The sheet for people, line by line. */
export function printSheet(sheet: Sheet): string[] {
  const { machine, footprint, fairness, bundle } = sheet;
  return [
    "",
    `${machine.cpus} CPUs, Postgres ${machine.postgres}, Node ${machine.node}, ${sheet.seconds} s${sheet.quick ? ", quick: too small to judge by" : ""}`,
    "",
    ...table([
      ["jobs a second", "clients", "by", "engine", "floor", "ratio", "ratio min–max"],
      ...sheet.cells.map((cell) => [
        cell.name,
        number(cell.clients),
        number(cell.batch),
        number(cell.engine?.median),
        number(cell.floor.median),
        number(cell.ratio?.median),
        range(cell.ratio),
      ]),
    ]),
    "",
    ...table([
      ["ms a call", "finished", "deferred", "ms", "× empty", "min–max"],
      ...sheet.growth.map((figure) => [
        figure.operation,
        number(figure.finished),
        number(figure.deferred),
        number(figure.ms.median),
        number(figure.ratio.median),
        range(figure.ratio),
      ]),
    ]),
    "",
    ...table([
      ["bytes a job of one task", ""],
      ["write-ahead log", number(footprint.walBytesPerLifecycle)],
      ["kept", number(footprint.bytesPerFinishedJob)],
      ...Object.entries(footprint.bytesByTable).map(([name, bytes]) => [`  ${name}`, number(bytes)]),
      ["kept, before vacuum", number(footprint.bytesBeforeVacuum)],
      ["broadcasts, kept three days", number(footprint.realtimeBytesPerJob)],
      ["client in an app, gzip", number(bundle.gzipBytes)],
    ]),
    "",
    `Jain's index over ${fairness.users} equal users: ${number(fairness.jain)}`,
    ...endToEnd(sheet),
    ...profile(sheet),
    "",
    ...budgets(sheet.budgets),
  ];
}

function endToEnd({ endToEnd: figures }: Sheet): string[] {
  if (!figures) return [];
  const { perJob, idle } = figures;
  const calls = perJob.functionCalls;
  return [
    "",
    ...table([
      [`over the whole stack, ${figures.jobs} readings`, "p50 ms", "p95 ms"],
      ["request-job, own time", number(figures.requestJobMs.p50), number(figures.requestJobMs.p95)],
      ["runpod-webhook", number(figures.webhookMs.p50), number(figures.webhookMs.p95)],
      [
        "webhook → database",
        number(figures.webhookToDatabaseMs.p50),
        number(figures.webhookToDatabaseMs.p95),
      ],
      ["webhook → client", number(figures.webhookToClientMs.p50), number(figures.webhookToClientMs.p95)],
    ]),
    "",
    `A reading of ${figures.tasksPerJob} tasks: ${number(perJob.realtimeMessages)} messages, ${number(perJob.realtimeBytes)} bytes, ` +
      `${number(perJob.restReads)} REST reads, ${number(perJob.databaseCalls)} database calls; functions: ` +
      `${number(calls.requestJob)} request-job, ${number(calls.webhook)} webhooks, ${number(calls.worker)} of workers, ` +
      `${number(calls.reconcile)} reconcile. Idle for ${idle.seconds} s: ${idle.functionCalls}.`,
  ];
}

function profile({ profile: costs }: Sheet): string[] {
  if (!costs) return [];
  return [
    "",
    ...table([
      ["a lifecycle, statement by statement", "calls", "ms", "WAL bytes"],
      ...costs.map((cost) => [
        cost.statement.slice(0, 100),
        number(cost.callsPerJob),
        number(cost.msPerJob),
        number(cost.walBytesPerJob),
      ]),
    ]),
  ];
}

const VERDICTS = new Map([
  [true, "met"],
  [false, "missed"],
  [null, "–"],
]);

function budgets(list: Budget[]): string[] {
  return table([
    ["budget", "measured", "", "budget", ""],
    ...list.map((budget) => [
      budget.what,
      number(budget.figure),
      budget.direction,
      `${number(budget.budget)} ${budget.unit}`,
      VERDICTS.get(budget.met) ?? "",
    ]),
  ]);
}

const range = (spread: Spread | null): string =>
  spread ? `${number(spread.min)}–${number(spread.max)}` : "–";
