import { Command, InvalidArgumentError } from "commander";
import type { Fault } from "./core/fault.ts";
import type { Span } from "./core/random.ts";
import { readFaultFile } from "./fault-file.ts";
import { builtIn } from "./handlers/built-in.ts";
import { command } from "./handlers/command.ts";
import type { Handler } from "./handlers/handler.ts";
import { whenNpxIsGone } from "./npx.ts";
import { createSimulator, type EndpointOptions } from "./simulator.ts";
import { realClock } from "./time/real-clock.ts";

interface Options {
  port: number;
  apiKey: string;
  endpoint: Record<string, Handler<never> | "worker">;
  coldStart?: Span;
  speed: number;
  seed?: string;
  faults?: Fault[];
  stateFile?: string;
}

const asPort = (value: string): number => {
  // An empty one would be 0: any port.
  if (!/^\d+$/.test(value) || Number(value) > 65_535) throw new InvalidArgumentError("Not a port.");
  return Number(value);
};

const asText = (value: string): string => {
  // An empty key would let everybody in, an empty path is none.
  if (value === "") throw new InvalidArgumentError("Empty.");
  return value;
};

const asSpeed = (value: string): number => {
  const speed = Number(value);
  if (!(speed > 0 && Number.isFinite(speed))) throw new InvalidArgumentError("Not a number above 0.");
  return speed;
};

const asSpan = (value: string): Span => {
  const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(value) ?? [];
  if (from === undefined)
    throw new InvalidArgumentError("Not milliseconds (8000) or a range of them (8000-60000).");
  if (to === undefined) return Number(from);
  if (Number(to) < Number(from)) throw new InvalidArgumentError("A range goes upwards.");
  return [Number(from), Number(to)];
};

const asFaults = (path: string): Fault[] => {
  try {
    return readFaultFile(path);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
};

const HANDLERS = [...Object.keys(builtIn), "worker"].join(", ");

const asHandler = (name: string): Handler<never> | "worker" => {
  if (name === "worker") return name;
  // Through a shell, so that it reads as it would in a terminal.
  const [, line] = /^cmd:(.*\S.*)$/s.exec(name) ?? [];
  if (line !== undefined) return command(["/bin/sh", "-c", line]);
  if (Object.hasOwn(builtIn, name)) return builtIn[name as keyof typeof builtIn];
  throw new InvalidArgumentError(`"${name}" is neither ${HANDLERS} nor cmd:COMMAND.`);
};

const addEndpoint = (value: string, others: Options["endpoint"] = {}): Options["endpoint"] => {
  const [, id, handler] = /^([A-Za-z0-9_-]+)=(.+)$/s.exec(value) ?? [];
  if (id === undefined || handler === undefined) throw new InvalidArgumentError("Not NAME=HANDLER.");
  if (Object.hasOwn(others, id)) throw new InvalidArgumentError(`"${id}" is there twice.`);
  return { ...others, [id]: asHandler(handler) };
};

const startingIn = (
  coldStart: Span | undefined,
  handlers: Options["endpoint"],
): Record<string, EndpointOptions> =>
  Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => [
      name,
      { handler, ...(coldStart !== undefined && { coldStartMs: coldStart }) },
    ]),
  );

const run = async (options: Options, self: Command): Promise<void> => {
  const { port, apiKey, endpoint, coldStart, speed, seed, faults, stateFile } = options;
  const simulator = await createSimulator({
    apiKey,
    port,
    clock: realClock(speed),
    endpoints: startingIn(coldStart, endpoint),
    images: startingIn(coldStart, builtIn),
    ...(seed !== undefined && { seed }),
    ...(faults !== undefined && { faults }),
    ...(stateFile !== undefined && { stateFile }),
  }).catch((error: NodeJS.ErrnoException) =>
    self.error(error.code === "EADDRINUSE" ? `error: port ${port} is taken` : `error: ${error.message}`),
  );
  const signals = ["SIGINT", "SIGTERM"] as const;
  const asked = new Promise<void>((resolve) => {
    for (const signal of signals) process.once(signal, () => resolve());
    whenNpxIsGone(resolve);
  });
  const served = Object.keys(endpoint).filter((name) => endpoint[name] === "worker");
  const workers = Object.fromEntries(
    served.map((name) => [name, simulator.workerEnvironment(name, `${name}-worker`)]),
  );
  console.log(JSON.stringify({ url: simulator.url, ...(served.length > 0 && { workers }) }));
  await asked;
  await simulator.stop();
};

/**
 * `podbase simulator`: prints `{"url": …}` as one line when ready, with the environment of a first worker for each
 * endpoint that is served through the worker protocol (`"workers"`), and runs until SIGINT or SIGTERM, then ends
 * with exit code 0 and leaves no process behind.
 */
export const simulatorCommand = (): Command =>
  new Command("simulator")
    .description("A RunPod Serverless twin on 127.0.0.1: queue, cold workers, webhooks")
    .requiredOption("--api-key <key>", "the key that callers must send", asText)
    .requiredOption(
      "--endpoint <name=handler>",
      `an endpoint, may be repeated; handlers: ${HANDLERS}, or cmd:COMMAND`,
      addEndpoint,
    )
    .option("--port <port>", "0 takes a free one", asPort, 0)
    .option("--cold-start <ms>", "start of a worker: 8000, or from-to (default: 10000-75000)", asSpan)
    .option("--speed <factor>", "how much faster than real time it runs", asSpeed, 1)
    .option("--seed <seed>", "makes chance repeatable (default: a fresh one)")
    .option("--faults <file>", "what is to go wrong: a JSON list of faults", asFaults)
    .option("--state-file <path>", "keep jobs there, so that they outlive this process", asText)
    .action(run);
