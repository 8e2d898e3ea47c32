/** Waits for what nobody will ever bring about, as a module that another one imports, like every command. */
import { toItsEnd } from "../../src/to-its-end.ts";

await toItsEnd(new Promise(() => {}));
