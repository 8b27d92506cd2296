import { decodeBase64, encodeBase64 } from '../../../merkle/base64.ts';
import { entryLeafHash } from '../../../merkle/commitment.ts';
import { parseTlogProof } from '../../../merkle/tlog-proof.ts';
import type { Bundle, Fact, Provenance } from '../answers.ts';
import { type Answer, path } from '../ask.ts';
import { type Desk, pageOf, type Shown, type Visit } from '../desk.ts';
import { handedOn, seeOther } from '../headers.ts';
import { type Frame, Page } from '../layout.tsx';
import { ActionForm, Body, Code, Empty, Folded, type Html, Pairs, Panel, Part, Reason, Short } from '../parts.tsx';
import { type DrawnProof, drawnProof, ProofPath } from '../proof-path.tsx';
import { Verify } from '../verify-box.tsx';
import { count, instantText } from '../words.ts';
import { Marks, valueText } from './facts.tsx';
import { missing } from './missing.tsx';

/** Adds the page of one fact: what it says, where it came from, and the proof that it is in the journal. */
export function addFact(desk: Desk): void {
  desk.give('/console/facts/by-id', async ({ query }) => seeOther(path`/console/facts/${query('id').trim()}`));
  desk.give('/console/entries/:seq', entryPage);
  desk.show('/console/facts/:id', factPage);
  desk.give('/console/facts/:id/bundle', async ({ frame, param }) =>
    handedOn(await frame.ask.raw(path`/v1/facts/${param('id')}/proof`)),
  );
}

/** The fact at a position of the journal: proposals name facts so, because nothing else of them may stand in the audit log. */
async function entryPage({ frame, param }: Visit): Promise<Response> {
  const seq = Number(param('seq'));
  const found = await frame.ask.get<Changes>(path`/v1/changes?after=${seq - 1}&limit=1`);
  const fact = found.ok ? found.value.changes.find((change) => change.seq === seq)?.fact : undefined;
  if (fact !== undefined) return seeOther(path`/console/facts/${fact.id}`);
  const status = found.ok ? 404 : found.status;
  const message = found.ok ? 'no fact that this key may read stands there' : found.message;
  return pageOf(missing(frame, '/console/facts', { status, message }));
}

interface Changes {
  readonly changes: readonly { readonly seq: number; readonly fact: { readonly id: string } }[];
}

async function factPage({ frame, param }: Visit): Promise<Shown> {
  const id = param('id');
  const { ask } = frame;
  const fact = await ask.get<Fact>(path`/v1/facts/${id}`);
  // Gone by its author's word: how that stands is on a page of its own, for who may see it.
  if (!fact.ok)
    return missing(frame, '/console/facts', fact, fact.status === 410 ? path`/console/erasures/${id}` : null);
  const [provenance, bundle] = await Promise.all([
    ask.get<Provenance>(path`/v1/facts/${id}/provenance`),
    ask.get<Bundle>(path`/v1/facts/${id}/proof`),
  ]);
  const shown = { frame, fact: fact.value, provenance, bundle };
  const html = (
    <Page
      frame={frame}
      at="/console/facts"
      crumb={['/console/facts', 'Facts']}
      title={fact.value.relation}
      lede={<span class="wrap">of {fact.value.entity}</span>}
    >
      <div class="grid">
        <div class="stack w6">
          <What {...shown} />
          <Where {...shown} />
          <Erase {...shown} />
        </div>
        <div class="stack w6">
          <Proof {...shown} />
        </div>
      </div>
    </Page>
  );
  return { html };
}

interface Seen {
  readonly frame: Frame;
  readonly fact: Fact;
  readonly provenance: Answer<Provenance>;
  readonly bundle: Answer<Bundle>;
}

