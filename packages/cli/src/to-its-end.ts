/** What the person at the keyboard can mend by what the message alone says: a folder, a disk, a port. */
const FOR_PEOPLE = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOSPC",
  "ENOTDIR",
  "EEXIST",
  "ERR_SOCKET_BAD_PORT",
]);

/**
 * Waits for a command's work. Should nothing be left that could ever end the wait, the process ends with 1 and a word; Node
 * by itself would say nothing, since what awaits is not the module that was started (nodejs.org/api/process.html, exit code 13).
 * A migration that Postgres refuses, or a folder that can't be written, ends it with 1 and a line; other errors are thrown.
 */
export async function toItsEnd(work: Promise<unknown>): Promise<void> {
  const drained = () => {
    console.error("podbase: what this command waits for can no longer come about; it ends before its time");
    process.exit(1);
  };
  process.once("beforeExit", drained);
  await work.catch((error: NodeJS.ErrnoException) => {
    if (error.name !== "MigrationError" && !FOR_PEOPLE.has(error.code ?? "")) throw error;
    console.error(`podbase: ${error.message}`);
    process.exit(1);
  });
  process.off("beforeExit", drained);
}
