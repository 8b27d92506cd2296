/** Judges one file that somebody was handed: which judge takes it follows from what it is. */
import { isTar, readTar } from '../core/ustar.ts';
import type { EvidenceVerdict } from '../verify/evidence-verdict.ts';
import { EVIDENCE_FILE, judgePacket, PAGE_FILES, PEER_FILE, RECORD_FILE } from '../verify/packet-verdict.ts';
import { VERDICT_EXIT, verdictText } from '../verify/verdict-text.ts';

export interface GivenFile {
  readonly bytes: Uint8Array;
  /** A file that lies beside it, by its name from there; null if there is none. */
  readonly beside: (name: string) => Uint8Array | null;
}

export interface FileFinding {
  /** What the file is taken for. */
  readonly kind: string;
  /** 0: what it says is proven; 1: it is not; 2: it is nothing that can be judged. */
  readonly exit: 0 | 1 | 2;
  /** For people. */
  readonly text: string;
  /** For programs. */
  readonly json: Readonly<Record<string, unknown>>;
}

interface Judge {
  /** @param kind member `kind` of a JSON object; null for other content, and where there is none */
  readonly takes: (file: GivenFile, kind: string | null) => boolean;
  readonly judge: (file: GivenFile) => FileFinding;
}

/** In this order; the last one takes whatever is left. */
const JUDGES: readonly Judge[] = [
  { takes: ({ bytes }) => isTar(bytes), judge: judgeTar },
  { takes: () => true, judge: judgeLooseEvidence },
];

/** Pure but for what `beside` does; whatever the bytes are, there is a finding. */
export function judgeFile(file: GivenFile): FileFinding {
  const kind = kindOf(file.bytes);
  const judge = JUDGES.find(({ takes }) => takes(file, kind)) ?? { judge: judgeLooseEvidence };
  return judge.judge(file);
}

/** As text says it: quotes inside of a JSON text are escaped, so nothing but a member of an object looks like this. */
function kindOf(bytes: Uint8Array): string | null {
  if (bytes[0] !== '{'.charCodeAt(0)) return null;
  return /[{,]"kind":"([a-z0-9/_-]+)"/.exec(Buffer.from(bytes).toString('utf8'))?.[1] ?? null;
}

function judgeTar({ bytes }: GivenFile): FileFinding {
  const files = readTar(bytes);
  if (files.ok) return found(judgePacket(files.value));
  const not_proven = [`This shows nothing: it is no evidence file as it was written: ${files.error}.`];
  return found({ verdict: 'invalid', class: null, peer: null, recorded: null, proven: [], not_proven });
}

/** Evidence that was taken out of its packet: what lies beside it is used. */
function judgeLooseEvidence({ bytes, beside }: GivenFile): FileFinding {
  const files = new Map([[EVIDENCE_FILE, bytes]]);
  for (const name of [RECORD_FILE, PEER_FILE, ...Object.values(PAGE_FILES)]) {
    const other = beside(name);
    if (other !== null) files.set(name, other);
  }
  return found(judgePacket(files));
}

function found(verdict: EvidenceVerdict): FileFinding {
  const exit = VERDICT_EXIT[verdict.verdict];
  return { kind: 'evidence', exit, text: verdictText(verdict), json: { kind: 'evidence', ...verdict } };
}
