import { toHex } from '../hex.ts';

/** One hop of a distributed trace (W3C Trace Context, level 1). */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits: this hop. */
  readonly spanId: string;
  /** The caller's hop, if it sent one. */
  readonly parentId: string | undefined;
  readonly flags: string;
  readonly state: string | undefined;
}

const traceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})/;
const maxStateLength = 512;

/** Continues the caller's trace, or begins one if the headers hold none that is valid. */
export function continueTrace(headers: Headers): TraceContext {
  const [, traceId, parentId, flags] = traceparent.exec(headers.get('traceparent') ?? '') ?? [];
  const state = traceId === undefined ? undefined : (headers.get('tracestate') ?? undefined);
  return {
    traceId: traceId ?? randomHex(16),
    spanId: randomHex(8),
    parentId,
    flags: flags ?? '00',
    state: state !== undefined && state.length <= maxStateLength ? state : undefined,
  };
}

/** Headers for the next service that is called, and for the answer. */
export function toTraceHeaders({ traceId, spanId, flags, state }: TraceContext): Record<string, string> {
  return {
    traceparent: `00-${traceId}-${spanId}-${flags}`,
    ...(state === undefined ? {} : { tracestate: state }),
  };
}

function randomHex(bytes: number): string {
  return toHex(crypto.getRandomValues(new Uint8Array(bytes)));
}
