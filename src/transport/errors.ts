/** What went wrong between two nodes. Callers branch on `code`; people read the message. */
export type TransportErrorCode =
  | 'dial_failed'
  | 'refused'
  | 'forbidden'
  | 'unsupported_protocol'
  | 'busy'
  | 'timeout'
  | 'reset'
  | 'closed'
  | 'truncated'
  | 'frame_too_large'
  | 'frame_malformed'
  | 'bad_key'
  | 'bad_address'
  | 'handler_failed'
  | 'start_failed';

/** The only error this station throws, besides the caller's own abort reason. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: TransportErrorCode;

  constructor(code: TransportErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}

const ADVICE: ReadonlyMap<string, readonly [TransportErrorCode, string]> = new Map(
  Object.entries({
    StreamResetError: [
      'reset',
      'the peer reset the stream: it refused the request or failed while answering; see its log',
    ],
    StreamAbortedError: ['reset', 'the stream was given up before it was finished'],
    StreamStateError: ['closed', 'the stream is closed already'],
    StreamClosedError: ['closed', 'the stream is closed already'],
    ConnectionClosedError: ['closed', 'the connection closed; the next request dials again'],
    MuxerClosedError: ['closed', 'the connection closed; the next request dials again'],
    StreamBufferError: ['reset', 'one side sent more than the other was ready to take'],
    TimeoutError: ['timeout', 'the peer did not answer in time; check that it is up and reachable'],
    AbortError: ['timeout', 'the peer did not answer in time; check that it is up and reachable'],
    UnsupportedProtocolError: [
      'unsupported_protocol',
      'the peer does not speak this protocol; compare software versions',
    ],
    TooManyOutboundProtocolStreamsError: ['busy', 'too many requests to this peer are open already'],
    EncryptionFailedError: [
      'dial_failed',
      'the peer that answered has another key, spoke no Noise, or is in another private network; check address, peer id and network.private_key_file',
    ],
    ConnectionInterceptedError: ['forbidden', 'the peer is not on our allow list'],
    DialDeniedError: ['forbidden', 'the peer is not on our allow list'],
    NoValidAddressesError: ['bad_address', 'none of the configured addresses can be dialled; check the peer file'],
  }),
);

/**
 * Turns whatever libp2p threw or rejected with into a TransportError. Several of its calls reject with the stream's
 * 'close' Event (or an object like it), which has no stack, no message, and the reason, if any, in `error`.
 *
 * @param doing what we were doing, for the message: "opening /x/1.0.0 to 12D3…"
 */
export function toError(thrown: unknown, doing: string): TransportError {
  if (thrown instanceof TransportError) return thrown;
  const error = thrown instanceof Error ? thrown : innerError(thrown);
  if (error instanceof TransportError) return error;
  if (error === undefined) return new TransportError('reset', `${doing}: the stream ended under us`, thrown);
  const known = ADVICE.get(error.name);
  if (known === undefined) return new TransportError('closed', `${doing}: ${error.message}`, error);
  const detail = error.message === '' ? '' : ` (${error.message})`;
  return new TransportError(known[0], `${doing}: ${known[1]}${detail}`, error);
}

/** libp2p's message has the stack of what failed on each address; an operator can use the first line of each. */
export function listenFaults(message: string): readonly string[] {
  return message.split('\n').flatMap((line) => /^ {2}\/\S+: (?:\w*Error: )?(.+)$/.exec(line)?.[1] ?? []);
}

function innerError(thrown: unknown): Error | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('error' in thrown)) return undefined;
  return thrown.error instanceof Error ? thrown.error : undefined;
}
