/** Words for receivers of the audit log that configuration, API and senders share. */

export const SINK_KINDS = ['file', 'webhook', 'syslog', 'otlp', 'splunk'] as const;
export type SinkKind = (typeof SINK_KINDS)[number];

/** `record`: the audit record itself, which its hash can be computed from. */
export const SINK_FORMATS = ['record', 'ocsf', 'ecs', 'cef'] as const;
export type SinkFormat = (typeof SINK_FORMATS)[number];

/** Fits a line of a digest, a label of a metric and a path of the API. */
export const SINK_NAME: RegExp = /^[a-z0-9][a-z0-9-]{0,31}$/;
/** A line of each is in a digest, and a record holds 64. */
export const MAX_SINKS = 16;
