/** The part that is used here of the Emscripten module of espeak-ng 1.0.2, which ships without types. */
declare module "espeak-ng" {
  export type EspeakModule = {
    FS: {
      writeFile(path: string, data: string): void;
      readFile(path: string): Uint8Array;
      analyzePath(path: string): { exists: boolean };
    };
  };
  export type EspeakSettings = {
    arguments: string[];
    preRun: ((module: EspeakModule) => void)[];
    print(line: string): void;
    printErr(line: string): void;
    instantiateWasm(
      imports: WebAssembly.Imports,
      done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
    ): object;
  };
  /** Runs espeak-ng's command line once; resolves when it has ended. */
  export default function createEspeak(settings: EspeakSettings): Promise<EspeakModule>;
}
