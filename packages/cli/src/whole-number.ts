import { InvalidArgumentError } from "commander";

/** An option's value as a whole number from 0. Throws commander's error, which becomes a usage message. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("It must be a whole number.");
  return value;
}

/** The same from `least`. */
export const atLeast = (least: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least)
    throw new InvalidArgumentError(`It must be a whole number, ${least} or more.`);
  return value;
};
