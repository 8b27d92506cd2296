/** The forms that evidence has as a text: what a stranger may be handed, bounded and in one encoding each. */
import { isCanonicalJson } from '../core/canonical-json.ts';
import { MAX_FRAME_BYTES, MAX_PAGE_BYTES } from '../core/limits.ts';
import { err, ok, type Result } from '../core/result.ts';
import { MAX_NOTE_BYTES } from '../merkle/note.ts';
import { decodeMessage } from '../wire/message.ts';
import { base64, integer, list, literal, nullable, object, oneOf, type Shape, text } from '../wire/shape.ts';

/** A page of 4 MiB in base64, with room: as much as the journal stores of one piece of evidence. */
export const MAX_EVIDENCE_BYTES = 16_777_216;
const MAX_WORD_CHARS = 512;
const MAX_PATH_HASHES = 64;
const HASH_BYTES = 32;

export interface EvidencePeer {
  /** base64 of the raw key */
  readonly log_key: string;
  readonly node_id: string;
  readonly origin: string;
}

interface Head {
  readonly class: 'accusation' | 'contradiction';
  readonly event: string;
  readonly peer: EvidencePeer;
  readonly reason: string;
  readonly v: 1;
}

interface Refusal extends Head {
  readonly checkpoint: string | null;
  readonly claimed: unknown;
  readonly computed: unknown;
  readonly feed: unknown;
  readonly feed_head: string | null;
  readonly first_difference: unknown;
}

/** A refused page, see `evidence.ts`. All bytes are base64. */
export interface PageEvidenceForm extends Refusal {
  readonly known: { readonly note: string; readonly root: string; readonly size: number } | null;
  readonly received: {
    readonly entries: string | null;
    readonly header: string;
    /** Absent in evidence of a time before page notes. */
    readonly note?: string | null;
    readonly proof: string | null;
  };
}

/** A refused entry. */
export interface FactEvidenceForm extends Refusal {
  readonly known: unknown;
  readonly received: {
    readonly entry: string;
    readonly inclusion: readonly string[] | null;
    readonly index: number;
    readonly note?: string | null;
    readonly salt: string;
  };
}

/** Two checkpoints of one log, wherever they were seen, and a path between them when they are of two sizes. */
export interface CheckpointsForm extends Head {
  readonly kind: 'checkpoints';
  readonly notes: readonly string[];
  readonly path: readonly string[] | null;
  /** Node id. */
  readonly seen_from: string;
}

/** An entry with its inclusion under a signed checkpoint. */
export interface ProvedEntryForm {
  readonly checkpoint: string;
  readonly entry: string;
  readonly inclusion: readonly string[];
  readonly index: number;
  readonly salt: string;
}

/** Two entries of one log that cannot both be. */
export interface EntriesForm extends Head {
  readonly entries: readonly ProvedEntryForm[];
  readonly kind: 'entries';
  readonly seen_from: unknown;
}

export type EvidenceForm =
  | { readonly kind: 'page'; readonly form: PageEvidenceForm }
  | { readonly kind: 'fact'; readonly form: FactEvidenceForm }
  | { readonly kind: 'checkpoints'; readonly form: CheckpointsForm }
  | { readonly kind: 'entries'; readonly form: EntriesForm };

const anything: Shape<unknown> = { check: () => null };
const note = text(MAX_NOTE_BYTES);
const hashes = list(base64(HASH_BYTES), MAX_PATH_HASHES);
const classes = oneOf('accusation', 'contradiction');
const peer = object<EvidencePeer>({
  log_key: base64(HASH_BYTES),
  node_id: text(MAX_WORD_CHARS),
  origin: text(MAX_WORD_CHARS),
});
const bytes = (most: number): Shape<string> => base64(most, 0);

const refusal = {
  checkpoint: nullable(note),
  claimed: anything,
  class: classes,
  computed: anything,
  event: text(MAX_WORD_CHARS),
  feed: anything,
  feed_head: nullable(note),
  first_difference: anything,
};
const ending = { peer, reason: text(MAX_WORD_CHARS) };

