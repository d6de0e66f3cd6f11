import { announce } from '../dom/announce.ts';
import { button, element } from '../dom/element.ts';
import { formatCount } from '../dom/format.ts';
import { type Camera, openCamera } from './camera.ts';

export interface CameraDialogOptions {
  readonly title: string;
  /** `one` closes after a photo; `burst` takes photos until the person stops it. */
  readonly mode: 'one' | 'burst';
  readonly onPhotos: (photos: readonly File[]) => void;
}

const burstEveryMs = 300;
const maxBurst = 16;

/** Shows what the camera sees, and takes photos of it. Escape closes it, and the camera goes off. */
export async function showCameraDialog({ title, mode, onPhotos }: CameraDialogOptions): Promise<void> {
  const status = element('p', { class: 'camera-status', text: 'Waiting for the camera…' });
  const view = element('div', { class: 'camera-view' });
  const shoot = button(mode === 'one' ? 'Take the photo' : 'Start filming', () => void act());
  shoot.disabled = true;
  const dialog = element(
    'dialog',
    { class: 'camera', attributes: { 'aria-label': title } },
    element('h2', { text: title }),
    view,
    status,
    element(
      'p',
      { class: 'actions' },
      shoot,
      button('Close', () => dialog.close(), 'button quiet'),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  let camera: Camera | undefined;
  let isFilming = false;
  dialog.addEventListener('close', () => {
    isFilming = false;
    camera?.stop();
    dialog.remove();
  });
  try {
    camera = await openCamera();
  } catch {
    status.textContent = 'The camera was refused. Allow it for this page in your browser, or choose a file.';
    return;
  }
  if (!dialog.open) return camera.stop();
  view.append(camera.video);
  shoot.disabled = false;
  status.textContent =
    mode === 'one' ? 'Hold it still.' : 'Move around it while you film: every angle helps.';

  const act = async () => {
    if (!camera) return;
    if (mode === 'one') {
      const photo = await camera.takePhoto(`camera ${toClock()}.jpg`);
      dialog.close();
      return onPhotos([photo]);
    }
    if (isFilming) {
      isFilming = false;
      return;
    }
    await film(camera);
  };
  const film = async (source: Camera) => {
    isFilming = true;
    shoot.textContent = 'Stop';
    const photos: File[] = [];
    while (isFilming && photos.length < maxBurst) {
      photos.push(await source.takePhoto(`camera ${toClock()}-${photos.length + 1}.jpg`));
      status.textContent = `${formatCount(photos.length, 'photo')} of at most ${maxBurst}.`;
      await new Promise((resolve) => setTimeout(resolve, burstEveryMs));
    }
    isFilming = false;
    shoot.textContent = 'Film more';
    announce(`${formatCount(photos.length, 'photo')} taken.`);
    onPhotos(photos);
  };
}

const toClock = () => new Date().toTimeString().slice(0, 8).replaceAll(':', '.');
