import { describe, expect, it } from 'vitest';
import { toCurl, toJavaScript, toPython } from '../../src/web/look/snippets.ts';

const request = {
  origin: 'https://look.example',
  model: 'resnet18',
  name: 'cat.jpg',
  source: { kind: 'file', file: new Blob() },
  needsKey: false,
} as const;

// That they run and get a label is shown in Chromium, test/browser/look.test.ts.
describe('snippets', () => {
  it('quote names for their language', () => {
    const name = `it's "quoted" \\ $(rm).jpg`;
    expect(toCurl({ ...request, name })).toBe(
      `curl --data-binary '@it'\\''s "quoted" \\ $(rm).jpg' 'https://look.example/v1/classify?model=resnet18'`,
    );
    expect(toJavaScript({ ...request, name })).toContain(`readFile('it\\'s "quoted" \\\\ $(rm).jpg')`);
    expect(toPython({ ...request, name })).toContain(`open("it's \\"quoted\\" \\\\ $(rm).jpg", "rb")`);
  });

  it('read the key from the environment', () => {
    const withKey = { ...request, needsKey: true };
    expect(toCurl(withKey)).toContain('-H "Authorization: Bearer $KEY"');
    expect(toJavaScript(withKey)).toContain('process.env.KEY');
    expect(toPython(withKey)).toContain('os.environ["KEY"]');
  });

  it('name the address of a picture that is somewhere else', () => {
    const source = { kind: 'url', url: "https://a.example/it's.jpg" } as const;
    expect(toCurl({ ...request, source })).toContain(`-d '{"url":"https://a.example/it'\\''s.jpg"}'`);
    expect(toJavaScript({ ...request, source })).toContain(
      `JSON.stringify({ url: 'https://a.example/it\\'s.jpg' })`,
    );
    expect(toPython({ ...request, source })).toContain(`json.dumps({"url": "https://a.example/it's.jpg"})`);
  });

  it('leave the model out where the service does not tell its name', () => {
    expect(toCurl({ ...request, model: '' })).toContain(`'https://look.example/v1/classify'`);
    expect(toCurl({ ...request, model: 'a b&c' })).toContain('?model=a%20b%26c');
  });
});
