import { describe, expect, test } from "vitest";
import { filesOnDisk, must, signedUp, storageOfFile } from "./auth-and-storage.ts";

const services = await storageOfFile();
const { storage } = services.admin;

describe("buckets", () => {
  test("are made, read, listed, changed and deleted with the secret key", async () => {
    must(
      await storage.createBucket("photos", {
        public: false,
        fileSizeLimit: "1KB",
        allowedMimeTypes: ["image/*"],
      }),
    );
    expect(must(await storage.getBucket("photos"))).toMatchObject({
      id: "photos",
      name: "photos",
      public: false,
      type: "STANDARD",
      file_size_limit: 1000,
      allowed_mime_types: ["image/*"],
    });
    must(await storage.updateBucket("photos", { public: true, fileSizeLimit: null, allowedMimeTypes: null }));
    expect(must(await storage.getBucket("photos"))).toMatchObject({
      public: true,
      file_size_limit: null,
      allowed_mime_types: null,
    });
    expect(must(await storage.listBuckets()).map(({ id }) => id)).toEqual(["own", "photos"]);
    const page = await storage.listBuckets({
      limit: 1,
      offset: 0,
      sortColumn: "id",
      sortOrder: "desc",
      search: "O",
    });
    expect(must(page).map(({ id }) => id)).toEqual(["photos"]);
    must(await storage.deleteBucket("photos"));
    expect((await storage.getBucket("photos")).error).toMatchObject({ status: 400, statusCode: "404" });
  });

  test("are refused with the hosted API's codes", async () => {
    expect((await storage.createBucket("own")).error).toMatchObject({ status: 400, statusCode: "409" });
    expect((await storage.createBucket("a/b")).error).toMatchObject({
      statusCode: "400",
      code: "InvalidBucketName",
    });
    expect((await storage.createBucket("big", { public: false, fileSizeLimit: "51MB" })).error).toBeNull();
    const huge = await storage.createBucket("huge", { public: false, fileSizeLimit: "1GB" });
    expect(huge.error).toMatchObject({ statusCode: "413", code: "EntityTooLarge" });
    const odd = await storage.createBucket("odd", { public: false, fileSizeLimit: "much" });
    expect(odd.error).toMatchObject({ statusCode: "400", code: "InvalidRequest" });
    const mime = await storage.createBucket("mime", { public: false, allowedMimeTypes: ["not a type"] });
    expect(mime.error).toMatchObject({ statusCode: "415" });
    expect((await storage.updateBucket("none", { public: true })).error).toMatchObject({ statusCode: "404" });
    expect((await storage.deleteBucket("none")).error).toMatchObject({ statusCode: "404" });
  });

  test("are deleted only when empty, and emptying removes the bytes", async () => {
    must(await storage.createBucket("full"));
    const before = await filesOnDisk(services);
    for (const name of ["a.txt", "b/c.txt"]) must(await storage.from("full").upload(name, "text"));
    expect((await storage.deleteBucket("full")).error).toMatchObject({
      statusCode: "409",
      code: "ResourceNotEmpty",
    });
    must(await storage.emptyBucket("full"));
    expect(await filesOnDisk(services)).toBe(before);
    must(await storage.deleteBucket("full"));
  });

  test("belong to whom policies say: users see none and make none", async () => {
    const { client } = await signedUp(services);
    for (const caller of [client, services.client()]) {
      expect(must(await caller.storage.listBuckets())).toEqual([]);
      expect((await caller.storage.getBucket("own")).error).toMatchObject({ statusCode: "404" });
      expect((await caller.storage.createBucket("mine")).error).toMatchObject({
        status: 400,
        statusCode: "403",
      });
      expect((await caller.storage.deleteBucket("own")).error).toMatchObject({ statusCode: "404" });
      expect((await caller.storage.emptyBucket("own")).error).toMatchObject({ statusCode: "404" });
    }
  });
});
