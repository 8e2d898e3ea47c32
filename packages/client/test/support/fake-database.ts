import type { JobRow, TaskRow } from "../../src/from-row.ts";
import type { JobMessage } from "../../src/message.ts";

/** A task's next state. */
export type TaskChange = Partial<Omit<TaskRow, "name" | "id" | "version">> & { name: string };

/** A change of a job and its tasks in one transaction. */
export interface JobChange extends Partial<Omit<JobRow, "tasks" | "id" | "version">> {
  tasks?: TaskChange[];
}

/** Jobs as the database keeps them: each change publishes one version and one message per changed task, one at least. */
export interface FakeDatabase {
  rows: Map<string, JobRow>;
  insert(row: JobRow): void;
  /** Commits the change; returns its messages in order. */
  change(id: string, change: JobChange): JobMessage[];
}

/** Makes an empty one. */
export const createFakeDatabase = (): FakeDatabase => {
  const rows = new Map<string, JobRow>();
  return {
    rows,
    insert: (row) => void rows.set(row.id, row),
    change(id, { tasks: changes = [], ...change }) {
      const before = rows.get(id);
      if (!before) throw new Error(`no job ${id}`);
      const steps = Math.max(1, changes.length);
      const version = before.version + steps;
      const at = `when version ${version} came`;
      const tasks = before.tasks.map((task) => {
        const own = changes.find(({ name }) => name === task.name);
        return own ? { ...task, ...own, version: task.version + 1, updated_at: at } : task;
      });
      const after: JobRow = { ...before, ...change, tasks, version, updated_at: at };
      rows.set(id, after);
      return Array.from({ length: steps }, (_, step) => {
        const task = tasks.find(({ name }) => name === changes[step]?.name);
        return {
          job: id,
          version: before.version + step + 1,
          status: after.status,
          phase: after.phase,
          progress: after.progress,
          at,
          ...(task && {
            task: {
              name: task.name,
              status: task.status,
              phase: task.phase,
              version: task.version,
              progress: task.progress,
            },
          }),
        };
      });
    },
  };
};
