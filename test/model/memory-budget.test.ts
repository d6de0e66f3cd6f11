import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { maxRuntimeBytes, runtimeBaseBytes } from '../../src/limits.ts';
import { type ModelManifest, parseManifest } from '../../src/model/manifest.ts';
import { fitsIsolate, MemoryBudget } from '../../src/model/memory-budget.ts';
import { assetPath } from '../golden/golden.ts';

const embedded = parseManifest(
  JSON.parse(await readFile(assetPath('resnet18-imagenet1k/3/manifest.json'), 'utf8')),
);
/** A model of the engine, which takes this much by itself. */
const engine = (bytes: number): ModelManifest => ({
  ...embedded,
  runtime: 'resnet-int8',
  runtimeMemoryBytes: bytes,
});
/** A model of onnxruntime-web, which takes this much beyond the runtime's own. */
const general = (bytes: number): ModelManifest => ({
  ...embedded,
  runtime: 'onnxruntime-web',
  runtimeMemoryBytes: runtimeBaseBytes + bytes,
});

describe('MemoryBudget', () => {
  it('has room for what fills it to the last byte, and not for one byte more', () => {
    expect(new MemoryBudget(1000).fits('a', engine(1000), 0)).toBe(true);
    expect(new MemoryBudget(999).fits('a', engine(1000), 0)).toBe(false);
    expect(new MemoryBudget(runtimeBaseBytes + 1000).fits('a', general(1000), 0)).toBe(true);
    expect(new MemoryBudget(runtimeBaseBytes + 999).fits('a', general(1000), 0)).toBe(false);
  });

  it('counts what is taken until it is released', () => {
    const budget = new MemoryBudget(1000);
    budget.take('a', engine(600));
    expect(budget.fits('b', engine(400), 0)).toBe(true);
    expect(budget.fits('b', engine(401), 0)).toBe(false);
    expect(budget.uses('resnet-int8')).toBe(true);
    expect(budget.uses('onnxruntime-web')).toBe(false);
    budget.release('a');
    expect(budget.fits('b', engine(1000), 0)).toBe(true);
    expect(budget.uses('resnet-int8')).toBe(false);
  });

  it('counts the runtime of several models once', () => {
    const budget = new MemoryBudget(runtimeBaseBytes + 1000);
    budget.take('a', general(600));
    expect(budget.fits('b', general(400), 0)).toBe(true);
    expect(budget.fits('b', general(401), 0)).toBe(false);
    expect(budget.fits('b', engine(400), 0)).toBe(true);
    expect(budget.fits('b', engine(401), 0)).toBe(false);
  });

  it('counts a heap that has grown for whoever is not in it', () => {
    const heap = runtimeBaseBytes + 5000;
    const budget = new MemoryBudget(heap + 1000);
    expect(budget.fits('a', engine(1000), heap)).toBe(true);
    expect(budget.fits('a', engine(1001), heap)).toBe(false);
    // A model of onnxruntime-web finds its room in the heap.
    expect(budget.fits('a', general(6000), heap)).toBe(true);
    expect(budget.fits('a', general(6001), heap)).toBe(false);
    budget.take('b', general(5500));
    expect(budget.fits('a', engine(500), heap)).toBe(true);
    expect(budget.fits('a', engine(501), heap)).toBe(false);
  });

  it('goes by what a session was seen to take, also after it was released', () => {
    const budget = new MemoryBudget(1000);
    budget.take('a', engine(900));
    budget.measure('a', 700);
    expect(budget.fits('b', engine(300), 0)).toBe(true);
    expect(budget.fits('b', engine(301), 0)).toBe(false);
    budget.release('a');
    budget.take('a', engine(900));
    expect(budget.fits('b', engine(300), 0)).toBe(true);
    expect(budget.fits('b', engine(301), 0)).toBe(false);
  });

  it('keeps to the manifest where a session cannot tell, and counts none that was never taken', () => {
    const budget = new MemoryBudget(1000);
    budget.take('a', engine(900));
    budget.measure('a', undefined);
    expect(budget.fits('b', engine(101), 0)).toBe(false);
    budget.measure('b', 5000);
    expect(budget.fits('b', engine(100), 0)).toBe(true);
    expect(budget.uses('onnxruntime-web')).toBe(false);
  });

  it('takes the file and a third more where the manifest does not say', () => {
    const { runtimeMemoryBytes: _, ...silent } = engine(1);
    const manifest = { ...silent, edgeFile: { ...embedded.edgeFile, bytes: 100 } } as ModelManifest;
    expect(new MemoryBudget(134).fits('a', manifest, 0)).toBe(true);
    expect(new MemoryBudget(133).fits('a', manifest, 0)).toBe(false);
  });

  it('counts at least a byte for a model that states less than its runtime', () => {
    const budget = new MemoryBudget(runtimeBaseBytes);
    expect(budget.fits('a', general(-5000), 0)).toBe(false);
    expect(new MemoryBudget(runtimeBaseBytes + 1).fits('a', general(-5000), 0)).toBe(true);
  });
});

describe('fitsIsolate', () => {
  it('goes by the memory that a model takes, whatever the size of its file', () => {
    const file = { ...embedded.edgeFile, bytes: 62_000_000 }; // ResNet-152 in int8
    expect(fitsIsolate({ ...engine(maxRuntimeBytes), edgeFile: file })).toBe(true);
    expect(fitsIsolate({ ...engine(maxRuntimeBytes + 1), edgeFile: file })).toBe(false);
  });
  it('takes a third more than the file where nothing was measured', () => {
    const ofFile = (bytes: number) => ({
      ...embedded,
      runtimeMemoryBytes: undefined,
      edgeFile: { ...embedded.edgeFile, bytes },
    });
    expect(fitsIsolate(ofFile(maxRuntimeBytes * 0.75))).toBe(true);
    expect(fitsIsolate(ofFile(maxRuntimeBytes * 0.76))).toBe(false);
  });
});
