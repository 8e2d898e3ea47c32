import { type RestError, unparsable } from "./errors.ts";

/** The parser's dead end; `Scanner.run` turns it into PGRST100. */
class ParseFailure extends Error {}

/**
 * A cursor over one query parameter. Parsers are functions that take it and move it; they fail by `expected`.
 * `attempt` gives a parser up and goes back.
 */
export class Scanner {
  readonly text: string;
  position = 0;
  private furthest = -1;
  private wanted = new Set<string>();

  constructor(text: string) {
    this.text = text;
  }

  /** Parses the whole of `text`. Throws RestError PGRST100 that says `failed to parse <what> (<text>)`. */
  static run<T>(what: string, text: string, parse: (scanner: Scanner) => T): T {
    const scanner = new Scanner(text);
    try {
      const result = parse(scanner);
      if (!scanner.done) scanner.expected("end of input");
      return result;
    } catch (error) {
      if (error instanceof ParseFailure) throw scanner.failure(what);
      throw error;
    }
  }

  get done(): boolean {
    return this.position === this.text.length;
  }

  /** Whether `text` comes next; stays where it is. */
  sees(text: string): boolean {
    return this.text.startsWith(text, this.position);
  }

  /** Moves past `text` if it comes next. */
  eat(text: string): boolean {
    if (!this.sees(text)) return false;
    this.position += text.length;
    return true;
  }

  /** Moves past what the sticky `pattern` matches here. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text);
    if (!found) return undefined;
    this.position += found[0].length;
    return found;
  }

  need(text: string): void {
    if (!this.eat(text)) this.expected(`"${text}"`);
  }

  skipBlanks(): void {
    this.match(/[ \t]*/y);
  }

  /** Fails here. The furthest failure is the one that is told. */
  expected(what: string): never {
    if (this.position > this.furthest) {
      this.furthest = this.position;
      this.wanted = new Set();
    }
    if (this.position === this.furthest) this.wanted.add(what);
    throw new ParseFailure();
  }

  /** What `parse` returns, or undefined and back to where it began. */
  attempt<T>(parse: () => T): T | undefined {
    const start = this.position;
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof ParseFailure)) throw error;
      this.position = start;
      return undefined;
    }
  }

  /** `parse` once or more, with commas between. */
  list<T>(parse: () => T): T[] {
    const items: T[] = [];
    do {
      this.skipBlanks();
      items.push(parse());
      this.skipBlanks();
    } while (this.eat(","));
    return items;
  }

  private failure(what: string): RestError {
    const found = this.text.slice(this.furthest, this.furthest + 1);
    return unparsable(
      `${what} (${this.text})`,
      this.furthest + 1,
      `unexpected ${found ? `"${found}"` : "end of input"} expecting ${[...this.wanted].join(" or ")}`,
    );
  }
}
