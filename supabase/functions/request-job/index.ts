import { serve } from "@podbase/edge";
import { jobs } from "../_shared/jobs.ts";

export default { fetch: serve("request-job", jobs, Deno.env.toObject()) };
