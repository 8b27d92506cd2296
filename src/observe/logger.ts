import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';
import { currentTrace } from './trace.ts';

export type Logger = PinoLogger;
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** Members that may hold a secret, wherever a caller puts them. */
const SECRET_PATHS = [
  'authorization',
  '*.authorization',
  'headers.authorization',
  'secret',
  '*.secret',
  'key',
  '*.key',
];

/**
 * One JSON object per line, time as ISO text. Logs go to stderr: stdout belongs to the answers of commands.
 *
 * @param stream where lines go; default is stderr, written synchronously, so that the last words of a crash arrive
 */
export function createLogger(level: LogLevel, stream?: DestinationStream): Logger {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    // What is done for one request or one pull says so, wherever it is logged.
    mixin: traceFields,
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
  };
  return pino(options, stream ?? standardError());
}

/** A line that cannot be written (a full disk, a terminal that is gone) is lost, and nothing else is. */
function standardError(): DestinationStream {
  return destination({ dest: 2, sync: true }).on('error', () => undefined);
}

function traceFields(): object {
  const trace = currentTrace();
  return trace === null ? {} : { trace_id: trace.traceId, span_id: trace.spanId };
}
