/** Signed webhooks. @see https://github.com/standard-webhooks/standard-webhooks, spec */
import { createHash, createHmac, createPrivateKey, sign } from 'node:crypto';
import { err, ok, type Result } from '../core/result.ts';
import type { SinkFormat } from '../core/sink.ts';
import type { HttpClient } from '../outbound/http-client.ts';
import type { FormattedEvent } from './format.ts';
import { post } from './http-post.ts';
import { inertJson } from './inert-text.ts';
import type { Sink } from './sink.ts';

export interface WebhookOptions {
  readonly http: HttpClient;
  readonly url: string;
  readonly format: SinkFormat;
  readonly signer: WebhookSigner;
  readonly nowMs: () => number;
}

/** Signs `<id>.<timestamp>.<body>`. @returns one signature as it stands in the header */
export type WebhookSigner = (text: string) => string;

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const PRIVATE = /^whsk_([A-Za-z0-9+/]+={0,2})$/;
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;
const SEED_BYTES = 32;
/** PKCS #8 of an Ed25519 seed (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** @param secret `whsec_<base64>` for HMAC-SHA256, or `whsk_<base64 of the seed>` for Ed25519 */
export function webhookSigner(secret: string): Result<WebhookSigner, 'secret_malformed'> {
  const shared = Buffer.from(SECRET.exec(secret)?.[1] ?? '', 'base64');
  if (shared.length >= MIN_SECRET_BYTES && shared.length <= MAX_SECRET_BYTES)
    return ok((text) => `v1,${createHmac('sha256', shared).update(text).digest('base64')}`);
  const seed = Buffer.from(PRIVATE.exec(secret)?.[1] ?? '', 'base64');
  if (seed.length !== SEED_BYTES && seed.length !== SEED_BYTES * 2) return err('secret_malformed');
  const der = Buffer.concat([PKCS8_HEAD, seed.subarray(0, SEED_BYTES)]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return ok((text) => `v1a,${sign(null, Buffer.from(text), key).toString('base64')}`);
}

export function createWebhookSink({ http, url, format, signer, nowMs }: WebhookOptions): Sink {
  return {
    confirms: true,
    async deliver(events, signal) {
      const body = webhookBody(events, format);
      const id = messageId(events);
      const timestamp = String(Math.floor(nowMs() / 1_000));
      const headers = {
        'content-type': 'application/json',
        'idempotency-key': id,
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': signer(`${id}.${timestamp}.${body}`),
      };
      await post(http, { url, headers, body }, signal);
    },
    close: async () => undefined,
  };
}

/** The time is that of the newest event: the same events give the same bytes. */
function webhookBody(events: readonly FormattedEvent[], format: SinkFormat): string {
  const timestamp = events.at(-1)?.event.record.at ?? '';
  const texts = events.map(({ text }) => (format === 'cef' ? inertJson(text) : text));
  return `{"type":"stigmem.audit","timestamp":${inertJson(timestamp)},"format":"${format}","data":[${texts.join(',')}]}`;
}

/** Of the ids of the events: sent again, the same events have the same one. */
function messageId(events: readonly FormattedEvent[]): string {
  const ids = events.map(({ event }) => event.id).join('\n');
  return `msg_${createHash('sha256').update(ids).digest('hex').slice(0, 32)}`;
}
