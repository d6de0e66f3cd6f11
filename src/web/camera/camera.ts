import { element } from '../dom/element.ts';

/** A camera that runs, and the element that shows what it sees. */
export interface Camera {
  readonly video: HTMLVideoElement;
  /** What the camera sees now, as a JPEG file. */
  readonly takePhoto: (name: string) => Promise<File>;
  readonly stop: () => void;
}

const jpegQuality = 0.92;

/**
 * Asks for the camera that looks away from the person, if there are two.
 *
 * @throws {DOMException} if the person or the system refuses.
 */
export async function openCamera(): Promise<Camera> {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: 'environment', width: { ideal: 1280 } },
    audio: false,
  });
  const video = element('video', {
    attributes: { playsinline: true, muted: true, 'aria-label': 'What the camera sees' },
  });
  video.muted = true;
  video.srcObject = stream;
  await video.play();
  const stop = () => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  return { video, stop, takePhoto: (name) => takePhoto(video, name) };
}

async function takePhoto(video: HTMLVideoElement, name: string): Promise<File> {
  const canvas = element('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d')?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', jpegQuality));
  if (!blob) throw new Error('The camera gave no picture.');
  return new File([blob], name, { type: 'image/jpeg' });
}
