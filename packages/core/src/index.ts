export * from "./contracts.ts";
export * from "./define-job.ts";
export * from "./engine.ts";
export * from "./errors.ts";
export * from "./ports.ts";
export * from "./runpod.ts";
export * from "./states.ts";
export * from "./storable.ts";
