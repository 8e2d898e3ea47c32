import { serve } from "@podbase/edge";
import { jobs } from "../_shared/jobs.ts";

export default { fetch: serve("runpod-webhook", jobs, Deno.env.toObject()) };
