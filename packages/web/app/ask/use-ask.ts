import { type Delivery, PodbaseError } from "@podbase/client";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { useStack } from "../stack.ts";
import { requestErrorText } from "../texts/errors.ts";
import { type Draft, type DraftErrors, type DraftField, draftFields, emptyDraft, trimmed } from "./draft.ts";
import { localToday, placeIssues, validateDraft } from "./validate.ts";

/** What came of asking: the job's id, or the first field that needs another look, or that it is kept, or none (see the message). */
export interface Asked {
  jobId?: string;
  firstWrong?: DraftField;
  /** The network is away, so it is kept and sent later, even if the page is closed meanwhile. */
  kept?: boolean;
}

const offline = new PodbaseError("network", "the browser is offline");

/**
 * Checks a draft, sends it, and holds what was wrong with it. `onSentLater` gets the job's id of what was kept, once that is
 * sent, unless another question is being written by then.
 */
export function useAsk(
  draft: Draft,
  onSentLater: (jobId: string) => void,
): {
  ask: () => Promise<Asked>;
  busy: boolean;
  errors: DraftErrors;
  message: string | undefined;
} {
  const { podbase } = useStack();
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState<DraftErrors>({});
  const [message, setMessage] = useState<string>();
  // One key for one set of answers: asking again after a lost connection leads to the same job, not to a second.
  const request = useRef<{ answers: string; key: string }>(undefined);
  /** The key of what was kept last. */
  const kept = useRef<string>(undefined);

  const onDelivery = useEffectEvent(({ request, job, error }: Delivery) => {
    if (request.idempotencyKey !== kept.current) return;
    kept.current = undefined;
    if (error) show({}, requestErrorText(error));
    else if (JSON.stringify(draft) === JSON.stringify(emptyDraft)) onSentLater(job.id);
  });
  useEffect(() => podbase.outbox.onDelivery((delivery) => onDelivery(delivery)).unsubscribe, [podbase]);

  const show = (found: DraftErrors, text?: string): Asked => {
    setErrors(found);
    setMessage(text);
    const firstWrong = draftFields.find((field) => found[field]);
    return firstWrong ? { firstWrong } : {};
  };

  const ask = async (): Promise<Asked> => {
    const wrong = validateDraft(draft, localToday());
    if (Object.keys(wrong).length > 0) return show(wrong);

    const input = trimmed(draft);
    const answers = JSON.stringify(input);
    if (request.current?.answers !== answers) request.current = { answers, key: podbase.jobs.newKey() };
    const idempotencyKey = request.current.key;
    show({});
    setBusy(true);
    const { data, error } = navigator.onLine
      ? await podbase.jobs.request("reading", input, { idempotencyKey })
      : { data: null, error: offline };
    setBusy(false);
    if (error?.code === "network") {
      // The outbox sends it at once all the same: a browser on a machine without any network believes itself offline,
      // though what runs on that machine can be reached.
      kept.current = idempotencyKey;
      const added = await podbase.outbox.add("reading", input, { idempotencyKey });
      if (added.error) return show({}, requestErrorText(error));
      request.current = undefined;
      return { kept: true };
    }
    if (error) {
      const placed = placeIssues(error.issues ?? []);
      return show(placed.errors, [requestErrorText(error), ...placed.rest].join(" "));
    }
    request.current = undefined;
    return { jobId: data.id };
  };

  return { ask, busy, errors, message };
}
