import { escapeHtml } from './escape-html.ts';

/** Classes that a matrix can show; of more, those with the most mistakes. */
const maxShown = 30;
const cell = 24;
const margin = 150;

/**
 * @param matrix photos of each class (row) by the class they were taken for (column).
 * @returns an SVG element; darker cells are larger shares of their row.
 */
export function drawConfusionMatrix(
  labels: readonly string[],
  matrix: readonly (readonly number[])[],
): string {
  const mistakes = (index: number) =>
    (matrix[index] ?? []).reduce((sum, count, column) => sum + (column === index ? 0 : count), 0);
  const shown = labels
    .map((_, index) => index)
    .sort((a, b) => mistakes(b) - mistakes(a) || a - b)
    .slice(0, maxShown)
    .sort((a, b) => a - b);
  const height = margin + shown.length * cell;
  // Slanted names lean over the last column.
  const width = height + margin / 2;
  const parts: string[] = [];
  for (const [y, row] of shown.entries()) {
    const counts = matrix[row] ?? [];
    const total = counts.reduce((sum, count) => sum + count, 0);
    const middle = margin + y * cell + cell / 2;
    parts.push(toText(margin - 6, middle + 4, 'end', labels[row] ?? ''));
    parts.push(
      `<g transform="translate(${margin + y * cell + cell / 2 + 4} ${margin - 6}) rotate(-60)">${toText(0, 0, 'start', labels[row] ?? '')}</g>`,
    );
    for (const [x, column] of shown.entries()) {
      const count = counts[column] ?? 0;
      const share = total > 0 ? count / total : 0;
      const colour = row === column ? '#2a9d5c' : '#d1495b';
      const [left, top] = [margin + x * cell, margin + y * cell];
      const title = `<title>${escapeHtml(`${labels[row]} taken for ${labels[column]}: ${count}`)}</title>`;
      parts.push(
        `<rect x="${left}" y="${top}" width="${cell - 1}" height="${cell - 1}" fill="${colour}" fill-opacity="${share.toFixed(3)}" stroke="currentColor" stroke-opacity=".2">${title}</rect>`,
      );
      if (count > 0) parts.push(toText(left + cell / 2, middle + 4, 'middle', String(count)));
    }
  }
  const note = labels.length > shown.length ? `, the ${shown.length} classes with the most mistakes` : '';
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="Confusion matrix: rows are classes, columns what they were taken for${note}">${parts.join('')}</svg>`;
}

const plot = { width: 480, height: 240, left: 50, bottom: 30 } as const;

/** @returns an SVG element: accuracy by photos, both from 0. */
export function drawLearningCurve(
  curve: readonly { readonly photos: number; readonly accuracy: number }[],
): string {
  const most = curve.at(-1)?.photos;
  if (most === undefined || curve.length < 2) return '<p>There are too few scenes to say.</p>';
  const { width, height, left, bottom } = plot;
  const toX = (photos: number) => left + ((width - left - 20) * photos) / most;
  const toY = (accuracy: number) => 10 + (height - bottom - 10) * (1 - accuracy);
  const points = curve.map(({ photos, accuracy }) => ({
    x: toX(photos),
    y: toY(accuracy),
    photos,
    accuracy,
  }));
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line x1="${left}" x2="${width - 10}" y1="${toY(share)}" y2="${toY(share)}" stroke="currentColor" stroke-opacity=".15"/>${toText(left - 6, toY(share) + 4, 'end', `${100 * share} %`)}`,
  );
  const dots = points.map(
    ({ x, y, photos, accuracy }, index) =>
      `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="4" fill="#2a9d5c"><title>${photos} photos: ${(100 * accuracy).toFixed(1)} %</title></circle>${x - (points[index - 1]?.x ?? 0) > 30 ? toText(x, height - 10, 'middle', String(photos)) : ''}`,
  );
  const line = points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="Accuracy by the number of photos">${grid.join('')}<polyline points="${line}" fill="none" stroke="#2a9d5c" stroke-width="2"/>${dots.join('')}</svg>`;
}

function toText(x: number, y: number, anchor: 'start' | 'middle' | 'end', text: string): string {
  const short = text.length > 22 ? `${text.slice(0, 21)}…` : text;
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escapeHtml(short)}</text>`;
}
