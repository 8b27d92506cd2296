/** The settings in force: what each is, where it came from, what it means, and what is weaker than by default. */

import type { ExplainedSetting } from '../../../config/effective.ts';
import { plural } from '../../../core/plural.ts';
import type { Weakening } from '../../../core/weakening.ts';
import type { WeakeningsAnswer } from '../../api/weakenings.ts';
import type { Configuration } from '../answers.ts';
import type { Desk, Shown, Visit } from '../desk.ts';
import { Page } from '../layout.tsx';
import { Code, Empty, Field, FilterText, type Html, Panel, Part, Pill, Select, Sentence, Table } from '../parts.tsx';

import { SettingsTabs } from './settings-tabs.tsx';

const HERE = '/console/settings/values';
const SHOWN = [
  ['changed', 'changed ones'],
  ['all', 'all'],
] as const;

/** Adds the settings, searched on the server: no script is needed to find one. */
export function addSettingValues(desk: Desk): void {
  desk.show(HERE, valuesPage);
}

async function valuesPage({ frame, query }: Visit): Promise<Shown> {
  const text = query('text').trim();
  // Whoever looks for a word looks for it everywhere.
  const shown = query('show') === '' ? (text === '' ? 'changed' : 'all') : query('show');
  const [settings, weakenings] = await Promise.all([
    frame.ask.get<Configuration>('/v1/configuration'),
    frame.ask.get<WeakeningsAnswer>('/v1/configuration/weakenings'),
  ]);
  const weak = weakenings.ok ? weakenings.value.weakenings : [];
  const all = settings.ok ? settings.value.settings : [];
  const found = all.filter((one) => (shown === 'all' || !one.is_default) && speaksOf(one, text));
  const html = (
    <Page
      frame={frame}
      at="/console/settings"
      title="Keys & settings"
      lede="Settings as they were when the node started: flags over environment over file over defaults. Keys and tokens are none."
    >
      <div class="stack">
        <SettingsTabs frame={frame} at="values" />
        {weak.length === 0 ? null : <Weak weakenings={weak} />}
        <form method="get" action={HERE} class="filters">
          <FilterText name="text" label="Name, value or meaning" value={text} isFirst={true} />
          <Field label="Show">
            <Select name="show" value={shown} options={SHOWN} />
          </Field>
          <button class="main" type="submit">
            Filter
          </button>
        </form>
        <Panel title="Settings" aside={settings.ok ? `${found.length} of ${plural(all.length, 'setting')}` : ''}>
          <Part
            answer={settings}
            show={() => (found.length === 0 ? <Nothing text={text} /> : <Values found={found} weak={weak} />)}
          />
        </Panel>
      </div>
    </Page>
  );
  return { status: settings.ok ? 200 : settings.status, html };
}

function speaksOf({ doc, key, value }: ExplainedSetting, text: string): boolean {
  return text === '' || `${key} ${JSON.stringify(value)} ${doc}`.toLowerCase().includes(text.toLowerCase());
}

function Nothing({ text }: { text: string }): Html {
  return <Empty>{text === '' ? 'Every setting is at its default.' : 'No setting speaks of that.'}</Empty>;
}

function Weak({ weakenings }: { weakenings: readonly Weakening[] }): Html {
  return (
    <Panel title="Weaker than by default" aside={plural(weakenings.length, 'point')}>
      <Table label="Weakenings" columns={[{ name: 'Where' }, { name: 'What follows' }]}>
        {weakenings.map(({ sentence, where }) => (
          <tr>
            <th scope="row" class="wrap">
              {where}
            </th>
            <td class="wrap">{sentence}</td>
          </tr>
        ))}
      </Table>
    </Panel>
  );
}

function Values({ found, weak }: { found: readonly ExplainedSetting[]; weak: readonly Weakening[] }): Html {
  const places = new Set(weak.flatMap(({ where }) => where.split(', ')));
  return (
    <Table label="Settings" columns={[{ name: 'Setting' }, { name: 'Value' }, { name: 'From' }]}>
      {found.map((setting) => (
        <tr data-row="">
          <th scope="row" class="wrap setting">
            <code>{setting.key}</code>
            <p class="muted small">
              <Sentence text={setting.doc} />
            </p>
          </th>
          <td class="wrap">
            <Code>{shownText(setting.value)}</Code>
            {setting.unit === null ? null : <span class="muted"> {setting.unit}</span>}{' '}
            {places.has(setting.key) ? <Pill tone="high">weakens</Pill> : null}
            {setting.is_default || setting.key === 'node_id' ? null : (
              <div class="muted small">default {shownText(setting.default)}</div>
            )}
          </td>
          <td class="wrap">{setting.where ?? <span class="muted">default</span>}</td>
        </tr>
      ))}
    </Table>
  );
}

function shownText(value: ExplainedSetting['value']): string {
  if (value === '' || (Array.isArray(value) && value.length === 0)) return 'none';
  return Array.isArray(value) ? value.join(', ') : String(value);
}
