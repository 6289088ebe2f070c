/** One row of the table: a figure, what it is compared with in the same run, and the ratio to reach. */
import { median, spread } from './statistics.js';

export interface Row {
  readonly figure: string;
  readonly unit: string;
  /** One value a round. */
  readonly values: readonly number[];
  /** What it stands beside; undefined where the figure itself has the limit. */
  readonly baseline?: { readonly name: string; readonly unit: string; readonly values: readonly number[] };
  /** Undefined where nothing is to be reached: the row shows what stands in the way of another. */
  readonly reach?: { readonly atLeast: number } | { readonly atMost: number };
  /** What else is worth knowing, such as other percentiles of the same rounds. */
  readonly beside?: Readonly<Record<string, number>>;
}

export interface JudgedRow extends Row {
  readonly value: number;
  readonly spread: number;
  readonly baselineValue: number | undefined;
  /** The figure itself where there is no baseline. */
  readonly ratio: number;
  readonly reached: boolean | undefined;
}

/** Ratios are of the medians: rounds of figure and baseline took turns. */
export function judge(row: Row): JudgedRow {
  const value = median(row.values);
  const baselineValue = row.baseline && median(row.baseline.values);
  const ratio = baselineValue === undefined ? value : value / baselineValue;
  return { ...row, value, spread: spread(row.values), baselineValue, ratio, reached: isReached(row, ratio) };
}

function isReached({ reach }: Row, ratio: number): boolean | undefined {
  if (reach === undefined) return undefined;
  return 'atLeast' in reach ? ratio >= reach.atLeast : ratio <= reach.atMost;
}

export function numberText(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function reachText({ reach }: Row): string {
  if (reach === undefined) return '–';
  return 'atLeast' in reach ? `≥ ${numberText(reach.atLeast)}` : `≤ ${numberText(reach.atMost)}`;
}

/** A table in Markdown. */
export function tableOf(rows: readonly JudgedRow[]): string {
  const lines = rows.map((row) => {
    const spreadText = row.values.length > 1 ? ` ± ${(row.spread * 100).toFixed(0)} %` : '';
    const value = `${numberText(row.value)} ${row.unit}${spreadText}`;
    const baseline =
      row.baseline && row.baselineValue !== undefined
        ? `${row.baseline.name}: ${numberText(row.baselineValue)} ${row.baseline.unit}`
        : '–';
    const ratio = row.baseline === undefined ? '–' : row.ratio.toFixed(2);
    return `| ${row.figure} | ${value} | ${baseline} | ${ratio} | ${reachText(row)} | ${row.reached === undefined ? '–' : row.reached ? 'yes' : 'no'} |\n`;
  });
  return `| figure | measured | beside | ratio | to reach | reached |\n|---|---|---|---|---|---|\n${lines.join('')}`;
}
