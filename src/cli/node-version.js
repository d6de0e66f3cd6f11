// Plain JavaScript: it has to run on a Node that is too old to strip types. npm scripts put
// node_modules/.bin first, so this is the Node that npm ci installed where there is one.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  console.error(
    `resnet-edge needs Node 22.12 or later to run its tools; this is ${process.version}.\n` +
      'On Linux (x64, arm64), macOS and Windows (x64), npm ci installs one beside the project: run it without --omit=optional.\n' +
      'On other platforms install a newer Node from https://nodejs.org.',
  );
  process.exit(1);
}
