import type { Command } from 'commander';
import type { RunningNode } from '../app.ts';
import type { ConfigFlags } from '../config/overlay.ts';
import type { Weakening } from '../core/weakening.ts';
import {
  action,
  type Cli,
  type CommonOptions,
  type Context,
  type Outcome,
  withCommonOptions,
  withExamples,
} from './cli.ts';
import { EXITS } from './exit.ts';
import type { Runtime } from './runtime.ts';
import { setFlags } from './set-flags.ts';

/** The unit and the pod that ship give it 30 s. */
const STOP_LIMIT_MS = 25_000;

interface RunOptions extends CommonOptions {
  readonly set: readonly string[];
  readonly listen?: readonly string[];
  readonly apiHost?: string;
  readonly apiPort?: string;
  readonly logLevel?: string;
}

export function addRun(program: Command, cli: Cli): void {
  const command = program
    .command('run')
    .summary('run the node in the foreground')
    .description(
      'Runs the node until SIGTERM or Ctrl-C: it then finishes what is under way and stops; a second signal ends it at once, which loses nothing that was acknowledged. SIGHUP has it read its certificate and key again. Prints one line when it listens; logs are JSON lines on standard error.',
    )
    .option('--listen <multiaddr...>', 'where peers may connect (listen.p2p)')
    .option('--api-host <host>', 'where the HTTP API listens (api.host)')
    .option('--api-port <port>', 'port of the HTTP API, 0 for any free one (api.port)')
    .option('--log-level <level>', 'least severe line to log (log.level)')
    .option(
      '--set <key=value>',
      'any other setting; may be repeated',
      (text, before: readonly string[]) => [...before, text],
      [],
    )
    .action(action<RunOptions>(cli, (context, _args, options) => runNode(cli, context, options)));
  withExamples(withCommonOptions(command), [
    'run --data ./acme',
    'run --data ./acme --api-port 0 --listen /ip4/0.0.0.0/tcp/4101 --log-level debug',
    'run --data ./acme --set federation.poll_interval_s=5',
  ]);
}

async function runNode(cli: Cli, context: Context, options: RunOptions): Promise<Outcome | null> {
  const { runtime } = context;
  let reload = (): void => undefined;
  const stopping = stopRequests(runtime, () => reload());
  try {
    const { runDaemon } = await context.node();
    for (let again = true; again; ) {
      const node = await runDaemon(context.dir(), flagsOf(options));
      reload = () => node.reload();
      try {
        sayListening(context, node);
        const ended = Promise.race([stopping.first, node.done]).then(() => false);
        // Signing keys are read once: what was put back is taken up by a start like any other.
        again = await Promise.race([ended, node.keysBack.then(() => true)]);
      } catch (error) {
        // It would go on listening behind its error, and look alive to whoever would start it again.
        await stopInTime(node, runtime).catch(() => undefined);
        throw error;
      }
      await stopInTime(node, runtime);
      await node.done;
    }
    cli.exitCode = EXITS.ok.code;
    return null;
  } finally {
    stopping.ignore();
  }
}

function sayListening({ json, runtime }: Context, node: RunningNode): void {
  runtime.stdout.write(`${json ? listeningJson(node, runtime) : listeningLine(node, runtime)}\n`);
  // In JSON mode the log says it: whoever reads that wants lines of one kind.
  if (!json) for (const one of node.weakenings()) runtime.stderr.write(`! ${weakeningLine(one)}\n`);
}

/** Whatever somebody else holds up, it ends: before whoever looks after the process kills it. */
async function stopInTime(node: RunningNode, runtime: Runtime): Promise<void> {
  const limit = setTimeout(() => {
    runtime.stderr.write(
      `not everything that was under way has ended within ${STOP_LIMIT_MS / 1_000} s; it is left, and nothing that was acknowledged is lost\n`,
    );
    runtime.exit(EXITS.refused.code);
  }, STOP_LIMIT_MS);
  try {
    await node.stop();
  } finally {
    clearTimeout(limit);
  }
}

/** What is said of a setting at start and in `status`. */
export function weakeningLine({ where, sentence }: Weakening): string {
  return `weaker than by default (${where}): ${sentence}`;
}

/**
 * The first signal resolves `first`; the second ends the process: whoever asks twice does not want to wait. SIGHUP is a
 * closed terminal where there is one, and else the old word for "read your files again".
 */
function stopRequests(runtime: Runtime, onHangUp: () => void): { readonly first: Promise<void>; ignore(): void } {
  let resolveFirst = (): void => undefined;
  const first = new Promise<void>((resolve) => {
    resolveFirst = resolve;
  });
  let count = 0;
  const ignore = runtime.onStop((signal) => {
    if (signal === 'SIGHUP' && !runtime.interactive) return onHangUp();
    count += 1;
    if (count === 1) {
      runtime.stderr.write(`stopping (${signal}); once more to stop at once\n`);
      resolveFirst();
    } else {
      runtime.exit(EXITS.interrupted.code);
    }
  });
  return { first, ignore };
}

function listeningLine(node: RunningNode, runtime: Runtime): string {
  const peers = node.addresses.length === 0 ? 'no peer can connect' : `peers ${node.addresses.join(' ')}`;
  return `${node.nodeId} listens: api ${node.api}, ${peers} (pid ${runtime.pid})`;
}

function listeningJson(node: RunningNode, runtime: Runtime): string {
  return JSON.stringify({ node_id: node.nodeId, api: node.api, addresses: node.addresses, pid: runtime.pid });
}

/** Flags by setting key. The named ones are shorthands. @throws CliError `usage` */
export function flagsOf(options: RunOptions): ConfigFlags {
  const flags: Record<string, string> = { ...setFlags(options.set) };
  const named = { 'listen.p2p': options.listen?.join(','), 'api.host': options.apiHost, 'api.port': options.apiPort };
  for (const [key, value] of Object.entries({ ...named, 'log.level': options.logLevel })) {
    if (value !== undefined) flags[key] = value;
  }
  return flags;
}
