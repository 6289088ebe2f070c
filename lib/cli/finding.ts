/** What a check of `doctor` found. */
export interface Finding {
  readonly check: string;
  /** `note`: worth knowing, nothing is broken. */
  readonly state: 'ok' | 'note' | 'fail';
  readonly text: string;
  readonly fix?: string;
}
