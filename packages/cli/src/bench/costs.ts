import type { EndToEndFigures } from "./end-to-end.ts";
import { rounded } from "./statistics.ts";
import { number } from "./table.ts";

/** Something that Supabase counts and charges for. */
export interface CostLine {
  what: string;
  /** Of one job. */
  perJob: number;
  /** Jobs a month that a plan includes, if nothing else in the organization uses it. */
  jobsFree: number;
  jobsPro: number;
  /** US dollars for a thousand jobs beyond what Pro includes. */
  perThousand: number;
}

/**
 * What plans include a month, and what a million more costs on Pro in US dollars
 * (supabase.com/docs/guides/platform/billing-on-supabase, August 2026).
 */
const PRICES = {
  functionCalls: { free: 500_000, pro: 2_000_000, perMillion: 2 },
  messages: { free: 2_000_000, pro: 5_000_000, perMillion: 2.5 },
} as const;

/**
 * What one job costs at Supabase by what was counted. A broadcast counts once as sent and once for each client that
 * hears it; here one does (supabase.com/docs/guides/platform/manage-your-usage/realtime-messages).
 */
export function costsOf({ perJob }: Pick<EndToEndFigures, "perJob">): CostLine[] {
  const calls = Object.values(perJob.functionCalls).reduce((sum, count) => sum + count, 0);
  const line = (
    what: string,
    count: number,
    { free, pro, perMillion }: (typeof PRICES)[keyof typeof PRICES],
  ) => ({
    what,
    perJob: rounded(count),
    jobsFree: Math.floor(free / count),
    jobsPro: Math.floor(pro / count),
    perThousand: rounded((count * perMillion) / 1000),
  });
  return [
    line("Edge Function calls", calls, PRICES.functionCalls),
    line("Realtime messages, one client", 2 * perJob.realtimeMessages, PRICES.messages),
  ];
}

/** The lines for a table, head first. */
export function costRows(lines: CostLine[]): string[][] {
  return [
    ["Supabase counts", "a job", "jobs a month in Free", "in Pro", "$ per 1,000 more"],
    ...lines.map((line) => [
      line.what,
      number(line.perJob),
      number(line.jobsFree),
      number(line.jobsPro),
      String(line.perThousand),
    ]),
  ];
}
