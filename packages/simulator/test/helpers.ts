import { afterEach } from "vitest";
import {
  createSimulator,
  type EndpointOptions,
  echo,
  type Post,
  type Simulator,
  type SimulatorOptions,
  virtualClock,
} from "../src/index.ts";

/** The API key that the simulators take. */
export const KEY = "test-key";

/** Exact times, so that tests can count milliseconds. */
export const EXACT = { coldStartMs: 10_000, pickupMs: 100, timeoutLatenessMs: 3000, lossMs: 45_000 } as const;

const running: Simulator[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((simulator) => simulator.stop()));
});

/** A simulator that ends with the test. */
export const start = (options: Partial<SimulatorOptions> = {}): Promise<Simulator> =>
  startUnseeded({ seed: 1, ...options });

/** The same with a seed of its own making. */
export const startUnseeded = async (options: Partial<SimulatorOptions> = {}): Promise<Simulator> => {
  const simulator = await createSimulator({
    apiKey: KEY,
    clock: virtualClock(),
    endpoints: { ep: { handler: echo, ...EXACT } },
    ...options,
  });
  running.push(simulator);
  return simulator;
};

/** One endpoint `ep` in virtual time. */
export const startOne = (
  endpoint: Partial<EndpointOptions> = {},
  options: Partial<SimulatorOptions> = {},
): Promise<Simulator> => start({ endpoints: { ep: { handler: echo, ...EXACT, ...endpoint } }, ...options });

// biome-ignore lint/suspicious/noExplicitAny: tests read answers freely
type Body = any;

/** Calls the job API without a socket, as a well-behaved client of endpoint `ep`. */
export const call = async (
  simulator: Simulator,
  method: "GET" | "POST",
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Body }> => {
  const response = await simulator.fetch(
    new Request(`${simulator.url}/ep/${path}`, {
      method,
      headers: { authorization: `Bearer ${KEY}` },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    }),
  );
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json");
  return { status: response.status, body: isJson ? JSON.parse(text) : text };
};

/** POST /run; the new job's id. */
export const run = async (simulator: Simulator, input: unknown, more: object = {}): Promise<string> => {
  const { body } = await call(simulator, "POST", "run", { input, ...more });
  return body.id;
};

/** What `/status` says of a job. */
export const status = async (simulator: Simulator, id: string): Promise<Body> =>
  (await call(simulator, "GET", `status/${id}`)).body;

/** What `/health` says of the endpoint. */
export const health = async (simulator: Simulator): Promise<Body> =>
  (await call(simulator, "GET", "health")).body;

/** The history as words: `type` and what matters of it. */
export const story = (simulator: Simulator, ...types: string[]): string[] =>
  simulator
    .history()
    .filter((event) => types.includes(event.type))
    .map((event) => {
      const detail = "answer" in event ? event.answer : "state" in event ? event.state : undefined;
      return `${event.at} ${event.type}${detail === undefined ? "" : ` ${detail}`}`;
    });

/** A webhook receiver without HTTP. Answers with the next of `answers` (a number, or an error), then 200. */
export const receiver = (answers: (number | Error)[] = []) => {
  const calls: { url: string; headers: Record<string, string>; body: Body; text: string }[] = [];
  const post: Post = async (url, headers, text) => {
    calls.push({ url, headers, text, body: JSON.parse(text) });
    const answer = answers.shift() ?? 200;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { calls, post };
};
