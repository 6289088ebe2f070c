/** The project's own sources as text, for the tests that check habits: who imports whom, who touches what. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url));

export interface Source {
  /** Relative to the repository, with `/`. */
  readonly path: string;
  readonly text: string;
}
/** One import: of a file of ours (its path, ending in `.ts`), or of a package or a module of Node (its name). */
export interface Import {
  readonly from: string;
  readonly to: string;
  readonly ours: boolean;
  /** Gone at run time: `import type`, `export type`. */
  readonly typesOnly: boolean;
}

/** Every TypeScript file below the given folders of the repository, sorted by path. */
export function readSources(...folders: string[]): Source[] {
  return folders
    .flatMap((folder) => listFiles(folder))
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(repositoryRoot, path), 'utf8') }));
}

function listFiles(folder: string): string[] {
  const names = readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' });
  return names.map((name) => posix.join(folder, name.split(sep).join('/')));
}

/** Imports, re-exports, dynamic imports and `require` of a file, types included. */
export function importsOf(source: Source): Import[] {
  const types = typeImports(source);
  return ts.preProcessFile(source.text, true, true).importedFiles.map(({ fileName, pos }) => {
    const facts = { from: source.path, typesOnly: types.some(([start, end]) => start <= pos && pos < end) };
    if (!fileName.startsWith('.')) return { ...facts, to: fileName, ours: false };
    const to = posix.join(posix.dirname(source.path), fileName);
    return { ...facts, to: to.replace(/\.js$/, '.ts'), ours: true };
  });
}

/** Where declarations stand that import or export types alone. */
function typeImports(source: Source): [start: number, end: number][] {
  const file = ts.createSourceFile(source.path, source.text, ts.ScriptTarget.Latest, true);
  return file.statements.filter(isTypeDeclaration).map((statement) => [statement.getStart(), statement.end]);
}

function isTypeDeclaration(statement: ts.Statement): boolean {
  if (ts.isImportDeclaration(statement)) return statement.importClause?.isTypeOnly === true;
  return ts.isExportDeclaration(statement) && statement.isTypeOnly;
}

/** One cycle among the files at run time, as a list of paths, first and last the same; undefined when there is none. */
export function findCycle(imports: readonly Import[]): string[] | undefined {
  const targets = new Map<string, string[]>();
  for (const { from, to, ours, typesOnly } of imports)
    if (ours && !typesOnly) targets.set(from, [...(targets.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): string[] | undefined => {
    const at = way.indexOf(file);
    if (at >= 0) return [...way.slice(at), file];
    if (done.has(file)) return undefined;
    for (const next of targets.get(file) ?? []) {
      const cycle = visit(next, [...way, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of targets.keys()) {
    const cycle = visit(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

const IMPURE_MODULES =
  /^(?:node:)?(?:fs|fs\/promises|net|http|https|http2|dns|dgram|tls|child_process|worker_threads|timers|timers\/promises)$/;
const IMPURE_MEMBERS = new Set([
  'AbortSignal.timeout',
  'Date.now',
  'Math.random',
  'performance.now',
  'process.hrtime',
  'crypto.randomBytes',
  'crypto.randomUUID',
  'crypto.getRandomValues',
]);
const IMPURE_NAMES = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'randomBytes',
  'randomUUID',
  'randomInt',
  'randomFillSync',
]);

/** What a file takes from the clock, chance, the disk or the network without a seam: `12: Date.now`, … */
export function impurities(source: Source): string[] {
  const file = ts.createSourceFile(source.path, source.text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const tell = (node: ts.Node, what: string): void => {
    found.push(`${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${what}`);
  };
  const visit = (node: ts.Node): void => {
    const what = impurityOf(node);
    if (what !== undefined) tell(node, what);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function impurityOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    const module = node.moduleSpecifier;
    return module !== undefined && ts.isStringLiteral(module) && IMPURE_MODULES.test(module.text)
      ? module.text
      : undefined;
  }
  if (ts.isPropertyAccessExpression(node)) {
    const name = `${node.expression.getText().replace(/^globalThis\./, '')}.${node.name.text}`;
    return IMPURE_MEMBERS.has(name) ? name : undefined;
  }
  if (ts.isNewExpression(node) || ts.isCallExpression(node)) {
    const called = node.expression.getText().replace(/^globalThis\./, '');
    if (called === 'Date' && (node.arguments?.length ?? 0) === 0) return 'new Date()';
    if (node.expression.kind === ts.SyntaxKind.ImportKeyword) return impureArgument(node);
    return IMPURE_NAMES.has(called) ? called : undefined;
  }
  return undefined;
}

function impureArgument(call: ts.NewExpression | ts.CallExpression): string | undefined {
  const module = call.arguments?.[0];
  return module !== undefined && ts.isStringLiteral(module) && IMPURE_MODULES.test(module.text)
    ? module.text
    : undefined;
}
