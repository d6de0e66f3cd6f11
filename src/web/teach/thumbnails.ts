import { element } from '../dom/element.ts';

/**
 * Small pictures of the photos, by example id. The service keeps no pictures, so this browser does: IndexedDB, nowhere
 * else. A browser that refuses (a private window) shows drawings after a reload.
 */
const databaseName = 'resnet-edge';
const storeName = 'thumbnails';
const sidePixels = 160;

let opened: Promise<IDBDatabase> | undefined;

export async function keepThumbnail(id: string, thumbnail: Blob): Promise<void> {
  await use('readwrite', (store) => store.put(thumbnail, id)).catch(() => undefined);
}

export async function readThumbnail(id: string): Promise<Blob | undefined> {
  const found: unknown = await use('readonly', (store) => store.get(id)).catch(() => undefined);
  return found instanceof Blob ? found : undefined;
}

export async function deleteThumbnails(ids: readonly string[]): Promise<void> {
  for (const id of ids) await use('readwrite', (store) => store.delete(id)).catch(() => undefined);
}

/** @returns the centre of the picture as a small JPEG; undefined if the browser cannot show it. */
export async function createThumbnail(photo: Blob): Promise<Blob | undefined> {
  try {
    const bitmap = await createImageBitmap(photo);
    const side = Math.min(bitmap.width, bitmap.height);
    const canvas = element('canvas');
    canvas.width = sidePixels;
    canvas.height = sidePixels;
    const context = canvas.getContext('2d');
    if (!context) return undefined;
    context.imageSmoothingQuality = 'high';
    const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
    context.drawImage(bitmap, left, top, side, side, 0, 0, sidePixels, sidePixels);
    bitmap.close();
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.8));
    return blob ?? undefined;
  } catch {
    return undefined;
  }
}

async function use<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  opened ??= open();
  const store = (await opened).transaction(storeName, mode).objectStore(storeName);
  return await toPromise(act(store));
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(databaseName, 1);
  request.addEventListener('upgradeneeded', () => request.result.createObjectStore(storeName));
  return await toPromise(request);
}

function toPromise<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error));
  });
}
