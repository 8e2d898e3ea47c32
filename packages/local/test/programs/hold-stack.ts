/**
 * Starts the stack on the folders it is given and says where it is. Holds it until it is killed, or with `leave` stops
 * it: then the process must end by itself.
 */
import { startStack } from "../../src/index.ts";

const [projectDir, dataDir, port, then] = process.argv.slice(2) as [string, string, string, string?];
const stack = await startStack({
  projectDir,
  dataDir,
  port: Number(port),
  log: (line) => console.error(line),
});
await fetch(`${stack.url}/functions/v1/hello`);
console.log(JSON.stringify({ url: stack.url }));
if (then === "leave") await stack.stop();
