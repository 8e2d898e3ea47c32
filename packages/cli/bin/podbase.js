#!/usr/bin/env node
// Node 20 can't read TypeScript by itself, so the loader comes first.
import { register } from "tsx/esm/api";

register();
await import("../src/main.ts");
