import type { Sheet } from "./sheet.ts";
import type { CellFigures } from "./throughput.ts";

/** A budget beside what was measured. */
export interface Budget {
  what: string;
  /** Null: not measured in this run. */
  figure: number | null;
  /** The figure is to be no less, or no more, than this. */
  budget: number;
  direction: "at least" | "at most";
  unit: string;
  /** Null: not measured in this run. */
  met: boolean | null;
}

/** Everything a run measured but the budgets, which follow from it. */
export type Measured = Omit<Sheet, "budgets">;

/** The budgets of the project with the figures of a run; medians where a figure has a spread. */
export function judge(measured: Measured): Budget[] {
  const { cells, growth, footprint, fairness, endToEnd, databaseCalls } = measured;
  const ratio = (name: string, clients: number, batch?: number) =>
    cells.find((cell) => matches(cell, name, clients, batch))?.ratio?.median ?? null;
  const ofFloor = (what: string, figure: number | null, budget: number) =>
    judged({ what, figure, budget, direction: "at least", unit: "× floor" });
  const atMost = (what: string, figure: number | null, budget: number, unit: string) =>
    judged({ what, figure, budget, direction: "at most", unit });
  const grown = (operation: string) => {
    const figures = growth.filter((figure) => figure.operation === operation);
    return figures.length < 2 ? null : Math.max(...figures.slice(1).map((figure) => figure.ratio.median));
  };
  return [
    atMost("database calls a job of one task", databaseCalls.length, 3, "calls"),
    ofFloor("submit, 16 clients", ratio("submit", 16), 0.65),
    ofFloor("claim → complete one by one, 8 consumers", ratio("claim → complete", 8, 1), 0.65),
    ofFloor("claim → complete by 100, 8 consumers", ratio("claim → complete", 8, 100), 0.35),
    ofFloor("lifecycle one by one, 8 clients", ratio("lifecycle one by one", 8), 0.6),
    ofFloor("bulk in, single webhooks, 8 clients", ratio("bulk in, single webhooks", 8, 100), 0.5),
    atMost("write-ahead log a lifecycle", footprint.walBytesPerLifecycle, 5000, "bytes"),
    atMost("kept a finished job", footprint.bytesPerFinishedJob, 1800, "bytes"),
    atMost("claim in full tables", grown("claim"), 1.3, "× empty"),
    atMost("claim polls in full tables", grown("claim polls"), 1.3, "× empty"),
    atMost("submit in full tables", grown("submit"), 1.3, "× empty"),
    atMost("tick with nothing to do", footprint.idleTickMs, 2, "ms"),
    atMost("claims until a new user is served", fairness.servedByBatch, 1, "claims"),
    atMost("request-job, own time p50", endToEnd?.requestJobMs.p50 ?? null, 30, "ms"),
    atMost("webhook to client callback p50", endToEnd?.webhookToClientMs.p50 ?? null, 100, "ms"),
    atMost("function calls while idle", endToEnd?.idle.functionCalls ?? null, 0, "calls"),
  ];
}

function judged(budget: Omit<Budget, "met">): Budget {
  const { figure, direction } = budget;
  if (figure === null) return { ...budget, met: null };
  return { ...budget, met: direction === "at least" ? figure >= budget.budget : figure <= budget.budget };
}

const matches = (cell: CellFigures, name: string, clients: number, batch?: number): boolean =>
  cell.name === name && cell.clients === clients && (batch === undefined || cell.batch === batch);
