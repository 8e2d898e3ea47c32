export { createFunctions, type Functions, type FunctionsOptions } from "./create-functions.ts";
