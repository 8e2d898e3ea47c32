const GPU = "NVIDIA+A40";
const PING_INTERVAL_MS = 10_000;

/**
 * The variables by which runpod/runpod-python 1.12.0 finds its platform. In `RUNPOD_WEBHOOK_GET_JOB` the library
 * puts the worker's id in the place of `$ID`, in the others the job's; each address has its `?` since the library
 * adds `&…`.
 */
export const workerEnvironment = ({
  url,
  apiKey,
  endpoint,
  worker,
}: {
  url: string;
  apiKey: string;
  endpoint: string;
  worker: string;
}): Record<string, string> => {
  const base = `${url}/${endpoint}`;
  return {
    RUNPOD_AI_API_KEY: apiKey,
    RUNPOD_POD_ID: worker,
    RUNPOD_ENDPOINT_ID: endpoint,
    RUNPOD_PING_INTERVAL: String(PING_INTERVAL_MS),
    RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$ID?gpu=${GPU}`,
    RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID/$ID?gpu=${GPU}`,
    RUNPOD_WEBHOOK_POST_STREAM: `${base}/job-stream/$RUNPOD_POD_ID/$ID?gpu=${GPU}`,
    RUNPOD_WEBHOOK_PING: `${base}/ping/$RUNPOD_POD_ID?gpu=${GPU}`,
    RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
    RUNPOD_SKIP_GPU_CHECK: "true",
  };
};
