import { readFile, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import type { Lesson } from '../../../learn/teach.ts';
import { escapeHtml } from './escape-html.ts';
import { drawConfusionMatrix, drawLearningCurve } from './report-plots.ts';

/** Pixels of a thumbnail's longer side. */
const thumbnailSide = 144;

/**
 * Writes a lesson's report as one page that needs nothing else: plots are SVG, photos are thumbnails in the page.
 *
 * @param paths of the photos, by the names that the report has.
 */
export async function writeReportPage(
  path: string,
  model: string,
  labels: readonly string[],
  lesson: Lesson,
  paths: ReadonlyMap<string, string>,
): Promise<void> {
  const { report, confusionMatrix } = lesson;
  const { accuracy } = report;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const doubtful = await Promise.all(
    report.doubtful.map(async ({ name, label, looks_like: other, score }) => {
      const image = await readThumbnail(paths.get(name));
      return `<figure>${image}<figcaption><b>${escapeHtml(label)}</b><br>looks like ${escapeHtml(other)} (${percent(score)})<br><small>${escapeHtml(name)}</small></figcaption></figure>`;
    }),
  );
  const rows = report.per_class.map(
    ({ label, photos, scenes, precision, recall }) =>
      `<tr><th scope="row">${escapeHtml(label)}<td>${photos}<td>${scenes}<td>${precision === null ? '–' : percent(precision)}<td>${recall === null ? '–' : percent(recall)}`,
  );
  const copies = report.copies.map(([a, b]) => `<li>${escapeHtml(a)} and ${escapeHtml(b)}`);
  const lead = accuracy
    ? `<p class="lead">${percent(accuracy.estimate)} of photos whose scene it had not seen were right (95 %: ${percent(accuracy.low)} to ${percent(accuracy.high)}).</p>`
    : '<p class="lead">No class has two scenes, so that nothing can be said of how good it is.</p>';
  const help = report.helps_most
    ? `<p>More photos of <b>${escapeHtml(report.helps_most)}</b> would help most.</p>`
    : '';
  await writeFile(
    path,
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(model)}: what was learned</title>
<style>${style}</style>
<main>
<h1>${escapeHtml(model)}</h1>
${lead}
<p>${report.photos} photos of ${report.classes} classes, ${report.scenes} scenes. An answer is “none of these” below a score of ${report.threshold}, or below a similarity of ${report.min_similarity}.</p>
${help}
<h2>What is taken for what</h2>
${drawConfusionMatrix(labels, confusionMatrix)}
<h2>Whether more photos help</h2>
${drawLearningCurve(report.learning_curve)}
<h2>Doubtful photos</h2>
${doubtful.length > 0 ? `<p>They look like another class. A photo in the wrong folder is the commonest fault.</p><div class="photos">${doubtful.join('')}</div>` : '<p>None.</p>'}
<h2>Classes</h2>
<table><thead><tr><th scope="col">class<th scope="col">photos<th scope="col">scenes<th scope="col">precision<th scope="col">recall<tbody>${rows.join('')}</table>
<h2>Photos that are there twice</h2>
${copies.length > 0 ? `<ul>${copies.join('')}</ul>` : '<p>None.</p>'}
</main>
</html>
`,
  );
}

/** @returns an element that shows the photo, or says that it cannot. */
async function readThumbnail(path: string | undefined): Promise<string> {
  try {
    const bytes = await sharp(await readFile(path ?? ''))
      .rotate()
      .resize(thumbnailSide, thumbnailSide, { fit: 'inside' })
      .jpeg({ quality: 70 })
      .toBuffer();
    return `<img alt="" src="data:image/jpeg;base64,${bytes.toString('base64')}">`;
  } catch {
    return '<div class="none">no preview</div>';
  }
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; background: Canvas; color: CanvasText; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h1 { margin: 0; } h2 { margin: 2.5rem 0 .5rem; }
.lead { font-size: 1.4rem; margin: .5rem 0; }
svg { max-width: 100%; height: auto; font: 12px system-ui, sans-serif; fill: currentColor; }
table { border-collapse: collapse; } td, thead th { text-align: right; padding: .2rem .8rem; }
th, thead th:first-child { text-align: left; font-weight: 500; } thead th { border-bottom: 1px solid; }
.photos { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; width: 144px; } img { max-width: 144px; }
figcaption { font-size: .85rem; overflow-wrap: anywhere; } .none { width: 144px; height: 96px; border: 1px dashed; display: grid; place-items: center; }
`;
