import { notServed, RestError } from "./errors.ts";

/** How the body is put together. */
export interface Media {
  contentType: string;
  /** One object instead of an array; anything but one row is an error. */
  single: boolean;
  stripNulls: boolean;
}

const JSON_ARRAY: Media = {
  contentType: "application/json; charset=utf-8",
  single: false,
  stripNulls: false,
};

/** Served by hosted projects (or by a function or a domain of the database), not by this service. */
const ELSEWHERE =
  /^(text\/csv|application\/geo\+json|application\/openapi\+json|application\/vnd\.pgrst\.plan)/;

function mediaOf(type: string): Media | undefined {
  const [name = "", ...parameters] = type.split(";").map((part) => part.trim().toLowerCase());
  const stripNulls = parameters.includes("nulls=stripped");
  switch (name) {
    case "*/*":
    case "application/json":
      return JSON_ARRAY;
    case "application/vnd.pgrst.array":
    case "application/vnd.pgrst.array+json":
      return stripNulls
        ? {
            contentType: "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8",
            single: false,
            stripNulls,
          }
        : JSON_ARRAY;
    case "application/vnd.pgrst.object":
    case "application/vnd.pgrst.object+json":
      return {
        contentType: `application/vnd.pgrst.object+json${stripNulls ? ";nulls=stripped" : ""}; charset=utf-8`,
        single: true,
        stripNulls,
      };
    default:
      if (ELSEWHERE.test(name)) throw notServed(`Media type ${name}`);
      return undefined;
  }
}

const quality = (type: string): number => Number(/;\s*q=([0-9.]+)/i.exec(type)?.[1] ?? "1");

/** The first acceptable media type. Throws RestError: PGRST107, or 501 when hosted would serve it. */
export function negotiate(accept: string | null): Media {
  const wanted = (accept ?? "*/*")
    .split(",")
    .map((type) => type.trim())
    .filter((type) => type !== "")
    .sort((a, b) => quality(b) - quality(a));
  for (const type of wanted) {
    const media = mediaOf(type);
    if (media) return media;
  }
  throw new RestError(406, "PGRST107", `None of these media types are available: ${wanted.join(", ")}`);
}
