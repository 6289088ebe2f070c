/** The files of a report. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { htmlOf } from './html.js';
import { junitOf } from './junit.js';
import { markdownOf } from './markdown.js';
import type { Report } from './report.js';

/** Writes all forms into a folder, which is made. Returns their paths. @throws what the file system says */
export function writeReport(folder: string, report: Report): string[] {
  mkdirSync(folder, { recursive: true });
  const files: readonly (readonly [string, string])[] = [
    ['report.json', `${JSON.stringify(report, null, 2)}\n`],
    ['junit.xml', junitOf(report)],
    ['report.html', htmlOf(report)],
    ['summary.md', markdownOf(report)],
  ];
  return files.map(([name, text]) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  });
}
