/**
 * The lock of the folder, as a seam. It spares a second daemon the trouble of finding out; it is not what keeps the
 * ledger safe (that is the check behind each batch), so every doubt is decided for going on.
 */
export interface FolderLock {
  /**
   * Takes the lock at once, or answers undefined when somebody holds it. A lock that nobody renewed for `staleMs` is
   * taken over.
   */
  acquire(request: LockRequest): Promise<LockHold | undefined>;
  /** What tells one holder from the next; undefined when nobody holds it. */
  holder(path: string): Promise<string | undefined>;
  /** Takes the lock away from `holder`, which is proven dead; nothing happens when another one holds it by now. */
  breakLock(path: string, holder: string): Promise<void>;
  /** Waits before the next look, and keeps the process alive meanwhile: there may be nothing else yet that does. */
  pause(delayMs: number): Promise<void>;
}

export interface LockRequest {
  /** Path of the lock itself; its folder exists. */
  readonly path: string;
  readonly staleMs: number;
  /** The lock was lost without a release: somebody took it, or removed it. */
  readonly onLost: (reason: string) => void;
}

export interface LockHold {
  /** Lets go, if it still is ours. Idempotent; never throws. */
  release(): Promise<void>;
}

/** For a disk that no other process can reach. */
export const noLock: FolderLock = {
  acquire: async () => ({ release: async () => undefined }),
  holder: async () => undefined,
  breakLock: async () => undefined,
  pause: async () => undefined,
};
