import { TransportError } from './errors.ts';

/** A time limit on one operation. `clear()` must be called when the operation is over. */
export interface Deadline {
  readonly signal: AbortSignal;
  clear(): void;
}

/**
 * A signal that aborts after `ms`, or together with `parent`.
 *
 * Not `AbortSignal.any()`: composed with a parent that lives as long as the daemon, every composed signal would stay
 * reachable until its own timer has fired, which is a leak of one signal per request.
 *
 * @param doing for the message of the timeout: "dialling 12D3…"
 */
export function deadline(ms: number, doing: string, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new TransportError('timeout', `${doing}: not done after ${ms} ms; is the peer up and reachable?`));
  }, ms);
  const follow = (): void => controller.abort(parent?.reason);
  if (parent?.aborted === true) follow();
  else parent?.addEventListener('abort', follow, { once: true });
  return {
    signal: controller.signal,
    clear(): void {
      clearTimeout(timer);
      parent?.removeEventListener('abort', follow);
    },
  };
}
