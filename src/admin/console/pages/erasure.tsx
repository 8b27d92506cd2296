/** How one erasure stands: its steps, who was given the fact, who has signed that it is gone, and what can still be decided. */
import { erasureChoices, erasureSentence } from '../../../core/erasure-state.ts';
import type { ErasureFile } from '../answers.ts';
import { path } from '../ask.ts';
import type { Desk, Shown, Visit } from '../desk.ts';
import { type Frame, Page } from '../layout.tsx';
import {
  Ago,
  Body,
  Code,
  Empty,
  Folded,
  type Html,
  Pairs,
  Panel,
  Pill,
  ReasonedStep,
  Table,
  Until,
} from '../parts.tsx';
import { count, nodeName } from '../words.ts';
import { ErasureState } from './erasure-state.tsx';
import { missing } from './missing.tsx';
import { tell } from './tell.ts';

const HERE = '/console/erasures';
type Choice = ReturnType<typeof erasureChoices>[number];

const CHOICE: Readonly<Record<Choice, { readonly offer: string; readonly button: string; readonly done: string }>> = {
  undo: { offer: 'Undo it: show the fact again', button: 'Undo', done: 'The fact is shown again.' },
  hold: { offer: 'Keep the body for a legal reason', button: 'Hold', done: 'The body is kept; the fact stays hidden.' },
  release: { offer: 'Let the erasure go on', button: 'Release', done: 'The body is erased next.' },
};

/** Adds the page of one erasure, and what is ordered there. */
export function addErasure(desk: Desk): void {
  desk.show(`${HERE}/:fact`, onePage);
  desk.act(`${HERE}/request`, async (visit, form) => {
    const fact = form.text('fact');
    const answer = await visit.frame.ask.post('/v1/tombstones', { fact, reason: form.text('reason') });
    const next = answer.ok && answer.status === 200 ? path`/console/erasures/${fact}` : path`/console/facts/${fact}`;
    return tell(visit, answer, 'The fact is hidden; its body is erased when the undo window is over.', next);
  });
  for (const verb of ['undo', 'hold', 'release'] as const)
    desk.act(`${HERE}/:fact/${verb}`, async (visit, form) => {
      const fact = visit.param('fact');
      const answer = await visit.frame.ask.post(path`/v1/tombstones/${fact}/` + verb, { reason: form.text('reason') });
      return tell(visit, answer, CHOICE[verb].done, path`/console/erasures/${fact}`);
    });
}

async function onePage({ frame, param }: Visit): Promise<Shown> {
  const found = await frame.ask.get<ErasureFile>(path`/v1/tombstones/${param('fact')}`);
  if (!found.ok) return missing(frame, HERE, found);
  const erasure = found.value;
  const html = (
    <Page
      frame={frame}
      at={HERE}
      crumb={[HERE, 'Erasures']}
      title="Erasure"
      lede={sentence(erasureSentence(erasure.state))}
      aside={<ErasureState state={erasure.state} />}
    >
      <div class="grid">
        <div class="stack w7">
          <Fact erasure={erasure} frame={frame} />
          <Panel title="Who was given it" aside="and what they have signed" live="erasure-peers">
            <Partners erasure={erasure} nowMs={frame.nowMs} />
          </Panel>
        </div>
        <div class="stack w5">
          <Choices erasure={erasure} frame={frame} />
          <Panel title="Steps" live="erasure-steps">
            <Steps erasure={erasure} nowMs={frame.nowMs} />
          </Panel>
        </div>
      </div>
    </Page>
  );
  return { html };
}

/** A part of a sentence as one of its own. */
function sentence(text: string): string {
  return text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function Fact({ erasure, frame }: { erasure: ErasureFile; frame: Frame }): Html {
  const { author, due_at, fact, feed, feed_seq, reason, seq, tombstone_seq } = erasure;
  return (
    <Panel title="Fact">
      <Body>
        <Pairs
          pairs={[
            ['Digest', <Code>{fact}</Code>],
            ['Author', author === frame.node.nodeId ? 'this node' : <Code>{author}</Code>],
            ['Place', `${feed} ${count(feed_seq)}`],
            ['Entry here', seq === null ? 'never held' : count(seq)],
            ['Tombstone', tombstone_seq === null ? 'not written yet' : `entry ${count(tombstone_seq)}`],
            ['Next step', due_at === null ? 'none by itself' : <Until at={due_at} nowMs={frame.nowMs} />],
            ['Reason', reason ?? '–'],
          ]}
        />
      </Body>
    </Panel>
  );
}

function Partners({ erasure: { peers, relayed }, nowMs }: { erasure: ErasureFile; nowMs: number }): Html {
  if (peers.length + relayed.length === 0) return <Empty>Nobody was given it by this node.</Empty>;
  return (
    <Table
      label="Partners"
      columns={[{ name: 'Node' }, { name: 'Given' }, { name: 'Knows' }, { name: 'Says it is erased' }]}
    >
      {peers.map(({ erased_at, given_at, peer, told }) => (
        <tr>
          <th scope="row" class="wrap">
            {nodeName(peer)}
          </th>
          <td>
            <Ago at={given_at} nowMs={nowMs} />
          </td>
          <td>{told ? <Pill tone="good">knows</Pill> : <Pill tone="medium">not yet</Pill>}</td>
          <td>{erased_at === null ? <Pill tone="medium">not yet</Pill> : <Ago at={erased_at} nowMs={nowMs} />}</td>
        </tr>
      ))}
      {relayed.map(({ erased_at, peer, relay }) => (
        <tr>
          <th scope="row" class="wrap">
            {nodeName(peer)}
          </th>
          <td class="wrap">{relay === null ? 'by a relay' : `by ${nodeName(relay)}`}</td>
          <td>
            <Pill tone="good">knows</Pill>
          </td>
          <td>
            <Ago at={erased_at} nowMs={nowMs} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Choices({ erasure: { fact, state }, frame }: { erasure: ErasureFile; frame: Frame }): Html {
  const may = (choice: Choice): boolean => frame.ask.may(choice === 'undo' ? 'admin' : 'legal.hold');
  const choices = erasureChoices(state).filter(may);
  return (
    <Panel title="Decide">
      {choices.length === 0 ? (
        <Empty>There is nothing to decide any more, or not with this key.</Empty>
      ) : (
        <Body>
          <div class="stack">
            {choices.map((choice) => (
              <Folded summary={CHOICE[choice].offer}>
                <ReasonedStep
                  action={path`/console/erasures/${fact}/` + choice}
                  csrf={frame.session.csrf}
                  button={CHOICE[choice].button}
                  look={choice === 'release' ? 'danger' : 'main'}
                />
              </Folded>
            ))}
          </div>
        </Body>
      )}
    </Panel>
  );
}

function Steps({ erasure: { steps }, nowMs }: { erasure: ErasureFile; nowMs: number }): Html {
  return (
    <Body>
      <ol class="timeline">
        {steps.map(({ actor, at, reason, step }) => (
          <li class={actor === null ? '' : 'mark'}>
            <strong>{step}</strong>{' '}
            <span class="at">
              <Ago at={at} nowMs={nowMs} />
              {actor === null ? '' : ` · ${actor}`}
            </span>
            {reason === null ? <p class="muted small">{erasureSentence(step)}</p> : <p>{reason}</p>}
          </li>
        ))}
      </ol>
    </Body>
  );
}
