/**
 * The protocol as a list of switches, one for each rule that could be there or not, so that a rule can be taken away by
 * itself. `agreed` is the protocol that the ledger follows; every other combination is there to show what breaks.
 */
export interface Protocol {
  /** A term is made by an exclusive link; without it the last one to write the file owns it. */
  readonly exclusiveTerm: boolean;
  /** The next term lies above the numbers of the segments too, not of the terms alone. */
  readonly countSegments: boolean;
  /** What a starter lists first. Whose segment it sees, his term it sees in a later listing. */
  readonly countFirst: 'segments' | 'terms';
  /** Segments without a single term: leave room, for a writer that still holds a term nobody can see any more. */
  readonly gapAfterLoss: boolean;
  /** Who skips numbers also takes the one right after the highest term, where its last owner looks. */
  readonly fenceJump: boolean;
  /** The listing stops a starter whose `run/` is not the folder that it counted its term in. */
  readonly homeCheck: boolean;
  /** The listing stops a starter that finds a segment with its own number or a higher one. */
  readonly numberCheck: boolean;
  /** Damage is only told by a starter that still owns the highest term. */
  readonly relookBeforeCorrupt: boolean;
  /** What is gone on from is synced before the new segment names it: the file, and the folder. */
  readonly syncHead: boolean;
  readonly syncFolder: boolean;
  /** What is written again before that sync: the last whole unit, header included; batches only; nothing. */
  readonly rewrite: 'unit' | 'batch' | 'no';
  /** Nothing is shown before the new header is durable and checked. */
  readonly headerFirst: boolean;
  /** The three parts of the check. */
  readonly checkOwnTerm: boolean;
  readonly checkNextTerm: boolean;
  readonly checkSegment: boolean;
  readonly checkAt: 'afterSync' | 'beforeWrite';
  /** What is cut off the sealed segment: what is no whole batch; nothing; all behind the seal, then or at replay. */
  readonly cut: 'tornOnly' | 'never' | 'afterCheck' | 'atReplay';
  /** What is set aside: passed-by segments without events; or whatever a second listing shows. */
  readonly orphans: 'headerOnly' | 'relist';
  /** The last line of a batch says where the batch began. */
  readonly commitMark: boolean;
  /** A damaged line inside the last batch is a torn end; or only one behind the last line with a commit mark. */
  readonly torn: 'lastWholeBatch' | 'lastCommit';
  /**
   * Whose segments seal: each home its own, and all chains are compared; only the opener's home; everybody's as if
   * there were one home; nobody's, so that whatever lies off the chain is a second head.
   */
  readonly heads: 'perHome' | 'ourHome' | 'oneHead' | 'noSeal';
  /** A clean stop removes a segment that got no event. */
  readonly stopRemoves: boolean;
  /** A head without events is passed by: go on from the segment before it. */
  readonly skipHeaderOnly: boolean;
  /** In the same process the new term has to be the old one plus one, with the old one still there. */
  readonly renew: 'ownPlusOne' | 'anyTerm';
  /** Lower terms are removed once the writer serves, highest first. */
  readonly prune: 'never' | 'highestFirst';
}

export const agreed: Protocol = Object.freeze<Protocol>({
  exclusiveTerm: true,
  countSegments: true,
  countFirst: 'segments',
  gapAfterLoss: true,
  fenceJump: true,
  homeCheck: true,
  numberCheck: true,
  relookBeforeCorrupt: true,
  syncHead: true,
  syncFolder: true,
  rewrite: 'unit',
  headerFirst: true,
  checkOwnTerm: true,
  checkNextTerm: true,
  checkSegment: true,
  checkAt: 'afterSync',
  cut: 'tornOnly',
  orphans: 'headerOnly',
  commitMark: true,
  torn: 'lastWholeBatch',
  heads: 'perHome',
  stopRemoves: false,
  skipHeaderOnly: true,
  renew: 'ownPlusOne',
  prune: 'never',
});
