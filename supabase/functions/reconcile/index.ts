import { serve } from "@podbase/edge";
import { jobs } from "../_shared/jobs.ts";

export default { fetch: serve("reconcile", jobs, Deno.env.toObject()) };
