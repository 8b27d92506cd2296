import { type Refusal, refused } from './responses.ts';

/**
 * Waits for an answer, but no longer than the limit. What was started goes on: the store has no half-done state, and
 * the text says how to find out.
 */
export async function withDeadline(work: Promise<Response>, ms: number): Promise<Response> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, ms, 'late');
  });
  try {
    const first = await Promise.race([work, late]);
    if (first !== 'late') return first;
    discard(work);
    return refused(tooLate(ms));
  } finally {
    clearTimeout(timer);
  }
}

/** Nobody reads the late answer: its stream must not stay open, its failure must not end the process. */
function discard(work: Promise<Response>): void {
  work.then((response) => response.body?.cancel()).catch(() => undefined);
}

function tooLate(ms: number): Refusal {
  const detail = `no answer within ${ms / 1000} s. Facts may be stored all the same: send it again, a repeat changes nothing. Of any other change look first whether it was made`;
  return { status: 504, detail };
}
