/**
 * Waits for a command's work. Should nothing be left that could ever end the wait, the process ends with 1 and a word; Node
 * by itself would say nothing, since what awaits is not the module that was started (nodejs.org/api/process.html, exit code 13).
 */
export async function toItsEnd(work: Promise<unknown>): Promise<void> {
  const drained = () => {
    console.error("podbase: what this command waits for can no longer come about; it ends before its time");
    process.exit(1);
  };
  process.once("beforeExit", drained);
  await work;
  process.off("beforeExit", drained);
}
