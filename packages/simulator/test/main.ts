import { simulatorCommand } from "../src/command.ts";

// The simulator as a process of its own, for tests that end or kill it.
await simulatorCommand().parseAsync();
