import type { PictureSource } from '../service/classify.ts';

export interface SnippetRequest {
  readonly origin: string;
  readonly model: string;
  /** Name of the file, or of what stands for it. */
  readonly name: string;
  readonly source: PictureSource;
  /** Whether the service wants a key. The key itself never stands in a snippet. */
  readonly needsKey: boolean;
}

/** The request of this page, for a terminal. */
export function toCurl({ origin, model, name, source, needsKey }: SnippetRequest): string {
  const bearer = needsKey ? ' -H "Authorization: Bearer $KEY"' : '';
  const url = quoteShell(toUrl(origin, model));
  if (source.kind === 'url') {
    const body = quoteShell(JSON.stringify({ url: source.url }));
    return `curl${bearer} -H 'Content-Type: application/json' -d ${body} ${url}`;
  }
  return `curl${bearer} --data-binary ${quoteShell(`@${name}`)} ${url}`;
}

/** The request of this page, for Node, Deno, Bun or a browser's module. */
export function toJavaScript({ origin, model, name, source, needsKey }: SnippetRequest): string {
  const headers = [
    ...(source.kind === 'url' ? [`'content-type': 'application/json'`] : []),
    ...(needsKey ? ["authorization: 'Bearer ' + process.env.KEY"] : []),
  ];
  const body =
    source.kind === 'url'
      ? `JSON.stringify({ url: ${toLiteral(source.url)} })`
      : `await readFile(${toLiteral(name)})`;
  return [
    ...(source.kind === 'url' ? [] : [`import { readFile } from 'node:fs/promises';`, '']),
    `const response = await fetch(${toLiteral(toUrl(origin, model))}, {`,
    `  method: 'POST',`,
    ...(headers.length > 0 ? [`  headers: { ${headers.join(', ')} },`] : []),
    `  body: ${body},`,
    '});',
    'const { predictions } = await response.json();',
    'console.log(predictions);',
  ].join('\n');
}

/** The request of this page, for Python 3 without packages. */
export function toPython({ origin, model, name, source, needsKey }: SnippetRequest): string {
  const type = source.kind === 'url' ? 'application/json' : 'application/octet-stream';
  const data =
    source.kind === 'url'
      ? `json.dumps({"url": ${JSON.stringify(source.url)}}).encode()`
      : `open(${JSON.stringify(name)}, "rb").read()`;
  return [
    `import json${needsKey ? ', os' : ''}, urllib.request`,
    '',
    'request = urllib.request.Request(',
    `    ${JSON.stringify(toUrl(origin, model))},`,
    `    data=${data},`,
    `    headers={"Content-Type": "${type}"${needsKey ? ', "Authorization": "Bearer " + os.environ["KEY"]' : ''}},`,
    ')',
    'print(json.load(urllib.request.urlopen(request))["predictions"])',
  ].join('\n');
}

const toUrl = (origin: string, model: string): string =>
  `${origin}/v1/classify${model ? `?model=${encodeURIComponent(model)}` : ''}`;

const quoteShell = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const toLiteral = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
