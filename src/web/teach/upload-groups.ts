/** What one request takes: sixteen images, and a body well below 20 MiB. */
const maxFiles = 16;
const maxBytes = 16 * 1024 * 1024;

/** Parts files into requests, in order. A file that is too large goes alone, and the service says so. */
export function toUploadGroups<F extends { readonly size: number }>(files: readonly F[]): F[][] {
  const groups: F[][] = [];
  let bytes = 0;
  for (const file of files) {
    const last = groups.at(-1);
    if (last && last.length < maxFiles && bytes + file.size <= maxBytes) {
      last.push(file);
      bytes += file.size;
    } else {
      groups.push([file]);
      bytes = file.size;
    }
  }
  return groups;
}
