/** Whether this machine has a camera that a page may ask for. Without https there is none. */
export async function hasCamera(): Promise<boolean> {
  try {
    const devices = await navigator.mediaDevices?.enumerateDevices();
    return devices?.some(({ kind }) => kind === 'videoinput') ?? false;
  } catch {
    return false;
  }
}

/** Shows or hides buttons as cameras come and go. */
export function showWithCamera(buttons: readonly HTMLElement[]): void {
  const update = async () => {
    const isThere = await hasCamera();
    for (const each of buttons) each.hidden = !isThere;
  };
  navigator.mediaDevices?.addEventListener?.('devicechange', () => void update());
  void update();
}
