import { existsSync } from 'node:fs';

/** Where systems put it; `CHROMIUM` says otherwise. Undefined if there is none: the tests are then skipped. */
export function findChromium(): string | undefined {
  const places = [
    process.env['CHROMIUM'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
  return places.find((path) => path !== undefined && existsSync(path));
}
