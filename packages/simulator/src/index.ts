export type { Fault, FaultAction, FaultScope, FaultSubject, FaultWindow } from "./core/fault.ts";
export type { Happening, Listener, RemovalReason, SimulatorEvent } from "./core/history.ts";
export type { JobState } from "./core/job.ts";
export type { Json, JsonObject } from "./core/json.ts";
export { createRandom, type Random, type Span } from "./core/random.ts";
export {
  ENDPOINT_DEFAULTS,
  type EndpointSettings,
  PLATFORM_DEFAULTS,
  type PlatformSettings,
  type RateLimit,
} from "./core/settings.ts";
export type { Post } from "./core/world.ts";
export { readFaultFile } from "./fault-file.ts";
export { builtIn, echo, fail, progress, sleep, stream } from "./handlers/built-in.ts";
export { type CommandOptions, command } from "./handlers/command.ts";
export type { Handler, HandlerContext, HandlerJob } from "./handlers/handler.ts";
export type { EndpointReport } from "./report.ts";
export { createSimulator, type EndpointOptions, type Simulator, type SimulatorOptions } from "./simulator.ts";
export type { Clock, OutsideWork, Timer } from "./time/clock.ts";
export { realClock } from "./time/real-clock.ts";
export { type VirtualClock, virtualClock } from "./time/virtual-clock.ts";
