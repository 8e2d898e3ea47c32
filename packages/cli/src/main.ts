import { simulatorCommand } from "@podbase/simulator/command";
import { Command } from "commander";
import { benchCommand } from "./bench/command.ts";
import { chaosCommand } from "./chaos/command.ts";
import { costsCommand } from "./costs.ts";
import { demoCommand } from "./demo.ts";
import { devCommand } from "./dev.ts";

const program = new Command("podbase")
  .description("Job system for GPU work on RunPod Serverless, native to Supabase")
  .addCommand(demoCommand())
  .addCommand(devCommand())
  .addCommand(benchCommand())
  .addCommand(costsCommand())
  .addCommand(chaosCommand())
  .addCommand(simulatorCommand());

await program.parseAsync();
