/** Proofs, judged by what is trusted and held to one history. */
import { isJsonObject, type JsonValue, jsonText } from '../core/json.ts';
import type { Result } from '../core/result.ts';
import { judgeErasureProof, type ProvenTombstone } from '../verify/erasure-verdict.ts';
import { judgeFactBundle, type ProvenFact } from '../verify/fact-bundle-verdict.ts';
import type { ReaderTrust, Refusal } from '../verify/reader-trust.ts';
import { VerificationError } from './errors.ts';
import type { History } from './history.ts';

export class Prover {
  readonly #trust: ReaderTrust | null;
  readonly #history: History;

  constructor(trust: ReaderTrust | null, history: History) {
    this.#trust = trust;
    this.#history = history;
  }

  /** @param bundle as the server gave it @throws VerificationError */
  async fact(bundle: JsonValue | undefined): Promise<ProvenFact> {
    if (!isJsonObject(bundle)) {
      throw new VerificationError('proof_missing', 'the server gave a fact without its bundle');
    }
    const proven = accepted(judgeFactBundle(jsonText(bundle), this.#demandTrust()));
    await this.#history.accept(proven.checkpoint);
    return proven;
  }

  /** @param proof as the server gave it @throws VerificationError */
  async erasure(proof: JsonValue): Promise<ProvenTombstone> {
    const proven = accepted(judgeErasureProof(jsonText(proof), this.#demandTrust()));
    await this.#history.accept(proven.tombstone.checkpoint);
    return proven;
  }

  #demandTrust(): ReaderTrust {
    if (this.#trust !== null) return this.#trust;
    throw new VerificationError('nothing_trusted', 'the client was made without trust');
  }
}

/** @throws VerificationError with the code of the refusal */
function accepted<T>(judged: Result<T, Refusal<string>>): T {
  if (judged.ok) return judged.value;
  throw new VerificationError(judged.error.code, judged.error.message);
}
