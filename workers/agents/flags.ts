/** Looks for flags in a command line that somebody else wrote. */

/** Whether one of the flags stands there, as `--flag`, `--flag value` or `--flag=value`. */
export function hasFlag(words: readonly string[], ...flags: readonly string[]): boolean {
  return words.some((word) => flags.some((flag) => word === flag || word.startsWith(`${flag}=`)));
}
