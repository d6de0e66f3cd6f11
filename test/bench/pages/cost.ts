import { price, toDollarsPerMillion } from '../prices.ts';
import type { BenchRecord } from './record.ts';

/** What a million images cost here. */
export interface Cost {
  readonly photo: string;
  readonly network: string;
  readonly kernels: string;
  /** CPU time of the photo and of the network. */
  readonly decodeMs: number;
  readonly networkMs: number;
  readonly dollars: number;
  /** Of Workers AI's price. */
  readonly ratio: number;
}

const ownDecoder = 'this package';
const ownEngine = /^resnet-edge, int8 engine, (\w+)$/;

/** By the CPU time of the own decoder and of the own engine, one image a request. */
export function toCosts({ results }: BenchRecord): Cost[] {
  const find = (name: string) => results.find(({ command }) => command.endsWith(name))?.comparisons ?? [];
  const photos = find('bench:image').flatMap(({ title, rows }) => {
    const [, photo] = /^JPEG baseline 4:2:0, (\d+ MP)$/.exec(title) ?? [];
    const own = rows.find(({ name }) => name === ownDecoder);
    return photo && own?.cpuMs ? [{ photo, decodeMs: own.cpuMs }] : [];
  });
  return find('bench:inference').flatMap(({ title: network, rows }) =>
    rows.flatMap(({ name, cpuMs: networkMs }) => {
      const [, kernels] = ownEngine.exec(name) ?? [];
      if (kernels === undefined || networkMs === undefined) return [];
      return photos.map(({ photo, decodeMs }) => {
        const dollars = toDollarsPerMillion(decodeMs + networkMs);
        const ratio = dollars / (1e6 * price.workersAiImage);
        return { photo, network, kernels, decodeMs, networkMs, dollars, ratio };
      });
    }),
  );
}
