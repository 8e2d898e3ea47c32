import fc from "fast-check";
import { checkStep } from "./invariants.ts";
import { observe } from "./observe.ts";
import type { EngineSession } from "./session.ts";
import type { World } from "./world.ts";

/** A step as fast-check runs it. */
export type Command = fc.AsyncCommand<World, EngineSession>;

/** One step: when it can be taken, what it does. The invariants are looked at after each. */
export function step(
  name: string,
  possible: (world: World, now: number) => boolean,
  act: (world: World, db: EngineSession) => Promise<unknown> | unknown,
): Command {
  return {
    check: (world) => possible(world as World, world.now),
    async run(world, db) {
      db.now += 10;
      await act(world, db);
      world.now = db.now;
      world.steps++;
      checkStep(world, await observe(db, world.user, world.stranger), db.now);
    },
    toString: () => name,
  };
}

/** Which element of a list; counted round. */
export const index = fc.nat(7);
/** One time in four. */
export const sometimes = fc.oneof(
  { weight: 3, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);
