/** Bars of one kind, all of one scale. */
export interface Panel {
  readonly title: string;
  readonly bars: readonly {
    readonly label: string;
    readonly value: number;
    /** What stands behind the bar. */
    readonly text: string;
    readonly isOurs: boolean;
  }[];
}

export interface Plot {
  readonly title: string;
  /** For those who cannot see it: what the bars say, in sentences. */
  readonly description: string;
  readonly panels: readonly Panel[];
  /** Machine, versions, date, command. */
  readonly caption: string;
}

const width = 860;
const margin = 24;
const labelWidth = 300;
/** Room behind the longest bar for its text. */
const textWidth = 190;
const barHeight = 16;
const barPitch = 24;
const headHeight = 40;
const panelHead = 34;
const captionLine = 17;
/** A character of the caption takes 6.8 px or less on average: 118 fit. */
const captionCharacters = 118;

/** A background of its own, because the page around a picture may be of another scheme than its reader's. */
const style = `
    text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
    .title { font-size: 17px; font-weight: 600; }
    .panel { font-weight: 600; }
    .quiet { font-size: 12px; fill: #59636e; }
    .paper { fill: #ffffff; }
    .axis { stroke: #c8ced6; }
    .other { fill: #afb8c1; }
    .ours { fill: #0969da; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .quiet { fill: #9198a1; }
      .paper { fill: #0d1117; }
      .axis { stroke: #3d444d; }
      .other { fill: #656c76; }
      .ours { fill: #58a6ff; }
    }
  `;

/** Horizontal bars, one panel below the other, as an SVG file that is readable in light and dark. */
export function plotBars({ title, description, panels, caption }: Plot): string {
  const captionLines = wrap(caption, captionCharacters);
  const parts: string[] = [text(margin, 34, title, 'title')];
  let y = headHeight + 8;
  for (const panel of panels) {
    parts.push(text(margin, y + 22, panel.title, 'panel'), ...plotPanel(panel, y + panelHead));
    y += panelHead + panel.bars.length * barPitch + 10;
  }
  y += 8;
  for (const line of captionLines) {
    y += captionLine;
    parts.push(text(margin, y, line, 'quiet'));
  }
  const height = y + margin;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">
  <title id="title">${escapeXml(title)}</title>
  <desc id="description">${escapeXml(description)}</desc>
  <style>${style}</style>
  <rect class="paper" width="${width}" height="${height}" rx="8"/>
${parts.map((part) => `  ${part}`).join('\n')}
</svg>
`;
}

function plotPanel({ bars }: Panel, top: number): string[] {
  const left = margin + labelWidth;
  const room = width - left - textWidth - margin;
  const largest = Math.max(...bars.map(({ value }) => value));
  const drawn = bars.flatMap(({ label, value, text: note, isOurs }, index) => {
    const y = top + index * barPitch;
    const length = Math.max(1, Math.round((value / largest) * room));
    const baseline = y + barHeight - 3;
    return [
      text(left - 10, baseline, label, undefined, 'end'),
      `<rect class="${isOurs ? 'ours' : 'other'}" x="${left}" y="${y}" width="${length}" height="${barHeight}" rx="2"/>`,
      text(left + length + 8, baseline, note),
    ];
  });
  const bottom = top + bars.length * barPitch - (barPitch - barHeight);
  return [`<line class="axis" x1="${left}" y1="${top - 4}" x2="${left}" y2="${bottom + 4}"/>`, ...drawn];
}

function text(x: number, y: number, content: string, className?: string, anchor?: 'end'): string {
  const attributes = `${className ? ` class="${className}"` : ''}${anchor ? ` text-anchor="${anchor}"` : ''}`;
  return `<text x="${x}" y="${y}"${attributes}>${escapeXml(content)}</text>`;
}

/** Lines of so many characters at most, broken at spaces. */
function wrap(content: string, most: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of content.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > most) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function escapeXml(content: string): string {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
