/** Where pictures come from: a drop anywhere on the page, the clipboard, a file chooser. */
export interface PictureTarget {
  /** Shows that a drop is welcome here. */
  readonly zone: HTMLElement;
  readonly onFiles: (files: readonly File[]) => void;
  readonly onUrl?: (url: string) => void;
}

/** Takes what is dropped on the zone itself. */
export function takeDrops({ zone, onFiles, onUrl }: PictureTarget): void {
  for (const type of ['dragenter', 'dragover'] as const) {
    zone.addEventListener(type, (event) => {
      event.preventDefault();
      zone.classList.add('over');
    });
  }
  zone.addEventListener('dragleave', (event) => {
    if (event.relatedTarget instanceof Node && zone.contains(event.relatedTarget)) return;
    zone.classList.remove('over');
  });
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    event.stopPropagation();
    zone.classList.remove('over');
    receive(event.dataTransfer, onFiles, onUrl);
  });
}

/** Takes what is pasted, unless it is pasted into a text field. */
export function takePastes(isWanted: () => boolean, { onFiles, onUrl }: Omit<PictureTarget, 'zone'>): void {
  document.addEventListener('paste', (event) => {
    if (!isWanted() || event.target instanceof HTMLInputElement) return;
    receive(event.clipboardData, onFiles, onUrl);
  });
}

export function takeChoices(input: HTMLInputElement, onFiles: (files: readonly File[]) => void): void {
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    input.value = ''; // so that the same file can be chosen again
    if (files.length > 0) onFiles(files);
  });
}

/** A file that misses its zone would replace the page. */
export function refuseOtherDrops(): void {
  for (const type of ['dragover', 'drop'] as const) {
    document.addEventListener(type, (event) => event.preventDefault());
  }
}

/** Files go first: a picture dragged from another page brings its address along. */
function receive(
  data: DataTransfer | null,
  onFiles: (files: readonly File[]) => void,
  onUrl: ((url: string) => void) | undefined,
): void {
  const files = [...(data?.files ?? [])];
  if (files.length > 0) {
    onFiles(files);
    return;
  }
  const text = (data?.getData('text/uri-list') || data?.getData('text/plain') || '').trim();
  if (/^https?:\/\/\S+$/.test(text)) onUrl?.(text);
}
