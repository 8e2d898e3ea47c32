import { z } from "zod";
import type { Handler } from "./companion.ts";
import { dateOf, parseDate } from "./reading/calendar.ts";
import { composeReading } from "./reading/compose.ts";
import { oneLine } from "./reading/markdown-escape.ts";

const textInput = z.looseObject({
  name: z
    .string()
    .max(80)
    .refine((name) => oneLine(name) !== "", "must not be empty"),
  birthDate: z.iso.date(),
  question: z.string().max(500).default(""),
  /** The day on which the reading is read, for reproducible readings; otherwise the day of the job. */
  today: z.iso.date().optional(),
});

/**
 * Writes a reading. Input `{ name, birthDate, question?, today? }`; output `{ text }`, the same Markdown that is
 * stored as the artifact `text`. A birth date after today is an error.
 */
export const textHandler: Handler = async (input, { now, progress, upload }) => {
  const { today, ...request } = textInput.parse(input);
  const text = composeReading({ ...request, today: today === undefined ? dateOf(now) : parseDate(today) });
  await progress(0.9, "The reading is written");
  await upload("text", new TextEncoder().encode(text));
  return { text };
};
