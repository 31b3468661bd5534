import { parsePlPgSQLSync, type DoStmt } from 'libpg-query';

// Statements that do nothing but hold others. A loop or EXECUTE may do anything: who uses one says it is a contract.
const HOLDS_OTHERS = new Set(['PLpgSQL_stmt_block', 'PLpgSQL_stmt_if', 'PLpgSQL_stmt_return']);

/** The SQL that a `do` block runs; undefined where that cannot be told from its text. libpg-query must be loaded. */
export function sqlOfBlock({ args = [] }: DoStmt): readonly string[] | undefined {
  const body = args
    .map((arg) => ('DefElem' in arg ? arg.DefElem : {}))
    .flatMap(({ defname, arg }) =>
      defname === 'as' && arg !== undefined && 'String' in arg ? [arg.String.sval ?? ''] : [],
    )
    .join('');
  const found: string[] = [];
  return collect(parsePlPgSQLSync(`do $gatehouse$${body}$gatehouse$`), found) ? found : undefined;
}

function collect(tree: unknown, found: string[]): boolean {
  if (tree === null || typeof tree !== 'object') return true;
  return Object.entries(tree).every(([key, value]) => {
    if (key === 'PLpgSQL_stmt_execsql') {
      found.push(queryOf(value));
      return true;
    }
    return (!key.startsWith('PLpgSQL_stmt_') || HOLDS_OTHERS.has(key)) && collect(value, found);
  });
}

function queryOf(statement: unknown): string {
  const { sqlstmt } = statement as { sqlstmt: { PLpgSQL_expr: { query: string } } };
  return sqlstmt.PLpgSQL_expr.query;
}
