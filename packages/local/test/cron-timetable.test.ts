import { describe, expect, test } from "vitest";
import { type CronJob, CronTimetable } from "../src/database-workers/cron-timetable.ts";

const START = Date.UTC(2026, 0, 31, 23, 58, 30);
const job = (jobid: string, schedule: string): CronJob => ({
  jobid,
  schedule,
  command: "select 1",
  database: "postgres",
  username: "postgres",
});

function timetable(...schedules: string[]) {
  const rejected: string[] = [];
  const table = new CronTimetable(START, (bad) => rejected.push(bad.schedule));
  table.replaceJobs(
    schedules.map((schedule, index) => job(String(index), schedule)),
    START,
  );
  const due = (afterS: number) => table.takeDue(START + afterS * 1000).map(({ jobid }) => jobid);
  return { table, rejected, due };
}

describe("the timetable of cron jobs", () => {
  test("an interval counts from the start of the last run", () => {
    const { table, due } = timetable("10 seconds");
    expect(due(9)).toEqual([]);
    expect(due(10)).toEqual(["0"]);
    table.finished("0");
    expect(due(19)).toEqual([]);
    expect(due(20)).toEqual(["0"]);
  });

  test("a job never runs twice at once, and at most one run of an interval waits", () => {
    const { table, due } = timetable("1 second");
    expect(due(1)).toEqual(["0"]);
    expect(due(2)).toEqual([]);
    expect(due(9)).toEqual([]);
    table.finished("0");
    expect(due(9.1)).toEqual(["0"]);
    table.finished("0");
    expect(due(9.2)).toEqual([]);
  });

  test("crontab lines are in GMT and run once in their minute", () => {
    const { table, due } = timetable("59 23 $ * *", "0 0 1 2 *", "* * * * sun");
    expect(due(29)).toEqual([]);
    expect(due(30)).toEqual(["0"]);
    expect(due(31)).toEqual([]);
    table.finished("0");
    expect(due(90).sort()).toEqual(["1", "2"]);
  });

  test("missed minutes are made up for one after the other, but not after a long sleep of the machine", () => {
    const { table, due } = timetable("* * * * *");
    expect(due(30 + 2 * 60)).toEqual(["0"]);
    table.finished("0");
    expect(due(30 + 2 * 60)).toEqual(["0"]);
    table.finished("0");
    expect(due(30 + 2 * 60)).toEqual(["0"]);
    table.finished("0");
    expect(due(30 + 2 * 60)).toEqual([]);
    expect(due(3600)).toEqual(["0"]);
    table.finished("0");
    expect(due(3600)).toEqual([]);
  });

  test("a schedule that can't be read is reported and never runs", () => {
    const { rejected, due } = timetable("every tuesday", "@hourly");
    expect(rejected).toEqual(["every tuesday"]);
    expect(due(90)).toEqual(["1"]);
  });
});
