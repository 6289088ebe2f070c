/**
 * The log line seam: who has something to tell the operator calls a `Logger`; the command line decides where it goes
 * (standard error) and from which level on. Never a token, never a payload.
 */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** `facts` are small values for a machine to read; the message alone must be enough for a person. */
export type Logger = (
  level: LogLevel,
  message: string,
  facts?: Readonly<Record<string, string | number | boolean | undefined>>,
) => void;

export const silentLogger: Logger = () => {};
