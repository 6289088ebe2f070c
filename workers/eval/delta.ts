/**
 * What a skill changed, from paired runs of the same cases with and without it. Pure.
 *
 * The unit is the case, not the run: repeats of a case say how steady it is, and only more cases say whether the skill
 * helps beyond these. A case counts with the difference of its two pass rates, by its weight; of unequal weights fewer
 * cases count (`(Σw)² / Σw²` of them).
 *
 * The interval is the adjusted one of Agresti and Min for differences of matched pairs (Statistics in Medicine 24, 2005):
 * two cases are added, half of one better, half of one worse, one without a difference, and the usual interval is taken of
 * that. So it never shrinks to a point. With few cases it is a little too narrow: the quantile is therefore that of
 * Student's t, with as many degrees of freedom as cases less one.
 */
import { counted } from '../../lib/base/text.js';
import { evalLimits } from './limits.js';
import { rounded } from './report.js';

export interface PairedCase {
  readonly id: string;
  readonly weight: number;
  /** How many of its runs passed on each side; each side has as many runs. */
  readonly passedWithout: number;
  readonly passedWith: number;
  readonly repeats: number;
}

export type DeltaVerdict = 'better' | 'worse' | 'undecided' | 'too_few_cases';

export interface Delta {
  readonly verdict: DeltaVerdict;
  /** The verdict in words. */
  readonly says: string;
  readonly pass_rate: { readonly without: number; readonly with: number };
  readonly difference: number;
  /** Absent when n is too small. */
  readonly interval?: { readonly low: number; readonly high: number; readonly level: number; readonly method: string };
  /** Cases that count; with equal weights their number. */
  readonly n: number;
  readonly flips: { readonly to_pass: readonly string[]; readonly to_fail: readonly string[] };
  /** Cases whose runs of one side did not agree. */
  readonly unsteady: readonly string[];
}

/** Two-sided 95 %, of the normal distribution. */
const Z = 1.959964;
const LEVEL = 0.95;
const METHOD = 'Agresti-Min for matched pairs, over cases, with quantiles of t';

export function deltaOf(cases: readonly PairedCase[]): Delta {
  const total = cases.reduce((sum, { weight }) => sum + weight, 0);
  const mean = (measure: (each: PairedCase) => number) =>
    cases.reduce((sum, each) => sum + (each.weight / total) * measure(each), 0);
  const n = 1 / cases.reduce((sum, { weight }) => sum + (weight / total) ** 2, 0);
  const difference = mean(differenceOf);
  const interval = isEnough(n)
    ? intervalOf(
        n,
        difference,
        mean((each) => differenceOf(each) ** 2),
      )
    : undefined;
  const verdict = verdictOf(interval);
  return {
    verdict,
    says: wordsOf(verdict, n, difference, interval),
    pass_rate: {
      without: rounded(mean(({ passedWithout, repeats }) => passedWithout / repeats)),
      with: rounded(mean(({ passedWith, repeats }) => passedWith / repeats)),
    },
    difference: rounded(difference),
    ...(interval === undefined
      ? {}
      : { interval: { low: rounded(interval.low), high: rounded(interval.high), level: LEVEL, method: METHOD } }),
    n: rounded(n),
    flips: { to_pass: idsOf(cases, 1), to_fail: idsOf(cases, -1) },
    unsteady: cases.filter(isUnsteady).map(({ id }) => id),
  };
}

interface Interval {
  readonly low: number;
  readonly high: number;
}

function differenceOf({ passedWith, passedWithout, repeats }: PairedCase): number {
  return (passedWith - passedWithout) / repeats;
}

/** Of ten cases with equal weights the sum of squares may come out a hair under ten. */
function isEnough(n: number): boolean {
  return n >= evalLimits.deltaCasesAtLeast - 1e-9;
}

function intervalOf(n: number, mean: number, meanOfSquares: number): Interval {
  const adjusted = n + 2;
  const centre = (n * mean) / adjusted;
  const variance = ((n * meanOfSquares + 1) / adjusted - centre ** 2) / adjusted;
  const reach = quantileOfT(n - 1) * Math.sqrt(variance);
  return { low: Math.max(-1, centre - reach), high: Math.min(1, centre + reach) };
}

/**
 * Of 97.5 % in Student's t, by its expansion around the normal distribution (Abramowitz and Stegun 26.7.5): off by less
 * than 0.001 from nine degrees of freedom on.
 */
export function quantileOfT(degrees: number): number {
  const terms = [
    (Z ** 3 + Z) / 4,
    (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / 96,
    (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / 384,
  ];
  return terms.reduce((sum, term, at) => sum + term / degrees ** (at + 1), Z);
}

function verdictOf(interval: Interval | undefined): DeltaVerdict {
  if (interval === undefined) return 'too_few_cases';
  if (interval.low > 0) return 'better';
  return interval.high < 0 ? 'worse' : 'undecided';
}

function wordsOf(verdict: DeltaVerdict, n: number, difference: number, interval: Interval | undefined): string {
  const points = (value: number) => `${value > 0 ? '+' : ''}${(100 * value).toFixed(1)}`;
  const found = `with the skill the pass rate differs by ${points(difference)} points`;
  if (interval === undefined)
    return `${found}, but n is too small to tell it from chance: ${counted(Math.round(n * 10) / 10, 'case')} of the ${evalLimits.deltaCasesAtLeast} that it takes at least`;
  const range = `95 % interval from ${points(interval.low)} to ${points(interval.high)}`;
  return `${found} (${range}): ${verdict === 'undecided' ? 'that may be chance' : `the skill makes it ${verdict}`}`;
}

/** Passes more often than not. */
function passes(passed: number, repeats: number): boolean {
  return passed * 2 > repeats;
}

function idsOf(cases: readonly PairedCase[], direction: 1 | -1): string[] {
  const flip = ({ passedWith, passedWithout, repeats }: PairedCase) =>
    Number(passes(passedWith, repeats)) - Number(passes(passedWithout, repeats));
  return cases.filter((each) => flip(each) === direction).map(({ id }) => id);
}

function isUnsteady({ passedWith, passedWithout, repeats }: PairedCase): boolean {
  return [passedWith, passedWithout].some((passed) => passed > 0 && passed < repeats);
}
