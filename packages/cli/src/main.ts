import { simulatorCommand } from "@podbase/simulator/command";
import { Command } from "commander";
import { toItsEnd } from "./to-its-end.ts";

const program = new Command("podbase").description(
  "Job system for GPU work on RunPod Serverless, native to Supabase",
);

// The simulator needs nothing of the stack, which takes seconds to load.
if (process.argv[2] !== "simulator") {
  const { stackCommands } = await import("./stack-commands.ts");
  for (const command of stackCommands()) program.addCommand(command);
}

await toItsEnd(program.addCommand(simulatorCommand()).parseAsync());
