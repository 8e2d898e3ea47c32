/**
 * A signed URL that saves the file under `name` instead of showing it. The link's `download` attribute can't:
 * browsers ignore it across origins (supabase.com/docs/guides/storage/serving/downloads).
 */
export function downloadHref(signedUrl: string, name: string): string {
  const url = new URL(signedUrl, window.location.href);
  url.searchParams.set("download", name);
  return url.href;
}
