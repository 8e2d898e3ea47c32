import { beforeAll, describe, expect, test } from "vitest";
import { must, storageOfFile } from "./auth-and-storage.ts";

const services = await storageOfFile();
const { storage } = services.admin;

describe("listing", () => {
  const names = async (path?: string, options: Parameters<ReturnType<typeof storage.from>["list"]>[1] = {}) =>
    must(await storage.from("shelf").list(path, options)).map(({ name }) => name);

  beforeAll(async () => {
    must(await storage.createBucket("shelf"));
    for (const name of [
      "b.txt",
      "A.txt",
      "c_d.txt",
      "dir/one",
      "dir/two",
      "dir/sub/three",
      "Docs/x",
      "dirt",
    ]) {
      must(await storage.from("shelf").upload(name, name));
    }
  });

  test("shows one level, folders without and files with details", async () => {
    expect(await names()).toEqual(["A.txt", "b.txt", "c_d.txt", "dir", "dirt", "Docs"]);
    expect(await names("dir")).toEqual(["one", "sub", "two"]);
    expect(await names("dir/sub/")).toEqual(["three"]);
    expect(await names("nowhere")).toEqual([]);
    const [one, sub] = must(await storage.from("shelf").list("dir"));
    expect(one).toMatchObject({
      name: "one",
      id: expect.any(String),
      metadata: { size: 7, mimetype: "text/plain;charset=UTF-8" },
    });
    expect(sub).toEqual({
      name: "sub",
      id: null,
      updated_at: null,
      created_at: null,
      last_accessed_at: null,
      metadata: null,
    });
  });

  test("searches by the beginning of names, taking no character for a wildcard", async () => {
    expect(await names("", { search: "d" })).toEqual(["dir", "dirt", "Docs"]);
    expect(await names("dir", { search: "T" })).toEqual(["two"]);
    for (const search of ["c%", "__d", "_"]) expect(await names("", { search })).toEqual([]);
    expect(await names("", { search: "C_" })).toEqual(["c_d.txt"]);
  });

  test("sorts and pages", async () => {
    expect(await names("", { sortBy: { column: "name", order: "desc" }, limit: 2, offset: 1 })).toEqual([
      "dirt",
      "dir",
    ]);
    const byAge = await names("", { sortBy: { column: "created_at", order: "desc" } });
    expect(byAge).toEqual(["Docs", "dir", "dirt", "c_d.txt", "A.txt", "b.txt"]);
    const odd = await storage
      .from("shelf")
      .list("", { sortBy: { column: "owner; drop table x", order: "asc" } });
    expect(odd.error).toMatchObject({ statusCode: "400", code: "InvalidRequest" });
  });
});
