import type { StackContext } from "../context.ts";
import type { Files } from "./files.ts";

/** The stack, and what the Storage service has besides. */
export interface StorageContext extends StackContext {
  files: Files;
  /** No object may be larger, whatever its bucket says; bytes. */
  fileSizeLimit: number;
}
