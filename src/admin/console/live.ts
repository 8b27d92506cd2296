/** The audit log's stream for a page: ended when the session is, and told apart from the API's by nothing else. */

/** @param holds whether who asked is signed in still */
export function liveStream(answer: Response, holds: () => boolean): Response {
  if (answer.body === null || answer.status !== 200) return answer;
  const checked = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      // Records or a heartbeat: the session is looked at whenever something is about to leave.
      if (holds()) controller.enqueue(chunk);
      else controller.terminate();
    },
  });
  return new Response(answer.body.pipeThrough(checked), { status: 200, headers: answer.headers });
}
