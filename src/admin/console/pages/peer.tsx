import type { PeerStatus } from '../../../core/peer-status.ts';
import type { DisclosedAnswer, ExplanationAnswer, GrantPreviewAnswer } from '../../api/grants.ts';
import type { SigningKeysAnswer } from '../../api/signing-keys.ts';
import type { WitnessAnswer } from '../../api/witness.ts';
import { path } from '../ask.ts';
import type { Desk, Shown, Visit } from '../desk.ts';
import { type Frame, Page } from '../layout.tsx';
import { lagText, stateText, toneOf } from '../mesh.tsx';
import { ActionForm, Body, type Html, Panel, Pill, Reason, ReasonedStep, Sentence } from '../parts.tsx';
import { missing } from './missing.tsx';
import { Explain, Grants, Ledger } from './peer-grants.tsx';
import { KeyChange, MAY_MANAGE, PeerKeys } from './peer-keys.tsx';
import { State, Verdicts } from './peer-state.tsx';
import { tell } from './tell.ts';

/** Adds the page of one partner. */
export function addPeer(desk: Desk): void {
  desk.show('/console/peers/:name', peerPage);
  desk.act('/console/peers/:name/resume', async (visit, form) => {
    const name = visit.param('name');
    const answer = await visit.frame.ask.post(path`/v1/federation/peers/${name}/resume`, {
      reason: form.text('reason'),
    });
    return tell(visit, answer, `${name} is asked again.`, path`/console/peers/${name}`);
  });
  desk.act('/console/peers/:name/trust-key', async (visit, form) => {
    const name = visit.param('name');
    const body = { keys: form.all('keys'), reason: form.text('reason') };
    const answer = await visit.frame.ask.post(path`/v1/federation/peers/${name}/trust-key`, body);
    return tell(visit, answer, `The new keys of ${name} are trusted.`, path`/console/peers/${name}`);
  });
  desk.act('/console/peers/:name/retry', async (visit, form) => {
    const name = visit.param('name');
    const answer = await visit.frame.ask.post(path`/v1/federation/peers/${name}/retry`, {
      reason: form.text('reason'),
    });
    return tell(visit, answer, `Refused facts of ${name} were judged again.`, path`/console/peers/${name}`);
  });
}

async function peerPage({ frame, param, query }: Visit): Promise<Shown> {
  const { ask } = frame;
  const name = param('name');
  const peer = await ask.get<PeerStatus>(path`/v1/federation/peers/${name}`);
  if (!peer.ok) return missing(frame, '/console/peers', peer);
  const fact = query('fact').trim();
  const [grants, disclosed, keys, witness, explained] = await Promise.all([
    ask.get<GrantPreviewAnswer>(path`/v1/federation/peers/${name}/grants`),
    ask.get<DisclosedAnswer>(path`/v1/federation/peers/${name}/disclosed?limit=1`),
    ask.get<SigningKeysAnswer>('/v1/keys'),
    ask.get<WitnessAnswer>('/v1/witness'),
    fact === '' ? null : ask.get<ExplanationAnswer>(path`/v1/federation/peers/${name}/explain?fact=${fact}`),
  ]);
  const shown = { frame, peer: peer.value };
  const html = (
    <Page
      frame={frame}
      at="/console/peers"
      crumb={['/console/peers', 'Peers']}
      title={peer.value.name}
      lede={<Sentence text={peer.value.waiting_on ?? `Nothing is waited for: ${lagText(peer.value)}.`} />}
      aside={<Pill tone={toneOf(peer.value)}>{stateText(peer.value)}</Pill>}
    >
      <div class="stack">
        <KeyChange {...shown} />
        <div class="grid">
          <div class="stack w7">
            <Grants grants={grants} peer={peer.value} />
            <Explain fact={fact} explained={explained} peer={peer.value} />
            <Ledger disclosed={disclosed} frame={frame} />
          </div>
          <div class="stack w5">
            <State {...shown} witness={witness} />
            <Verdicts {...shown} />
            <PeerKeys {...shown} keys={keys} />
            <Actions {...shown} />
          </div>
        </div>
      </div>
    </Page>
  );
  return { html };
}

function Actions({ peer, frame }: { peer: PeerStatus; frame: Frame }): Html | null {
  if (!frame.ask.mayAny(MAY_MANAGE)) return null;
  const { csrf } = frame.session;
  return (
    <Panel title="Act">
      <Body>
        <div class="stack">
          {peer.state === 'suspended' ? (
            <ReasonedStep
              action={path`/console/peers/${peer.name}/resume`}
              csrf={csrf}
              button="End the suspension"
              look="danger"
            />
          ) : null}
          <ActionForm action={path`/console/peers/${peer.name}/retry`} csrf={csrf}>
            <Reason />
            <div class="actions">
              <button type="submit">Judge refused facts again</button>
            </div>
          </ActionForm>
        </div>
      </Body>
    </Panel>
  );
}
