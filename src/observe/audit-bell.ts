/** Tells waiting readers that the audit log has grown. Carries no records: a reader fetches what it may see. */
export interface AuditBell {
  /** @returns a function that ends the subscription; calling it twice is harmless */
  onAudit(listener: (seq: number) => void): () => void;
}

export interface RingableAuditBell extends AuditBell {
  /** Call after the record `seq`, and so every one before it, is durable. */
  ring(seq: number): void;
}

/** Creates a bell without listeners. A listener must not throw; it is called synchronously. */
export function createAuditBell(): RingableAuditBell {
  const listeners = new Set<(seq: number) => void>();
  return {
    onAudit(listener) {
      // A wrapper of its own per call: one function subscribed twice is two subscriptions.
      const entry = (seq: number): void => listener(seq);
      listeners.add(entry);
      return () => listeners.delete(entry);
    },
    ring(seq) {
      for (const listener of listeners) listener(seq);
    },
  };
}
