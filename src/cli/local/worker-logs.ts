/** A request as the Worker's log tells of it. */
interface RequestLine {
  readonly method: string;
  readonly path?: string;
  readonly route: string;
  readonly status: number;
  readonly duration_ms: number;
  readonly model?: string;
  readonly labels?: readonly string[];
  readonly outcome: string;
}

const shownLabels = 3;

/** The runtime's own warnings; these and the Worker's errors; these and its requests. */
export type ShownLogs = 'runtime' | 'errors' | 'requests';

/**
 * Turns what the Worker logs into lines for a person: requests to standard output, trouble to standard error.
 *
 * @param message one entry of the log; JSON where the Worker itself wrote it.
 * @param level of the console call.
 */
export function showLog(message: string, level: string, shown: ShownLogs): void {
  const entry = parseEntry(message);
  if (entry === undefined) {
    // Not the service's own: the runtime, or a library.
    if (level === 'error' || level === 'warn') console.error(message);
  } else if (shown !== 'runtime' && entry['level'] === 'error') {
    console.error(message);
  } else if (shown === 'requests' && entry['event'] === 'request') {
    // The Worker's own observe.ts writes this event, with these fields.
    console.log(toRequestLine(entry as unknown as RequestLine));
  }
}

/** `POST /v1/classify  200  34 ms  resnet18-imagenet1k/2  Egyptian cat` */
export function toRequestLine(request: RequestLine): string {
  const { method, path, route, status, duration_ms: ms, model, labels = [], outcome } = request;
  const shown = labels.slice(0, shownLabels).join(', ');
  const more = labels.length > shownLabels ? ` and ${labels.length - shownLabels} more` : '';
  return [
    `${method} ${path ?? route}`,
    String(status),
    `${ms} ms`,
    ...(model === undefined ? [] : [model]),
    ...(shown === '' ? [] : [`${shown}${more}`]),
    ...(outcome === 'ok' ? [] : [outcome]),
  ].join('  ');
}

function parseEntry(message: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const entry: unknown = JSON.parse(message);
    return typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
