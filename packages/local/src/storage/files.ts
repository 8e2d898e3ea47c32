import { createHash, randomUUID } from "node:crypto";
import { constants, createWriteStream } from "node:fs";
import { copyFile, type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { entityTooLarge } from "./storage-error.ts";

/** Bytes that are on disk under a version of their own. */
export interface StoredFile {
  version: string;
  size: number;
  /** MD5 in quotes, as S3 gives for a file uploaded in one piece. */
  etag: string;
}

/**
 * Objects' bytes. Every upload is a new file named by a random version and never changes, so an overwrite is one
 * change of the row, and no path holds anything that a caller chose.
 */
export interface Files {
  /** Stores a stream. Over `limit` bytes it reads on without storing and throws StorageError `EntityTooLarge`. */
  store(body: Readable, limit: number): Promise<StoredFile>;
  /** Copies a version to a new one; undefined when there is none. */
  copy(version: string): Promise<string | undefined>;
  /** Opens a version for reading; undefined when there is none. The caller closes it. */
  open(version: string): Promise<FileHandle | undefined>;
  /** Removes versions; those that are gone already don't matter. */
  remove(versions: (string | null)[]): Promise<void>;
}

const VERSION = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The files below `folder`. What an interrupted upload left is cleared. */
export async function openFiles(folder: string): Promise<Files> {
  const incoming = join(folder, "incoming");
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });

  const shelf = (version: string) => join(folder, version.slice(0, 2));
  const pathOf = (version: string) => join(shelf(version), version);
  const absentIsUndefined = <T>(found: Promise<T>): Promise<T | undefined> =>
    found.catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });

  return {
    async store(body, limit) {
      const version = randomUUID();
      const draft = join(incoming, version);
      const md5 = createHash("md5");
      let size = 0;
      const meter = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          size += chunk.length;
          if (size > limit) return done();
          md5.update(chunk);
          done(null, chunk);
        },
      });
      try {
        await pipeline(body, meter, createWriteStream(draft, { flags: "wx", mode: 0o600 }));
        if (size > limit) throw entityTooLarge();
        await mkdir(shelf(version), { recursive: true });
        await rename(draft, pathOf(version));
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
      return { version, size, etag: `"${md5.digest("hex")}"` };
    },
    async copy(version) {
      if (!VERSION.test(version)) return undefined;
      const copied = randomUUID();
      await mkdir(shelf(copied), { recursive: true });
      const done = copyFile(pathOf(version), pathOf(copied), constants.COPYFILE_FICLONE).then(() => copied);
      return absentIsUndefined(done);
    },
    open: async (version) => (VERSION.test(version) ? absentIsUndefined(open(pathOf(version))) : undefined),
    async remove(versions) {
      const known = versions.filter((version): version is string => VERSION.test(version ?? ""));
      await Promise.all(known.map((version) => rm(pathOf(version), { force: true })));
    },
  };
}
