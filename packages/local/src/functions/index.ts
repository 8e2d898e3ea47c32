export { createFunctions, type Functions, type FunctionsOptions } from "./create-functions.ts";
export type { FunctionChange } from "./watch-sources.ts";
