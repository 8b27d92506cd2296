/**
 * Reports of a trusted execution environment about checkpoints: what was asked for, what came back, and whether the one
 * names the other. The CPU maker's signature over a report is not looked at here.
 */
import { hash } from 'node:crypto';
import { canonicalJson } from '../core/canonical-json.ts';
import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { parseNote } from './note.ts';

/** Largest blob of a report; the kernel gives 32 KiB at most, newer ones more for what comes beside it. */
export const MAX_TEE_BLOB_BYTES = 1_048_576;
const MAX_REPORT_CHARS = 8 * MAX_TEE_BLOB_BYTES;
const MAX_PROVIDER_CHARS = 64;

/** What the kernel returned. */
export interface TeeBlobs {
  /** Which format `outblob` has: `tdx_guest`, `sev_guest`, … */
  readonly provider: string;
  readonly outblob: Uint8Array;
  /** Null where the kernel has none. SEV-SNP: certificates that the host gave. */
  readonly auxblob: Uint8Array | null;
  readonly manifestblob: Uint8Array | null;
}

export interface TeeReport extends TeeBlobs {
  /** The signed note, as it goes to transparency logs. */
  readonly checkpoint: string;
}

/** `not_checked`: a format that is not known here. */
export type TeeBinding = 'bound' | 'other_nonce' | 'too_short' | 'not_checked';

/** SHA-512 of the UTF-8 bytes of the whole note: text, empty line, signature lines, each with its line feed. */
export function teeNonce(note: string): Buffer {
  return hash('sha512', note, 'buffer');
}

/**
 * Tells whether a report carries the nonce. Pure and total; says nothing about who made the report.
 *
 * @see Intel TDX DCAP Quoting Library API, appendices on quote versions 4 and 5; AMD 56860, ATTESTATION_REPORT
 */
export function checkTeeBinding({ provider, outblob }: TeeBlobs, nonce: Uint8Array): TeeBinding {
  const at = reportDataAt(provider, outblob);
  if (typeof at === 'string') return at;
  const stated = outblob.subarray(at, at + nonce.length);
  return Buffer.compare(stated, nonce) === 0 ? 'bound' : 'other_nonce';
}

const TDX_TEE_TYPE = 0x81;
const TDX_HEADER_BYTES = 48;
/** In a TD report body of 1.0 and of 1.5, which only adds behind it. */
const TDX_REPORT_DATA_AT = 520;
/** Version 5 puts type (2: TD 1.0, 3: TD 1.5) and size of the body before it. */
const TDX_BODY_BYTES: Readonly<Record<number, number>> = { 2: 584, 3: 648 };
const TDX_V5_DESCRIPTOR_BYTES = 6;
const SNP_REPORT_BYTES = 1_184;
const SNP_REPORT_DATA_AT = 0x50;
const SNP_VERSIONS: readonly number[] = [2, 3, 4, 5];

function reportDataAt(provider: string, outblob: Uint8Array): number | 'too_short' | 'not_checked' {
  const raw = Buffer.from(outblob.buffer, outblob.byteOffset, outblob.byteLength);
  if (provider === 'tdx_guest') return tdxReportDataAt(raw);
  if (provider !== 'sev_guest') return 'not_checked';
  if (raw.length < 4) return 'too_short';
  if (!SNP_VERSIONS.includes(raw.readUInt32LE(0))) return 'not_checked';
  return raw.length < SNP_REPORT_BYTES ? 'too_short' : SNP_REPORT_DATA_AT;
}

function tdxReportDataAt(raw: Buffer): number | 'too_short' | 'not_checked' {
  if (raw.length < TDX_HEADER_BYTES + TDX_V5_DESCRIPTOR_BYTES) return 'too_short';
  const version = raw.readUInt16LE(0);
  if ((version !== 4 && version !== 5) || raw.readUInt32LE(4) !== TDX_TEE_TYPE) return 'not_checked';
  const bodyAt = version === 4 ? TDX_HEADER_BYTES : TDX_HEADER_BYTES + TDX_V5_DESCRIPTOR_BYTES;
  const bodyBytes = TDX_BODY_BYTES[version === 4 ? 2 : raw.readUInt16LE(TDX_HEADER_BYTES)];
  if (bodyBytes === undefined) return 'not_checked';
  if (version === 5 && raw.readUInt32LE(TDX_HEADER_BYTES + 2) !== bodyBytes) return 'not_checked';
  return raw.length < bodyAt + bodyBytes ? 'too_short' : bodyAt + TDX_REPORT_DATA_AT;
}

/** The one text of a report, as it is stored. */
export function formatTeeReport({ checkpoint, provider, outblob, auxblob, manifestblob }: TeeReport): string {
  return canonicalJson({
    auxblob: auxblob === null ? null : encodeBase64(auxblob),
    checkpoint,
    kind: 'tee_report',
    manifestblob: manifestblob === null ? null : encodeBase64(manifestblob),
    outblob: encodeBase64(outblob),
    provider,
    v: 1,
  });
}

/** Reads a report, in any spelling of its JSON. Total; whether it holds, {@link checkTeeBinding} says. */
export function parseTeeReport(text: string): Result<TeeReport, 'tee_report_malformed'> {
  try {
    return text.length > MAX_REPORT_CHARS ? err('tee_report_malformed') : readReport(JSON.parse(text));
  } catch {
    return err('tee_report_malformed');
  }
}

function readReport(value: unknown): Result<TeeReport, 'tee_report_malformed'> {
  if (typeof value !== 'object' || value === null) return err('tee_report_malformed');
  const { auxblob, checkpoint, kind, manifestblob, outblob, provider, v, ...rest } = value as Record<string, unknown>;
  const [out, aux, manifest] = [outblob, auxblob, manifestblob].map(blobOf);
  const isNamed = typeof provider === 'string' && provider.length <= MAX_PROVIDER_CHARS;
  if (kind !== 'tee_report' || v !== 1 || Object.keys(rest).length > 0 || !isNamed) return err('tee_report_malformed');
  if (typeof checkpoint !== 'string' || !parseNote(checkpoint).ok) return err('tee_report_malformed');
  if (out === undefined || out === null || aux === undefined || manifest === undefined)
    return err('tee_report_malformed');
  return ok({ checkpoint, provider, outblob: out, auxblob: aux, manifestblob: manifest });
}

function blobOf(value: unknown): Uint8Array | null | undefined {
  if (value === null) return null;
  return typeof value === 'string' ? decodeBase64(value) : undefined;
}
