#!/usr/bin/env node
// `npx resnet-edge COMMAND`: what npm run does, without the lines that npm itself prints to standard output.
import { fileURLToPath } from 'node:url';

process.argv.splice(2, 0, fileURLToPath(new URL('main.ts', import.meta.url)));
await import('./run.js');
