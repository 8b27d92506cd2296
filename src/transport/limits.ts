/** What one connection, one source address and one peer may cost us. */
export interface TransportLimits {
  /** Open connections of all peers together. */
  readonly maxConnections: number;
  /** Both sides may dial at once, and one more may be half dead: 3. */
  readonly maxConnectionsPerPeer: number;
  /** Sockets of one IPv4 address or IPv6 /64 that have not proved a key yet. */
  readonly maxPendingPerSource: number;
  /** Sockets of all sources that have not proved a key yet. */
  readonly maxPending: number;
  /** New sockets of one address per second; each one costs a key exchange. */
  readonly maxInboundPerSecond: number;
  /** From accept to a proven key. Ten silent sockets must not hold the door for long. */
  readonly upgradeTimeoutMs: number;
  readonly dialTimeoutMs: number;
  readonly addressDialTimeoutMs: number;
  /** Agreeing on the protocol of one new stream. */
  readonly negotiationTimeoutMs: number;
  readonly socketIdleMs: number;
  /** Must be longer than `pingTimeoutMs`: a ping while another is open counts as a failed one. */
  readonly pingIntervalMs: number;
  /** One unanswered ping closes the connection: longer than any stall of an honest peer's event loop. */
  readonly pingTimeoutMs: number;
  readonly guard: GuardLimits;
}

/** What a peer may do with the multiplexer of one connection. */
export interface GuardLimits {
  /** Window of one stream; no honest data frame is larger. 1 MiB is 19 MB/s at 50 ms round trip. */
  readonly windowBytes: number;
  /** What we owe a peer that does not read. */
  readonly maxUnsentBytes: number;
  /** Streams a peer has open, negotiated or not. */
  readonly maxInboundStreams: number;
  /** Pings, new streams, resets and empty frames: each costs us work and earns the peer nothing. */
  readonly controlPerSecond: number;
  readonly controlBurst: number;
  /** Data frames under 128 bytes: a window filled one byte at a time costs 200 times its size in objects. */
  readonly smallPerSecond: number;
  readonly smallBurst: number;
  /** Frames of any kind: bounds the work of a flood of window updates. */
  readonly framesPerSecond: number;
  readonly framesBurst: number;
}

export const DEFAULT_GUARD_LIMITS: GuardLimits = {
  windowBytes: 1 << 20,
  maxUnsentBytes: 16 << 20,
  maxInboundStreams: 64,
  controlPerSecond: 100,
  controlBurst: 400,
  smallPerSecond: 500,
  smallBurst: 2_000,
  framesPerSecond: 50_000,
  framesBurst: 100_000,
};

export const DEFAULT_TRANSPORT_LIMITS: TransportLimits = {
  maxConnections: 256,
  maxConnectionsPerPeer: 3,
  maxPendingPerSource: 8,
  maxPending: 100,
  maxInboundPerSecond: 20,
  upgradeTimeoutMs: 4_000,
  dialTimeoutMs: 10_000,
  addressDialTimeoutMs: 4_000,
  negotiationTimeoutMs: 4_000,
  socketIdleMs: 90_000,
  pingIntervalMs: 30_000,
  pingTimeoutMs: 20_000,
  guard: DEFAULT_GUARD_LIMITS,
};
