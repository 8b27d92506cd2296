/** A proof drawn as its path through the tree: from the leaf below, by what was given, to the root above. */
import { plural } from '../../core/plural.ts';
import { decodeBase64, encodeBase64 } from '../../merkle/base64.ts';
import { parseCheckpoint } from '../../merkle/checkpoint.ts';
import { nodeHash } from '../../merkle/hash.ts';
import { parseNote } from '../../merkle/note.ts';
import type { Html } from './parts.tsx';
import { type ProofStep, proofSteps } from './proof-steps.ts';
import { count } from './words.ts';

export interface DrawnProof {
  readonly origin: string;
  readonly index: number;
  readonly size: number;
  /** Base64, as all hashes here. */
  readonly leaf: string;
  readonly path: readonly string[];
  /** Of the checkpoint. */
  readonly root: string;
}

/** @returns null where the checkpoint is none: then there is nothing to draw */
export function drawnProof(
  checkpoint: string,
  { leaf, index, path }: { readonly leaf: Uint8Array; readonly index: number; readonly path: readonly string[] },
): DrawnProof | null {
  const note = parseNote(checkpoint);
  const parsed = note.ok ? parseCheckpoint(note.value.text) : null;
  if (parsed?.ok !== true) return null;
  const { origin, size, root } = parsed.value;
  return { origin, index, size, leaf: encodeBase64(leaf), path, root: encodeBase64(root) };
}

const WIDTH = 480;
const ROW = 50;
const BOX = { width: 172, height: 30 };
const PATH_X = 100;
const SIDE = 196;

export function ProofPath({ proof }: { proof: DrawnProof }): Html {
  const steps = proofSteps(proof.index, proof.size, proof.path);
  const hashes = climbed(proof.leaf, steps);
  const reached = hashes.at(-1) ?? proof.leaf;
  const isRoot = reached === proof.root;
  const height = (steps.length + 1) * ROW + 40;
  const y = (i: number): number => height - 40 - i * ROW;
  // On a telephone it is scrolled: made as small as the screen, its hashes could not be read.
  return (
    <section class="scroll" tabindex={0} aria-label="Picture of the proof">
      <svg
        class="picture proof"
        viewBox={`0 0 ${WIDTH} ${height}`}
        role="img"
        aria-label={`Path of ${plural(steps.length, 'step')} from leaf ${proof.index} to the root over ${plural(proof.size, 'entry', 'entries')}, which it ${isRoot ? 'reaches' : 'does not reach'}`}
        data-proof={JSON.stringify(proof)}
      >
        {steps.map((step, i) => (
          <Step
            step={step}
            y={y(i)}
            above={y(i + 1)}
            result={hashes[i] ?? ''}
            isTop={i === steps.length - 1}
            isRoot={isRoot}
          />
        ))}
        <Box
          x={PATH_X}
          y={y(0)}
          kind={steps.length === 0 ? `on root${isRoot ? '' : ' bad'}` : 'on'}
          text={proof.leaf}
          step={0}
        />
        <text class="t-muted" x={PATH_X - BOX.width / 2} y={y(0) + 27}>
          entry {count(proof.index)}, hashed with its salt
        </text>
        <text class="t-muted" x={PATH_X - BOX.width / 2} y={y(steps.length) - 21}>
          {isRoot
            ? `root that ${proof.origin} signed over ${plural(proof.size, 'entry', 'entries')}`
            : `not the signed root ${short(proof.root)}`}
        </text>
      </svg>
    </section>
  );
}

function Step(props: {
  step: ProofStep;
  y: number;
  above: number;
  result: string;
  isTop: boolean;
  isRoot: boolean;
}): Html {
  const { step, y, above, result, isTop, isRoot } = props;
  const siblingX = PATH_X + SIDE + 20;
  const meet = above + BOX.height / 2;
  const kind = isTop ? `on root${isRoot ? '' : ' bad'}` : 'on';
  return (
    <g>
      <path class="edge low" d={`M${PATH_X} ${y - BOX.height / 2}V${meet}`} />
      <path class="edge" d={`M${siblingX} ${y - BOX.height / 2}V${(y + above) / 2}H${PATH_X + 5}`} />
      <Box x={siblingX} y={y} kind="given" text={step.sibling} />
      <text class="t-muted" x={siblingX + BOX.width / 2 + 8} y={y + 4}>
        {step.isRight ? 'left' : 'right'} · {step.level}
      </text>
      <Box x={PATH_X} y={above} kind={kind} text={result} step={step.level + 1} />
    </g>
  );
}

function Box(props: { x: number; y: number; kind: string; text: string; step?: number }): Html {
  const { x, y, kind, text, step } = props;
  return (
    <g {...(step === undefined ? {} : { 'data-hash': text })}>
      <title>{text}</title>
      <rect
        class={`node ${kind}`}
        x={x - BOX.width / 2}
        y={y - BOX.height / 2}
        width={BOX.width}
        height={BOX.height}
        rx="6"
      />
      <text class="t-mono" x={x} y={y + 4} text-anchor="middle">
        {short(text)}
      </text>
    </g>
  );
}

function climbed(leaf: string, steps: readonly ProofStep[]): readonly string[] {
  const hashes: string[] = [];
  let hash = decodeBase64(leaf) ?? Buffer.alloc(32);
  for (const { sibling, isRight } of steps) {
    const other = decodeBase64(sibling) ?? Buffer.alloc(32);
    hash = isRight ? nodeHash(other, hash) : nodeHash(hash, other);
    hashes.push(encodeBase64(hash));
  }
  return hashes;
}

function short(text: string): string {
  return text.length <= 20 ? text : `${text.slice(0, 10)}…${text.slice(-7)}`;
}