function What({ fact }: Seen): Html {
  return (
    <Panel title="Fact">
      <Body>
        <Pairs
          pairs={[
            ['Entity', <Code>{fact.entity}</Code>],
            ['Relation', <Code>{fact.relation}</Code>],
            ['Value', <span class="wrap">{valueText(fact.value)}</span>],
            ['Type', fact.value.type],
            ['Source', <Code>{fact.source}</Code>],
            ['Scope', fact.garden_id === null ? fact.scope : `${fact.scope}, garden ${fact.garden_id}`],
            ['Confidence', String(fact.confidence)],
            ['Asserted', instantText(fact.timestamp)],
            ['Valid until', fact.valid_until === null ? 'until further notice' : instantText(fact.valid_until)],
            ['Id', <Code>{fact.id}</Code>],
            ['CID', <Code>{fact.cid ?? '–'}</Code>],
            ['State', fact.contradicted || fact.quarantine_status !== null ? <Marks fact={fact} /> : 'current'],
          ]}
        />
      </Body>
    </Panel>
  );
}

function Where({ provenance }: Seen): Html {
  return (
    <Panel title="Provenance">
      <Part
        answer={provenance}
        show={({ received_from, origin, derived_from }) => (
          <Body>
            <Pairs
              pairs={[
                ['Received from', received_from === null ? 'asserted at this node' : <Code>{received_from}</Code>],
                ...(origin === null
                  ? []
                  : ([
                      ['Origin', <Code>{origin.node_id}</Code>],
                      ['Entry there', count(origin.chain_seq)],
                      ['Leaf there', <Short text={origin.leaf_hash} />],
                    ] as const)),
                [
                  'Derived from',
                  derived_from.length === 0
                    ? 'nothing'
                    : derived_from.map(({ hash, fact_id }) => (
                        <div>
                          <a class="wrap" href={path`/console/facts/${hash ?? fact_id ?? ''}`}>
                            {hash ?? fact_id}
                          </a>
                        </div>
                      )),
                ],
              ]}
            />
          </Body>
        )}
      />
    </Panel>
  );
}

/** Own facts alone: whoever received one hides it by a decision of its own. */
function Erase({ fact, frame }: Seen): Html | null {
  if (fact.received_from !== null || !frame.ask.may('admin')) return null;
  return (
    <Panel title="Erase">
      <Body>
        <Folded summary="Have this fact erased, here and at every partner">
          <ActionForm action="/console/erasures/request" csrf={frame.session.csrf}>
            <input type="hidden" name="fact" value={fact.id} />
            <p class="muted small">
              It is hidden at once. When the undo window is over its tombstone is written, which nothing takes back, and
              its body is erased.
            </p>
            <Reason />
            <div class="actions">
              <button class="danger" type="submit">
                Have it erased
              </button>
            </div>
          </ActionForm>
        </Folded>
      </Body>
    </Panel>
  );
}

function Proof({ bundle, fact, frame }: Seen): Html {
  return (
    <Panel title="Proof" aside="that it stands in the journal">
      <Part
        answer={bundle}
        show={(given) => {
          const proof = proofIn(given);
          return proof === null ? (
            <Empty>The proof cannot be read.</Empty>
          ) : (
            <Body>
              <div class="stack">
                <Verify
                  kind="fact"
                  factId={fact.id}
                  from={path`/console/facts/${fact.id}/bundle`}
                  nodeId={frame.node.nodeId}
                  peerId={peerIdIn(given)}
                />
                <ProofPath proof={proof} />
                <p class="muted small">
                  {given.anchors.length === 0
                    ? 'No transparency log has this checkpoint yet.'
                    : `In ${given.anchors.map(({ backend, log_index }) => `${String(backend)} at ${String(log_index)}`).join(', ')}.`}{' '}
                  <a href={path`/console/facts/${fact.id}/bundle`} download={`${fact.id}.bundle.json`}>
                    Download the bundle
                  </a>
                </p>
              </div>
            </Body>
          );
        }}
      />
    </Panel>
  );
}

function proofIn({ proof, entry, salt }: Bundle): DrawnProof | null {
  const parsed = parseTlogProof(proof);
  const salted = decodeBase64(salt);
  if (!parsed.ok || salted === undefined) return null;
  const { index, path: hashes, checkpoint } = parsed.value;
  return drawnProof(checkpoint, {
    leaf: entryLeafHash(salted, entry),
    index,
    path: hashes.map((hash) => encodeBase64(hash)),
  });
}

/** As the declaration says; whoever verifies compares it with what he was given by other means. */
function peerIdIn({ declaration }: Bundle): string {
  return /12D3Koo\w+/.exec(declaration)?.[0] ?? '';
}