const knownCheckpoint = object<NonNullable<PageEvidenceForm['known']>>({
  note,
  root: base64(HASH_BYTES),
  size: integer(),
});
const frames = { entries: nullable(bytes(MAX_FRAME_BYTES)), header: bytes(MAX_FRAME_BYTES) };
const proof = nullable(bytes(MAX_FRAME_BYTES));
const noteBytes = nullable(bytes(MAX_FRAME_BYTES));
const entry = {
  entry: bytes(MAX_PAGE_BYTES),
  inclusion: nullable(hashes),
  index: integer(),
};
const salt = bytes(HASH_BYTES);

const pageForm = (received: Shape<PageEvidenceForm['received']>): Shape<PageEvidenceForm> =>
  object<PageEvidenceForm>({ ...refusal, known: nullable(knownCheckpoint), ...ending, received, v: literal(1) });
const factForm = (received: Shape<FactEvidenceForm['received']>): Shape<FactEvidenceForm> =>
  object<FactEvidenceForm>({ ...refusal, known: anything, ...ending, received, v: literal(1) });

const PAGES = [
  pageForm(object<Required<PageEvidenceForm['received']>>({ ...frames, note: noteBytes, proof })),
  pageForm(object<Omit<PageEvidenceForm['received'], 'note'>>({ ...frames, proof })),
];
const FACTS = [
  factForm(object<Required<FactEvidenceForm['received']>>({ ...entry, note: noteBytes, salt })),
  factForm(object<Omit<FactEvidenceForm['received'], 'note'>>({ ...entry, salt })),
];
const CHECKPOINTS = object<CheckpointsForm>({
  class: classes,
  event: text(MAX_WORD_CHARS),
  kind: literal('checkpoints'),
  notes: list(note, 2),
  path: nullable(hashes),
  peer,
  reason: text(MAX_WORD_CHARS),
  seen_from: text(MAX_WORD_CHARS),
  v: literal(1),
});
const ENTRIES = object<EntriesForm>({
  class: classes,
  entries: list(
    object<ProvedEntryForm>({
      checkpoint: note,
      entry: bytes(MAX_PAGE_BYTES),
      inclusion: hashes,
      index: integer(),
      salt: base64(HASH_BYTES),
    }),
    2,
  ),
  event: text(MAX_WORD_CHARS),
  kind: literal('entries'),
  peer,
  reason: text(MAX_WORD_CHARS),
  seen_from: anything,
  v: literal(1),
});

/** Reads the text of a piece of evidence. Pure and total; nothing in it has been checked. */
export function decodeEvidence(evidence: string): Result<EvidenceForm, string> {
  const raw = Buffer.from(evidence, 'utf8');
  const as = <T>(shapes: readonly Shape<T>[]): T | null => {
    for (const shape of shapes) {
      const decoded = decodeMessage(raw, shape, MAX_EVIDENCE_BYTES);
      // The shapes let some members be anything: what is in those has one spelling all the same.
      if (decoded.ok) return isCanonicalJson(decoded.value, evidence) ? decoded.value : null;
    }
    return null;
  };
  const found = formIn(evidence, as);
  return found === null ? err('the text is not evidence of a form that is known here, in its one encoding') : ok(found);
}

function formIn(evidence: string, as: <T>(shapes: readonly Shape<T>[]) => T | null): EvidenceForm | null {
  switch (kindIn(evidence)) {
    case 'checkpoints':
      return formOf('checkpoints', as([CHECKPOINTS]));
    case 'entries':
      return formOf('entries', as([ENTRIES]));
    case 'fact':
      return formOf('fact', as(FACTS));
    case 'page':
      return formOf('page', as(PAGES));
    case null:
      return null;
  }
}

/** By the members of the evidence itself: what lies deeper may be anything. */
function kindIn(evidence: string): EvidenceForm['kind'] | null {
  const top = evidence.length > MAX_EVIDENCE_BYTES ? null : membersOf(parsed(evidence));
  if (top === null) return null;
  if (top['kind'] === 'checkpoints' || top['kind'] === 'entries') return top['kind'];
  return membersOf(top['received'])?.['entry'] === undefined ? 'page' : 'fact';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
}

function formOf<K extends EvidenceForm['kind'], T>(kind: K, form: T | null): { kind: K; form: T } | null {
  return form === null ? null : { kind, form };
}
