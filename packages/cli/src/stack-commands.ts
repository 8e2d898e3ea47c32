import type { Command } from "commander";
import { benchCommand } from "./bench/command.ts";
import { chaosCommand } from "./chaos/command.ts";
import { costsCommand } from "./costs.ts";
import { demoCommand } from "./demo.ts";
import { devCommand } from "./dev.ts";

/** The commands that work with a Supabase stack. */
export const stackCommands = (): Command[] => [
  demoCommand(),
  devCommand(),
  benchCommand(),
  costsCommand(),
  chaosCommand(),
];
